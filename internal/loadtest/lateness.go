package loadtest

import (
	"context"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// latenessEvery is how often the generator looks whether it runs on time.
const latenessEvery = 2 * time.Millisecond

// watch measures how late the generator's own timer fires: what a tick that is ready to be read may wait for a
// processor. The caller waits for done after it has ended ctx.
type watch struct {
	mu   sync.Mutex
	late *hdrhistogram.Histogram
	done chan struct{}
}

func startWatch(ctx context.Context) *watch {
	w := &watch{late: newHistogram(), done: make(chan struct{})}
	go func() {
		defer close(w.done)
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
			w.mu.Lock()
			w.late.RecordValue(min(maxLatency, max(0, now.Sub(due).Microseconds())))
			w.mu.Unlock()
			due = now.Add(latenessEvery)
			timer.Reset(latenessEvery)
		}
	}()
	return w
}

func (w *watch) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.late.Reset()
}

// percentile of the lateness since the last reset, in µs.
func (w *watch) percentile(p float64) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.late.ValueAtPercentile(p)
}
