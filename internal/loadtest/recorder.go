package loadtest

import (
	"runtime"
	"sync"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// What the histograms hold: µs, up to ten minutes, to three significant figures.
const (
	maxLatency     = 600_000_000
	latencyFigures = 3
)

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, maxLatency, latencyFigures)
}

// recorder counts for some of the connections. Its owner holds mu while it parses one read.
type recorder struct {
	mu        sync.Mutex
	on        bool // the slot's window is open
	latency   *hdrhistogram.Histogram
	ticks     uint64 // in the window
	live      uint64 // of them, with a latency
	early     uint64 // before they were due: the clocks differ
	replayed  uint64
	messages  uint64
	reads     uint64
	bytes     uint64 // from the sockets
	saved     int64  // bytes that compression took off the streams
	allTicks  uint64 // since the slot's start
	overrange uint64 // later than maxLatency
	dropped   uint64 // connections of slow readers that the server ended
}

func (r *recorder) record(live bool, latency int64) {
	r.allTicks++
	if !r.on {
		return
	}
	r.ticks++
	if !live {
		r.replayed++
		return
	}
	r.live++
	if latency < 0 {
		r.early++
		latency = 0
	}
	if latency > maxLatency {
		r.overrange++
		latency = maxLatency
	}
	r.latency.RecordValue(latency) // in range, so it can't fail
}

// recorders are as many as keep readers from waiting for each other.
type recorders []*recorder

func newRecorders() recorders {
	all := make(recorders, 4*runtime.GOMAXPROCS(0))
	for i := range all {
		all[i] = &recorder{latency: newHistogram()}
	}
	return all
}

// open starts a window: what was counted before is forgotten.
func (rs recorders) open() {
	for _, r := range rs {
		r.mu.Lock()
		r.latency.Reset()
		r.ticks, r.live, r.early, r.replayed, r.messages, r.reads, r.bytes, r.saved, r.overrange = 0, 0, 0, 0, 0, 0, 0, 0, 0
		r.on = true
		r.mu.Unlock()
	}
}

// close ends the window.
func (rs recorders) close() {
	for _, r := range rs {
		r.mu.Lock()
		r.on = false
		r.mu.Unlock()
	}
}

// delivered is how many ticks came since the slot's start.
func (rs recorders) delivered() (n uint64) {
	for _, r := range rs {
		r.mu.Lock()
		n += r.allTicks
		r.mu.Unlock()
	}
	return n
}

// sum merges all of a window.
func (rs recorders) sum() *recorder {
	all := &recorder{latency: newHistogram()}
	for _, r := range rs {
		r.mu.Lock()
		all.latency.Merge(r.latency)
		all.ticks += r.ticks
		all.live += r.live
		all.early += r.early
		all.replayed += r.replayed
		all.messages += r.messages
		all.reads += r.reads
		all.bytes += r.bytes
		all.saved += r.saved
		all.overrange += r.overrange
		all.dropped += r.dropped
		r.mu.Unlock()
	}
	return all
}
