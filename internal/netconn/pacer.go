package netconn

import (
	"runtime/metrics"
	"time"
)

const (
	acceptsPerLook = 8  // at the scheduler
	maxRunnable    = 64 // goroutines: some 5 ms of requests
	acceptPause    = time.Millisecond
)

// pacer pauses while many goroutines wait for a processor, which serves them in the order of arrival: when thousands of
// clients connect at once, those that send ticks would wait behind all of their requests. Clients wait in the kernel's queue
// instead.
type pacer struct {
	runnable func() uint64
	accepted uint
}

func newPacer() pacer {
	sample := []metrics.Sample{{Name: "/sched/goroutines/runnable:goroutines"}}
	return pacer{runnable: func() uint64 {
		metrics.Read(sample) // 0.4 µs
		return sample[0].Value.Uint64()
	}}
}

// pace is called before each Accept. It pauses for 1 ms at most, and before one of 8.
func (p *pacer) pace() {
	if p.accepted++; p.accepted%acceptsPerLook == 0 && p.runnable() > maxRunnable {
		time.Sleep(acceptPause)
	}
}
