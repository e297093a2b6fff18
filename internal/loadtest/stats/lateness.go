package stats

import (
	"context"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// latenessEvery is the period of the timer that Lateness watches.
const latenessEvery = 2 * time.Millisecond

// Lateness measures by how much a timer of this process fires late: the time that a tick which is ready to be read may
// wait for a processor.
type Lateness struct {
	mu        sync.Mutex
	histogram *hdrhistogram.Histogram
	done      chan struct{}
}

// WatchLateness measures until ctx ends. The caller then waits for Done.
func WatchLateness(ctx context.Context) *Lateness {
	l := &Lateness{histogram: NewHistogram(), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		timer := time.NewTimer(latenessEvery)
		defer timer.Stop()
		due := time.Now().Add(latenessEvery)
		for {
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
			}
			now := time.Now()
			l.mu.Lock()
			_ = l.histogram.RecordValue(min(maxLatency, max(0, now.Sub(due).Microseconds())))
			l.mu.Unlock()
			due = now.Add(latenessEvery)
			timer.Reset(latenessEvery)
		}
	}()
	return l
}

// Done is closed when the measuring has ended.
func (l *Lateness) Done() <-chan struct{} { return l.done }

// Reset discards what was measured so far.
func (l *Lateness) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.histogram.Reset()
}

// Percentile returns a percentile of the lateness since the last Reset, in µs.
func (l *Lateness) Percentile(p float64) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.histogram.ValueAtPercentile(p)
}
