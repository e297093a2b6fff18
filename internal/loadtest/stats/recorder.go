package stats

import (
	"runtime"
	"sync"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Recorder accumulates what some connections receive in a window. Tick and Read must be called with its lock held.
type Recorder struct {
	sync.Mutex
	open      bool // the window is open
	histogram *hdrhistogram.Histogram
	totals    Totals
	delivered uint64
}

// Totals are what was received in a window.
type Totals struct {
	Ticks    uint64
	Live     uint64 // ticks with a latency
	Early    uint64 // of them, received before due: the clocks differ
	Replayed uint64
	Messages uint64
	Reads    uint64
	Bytes    uint64 // from the sockets
	Saved    int64  // bytes that compression saved
	Latency  Latency
}

// NewRecorder returns a recorder whose window is closed.
func NewRecorder() *Recorder { return &Recorder{histogram: NewHistogram()} }

// Tick records one tick. latency is in µs; live is false for a replayed tick, whose latency is ignored.
func (r *Recorder) Tick(live bool, latency int64) {
	r.delivered++
	if !r.open {
		return
	}
	r.totals.Ticks++
	if !live {
		r.totals.Replayed++
		return
	}
	r.totals.Live++
	if latency < 0 {
		r.totals.Early++
	}
	_ = r.histogram.RecordValue(min(max(latency, 0), maxLatency)) // in range, so it cannot fail
}

// Read records one read.
func (r *Recorder) Read(bytes, messages int, saved int64) {
	if !r.open {
		return
	}
	r.totals.Reads++
	r.totals.Bytes += uint64(bytes)
	r.totals.Messages += uint64(messages)
	r.totals.Saved += saved
}

// Recorders measure together. There are enough of them to keep connections from waiting for each other's lock.
type Recorders []*Recorder

// NewRecorders returns recorders for the connections of one process.
func NewRecorders() Recorders {
	all := make(Recorders, 4*runtime.GOMAXPROCS(0))
	for i := range all {
		all[i] = NewRecorder()
	}
	return all
}

// Open starts a window, and discards the totals of the one before.
func (rs Recorders) Open() {
	for _, r := range rs {
		r.Lock()
		r.histogram.Reset()
		r.totals, r.open = Totals{}, true
		r.Unlock()
	}
}

// Close ends the window.
func (rs Recorders) Close() {
	for _, r := range rs {
		r.Lock()
		r.open = false
		r.Unlock()
	}
}

// Delivered returns the number of ticks received since the recorders were made, in a window or not.
func (rs Recorders) Delivered() (n uint64) {
	for _, r := range rs {
		r.Lock()
		n += r.delivered
		r.Unlock()
	}
	return n
}

// Totals returns the sums over the window.
func (rs Recorders) Totals() Totals {
	var sum Totals
	all := NewHistogram()
	for _, r := range rs {
		r.Lock()
		all.Merge(r.histogram)
		sum.Ticks += r.totals.Ticks
		sum.Live += r.totals.Live
		sum.Early += r.totals.Early
		sum.Replayed += r.totals.Replayed
		sum.Messages += r.totals.Messages
		sum.Reads += r.totals.Reads
		sum.Bytes += r.totals.Bytes
		sum.Saved += r.totals.Saved
		r.Unlock()
	}
	sum.Latency = LatencyOf(all)
	sum.Latency.Count, sum.Latency.Early = sum.Live, sum.Early
	return sum
}
