package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"time"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

const (
	// churnInterval is the time between two calls of quiet.
	churnInterval = 15 * time.Second
	// manyStreams is the number of opened and closed streams from which on memory is returned to the system.
	manyStreams = 500
)

// churn counts how many streams were opened and closed.
type churn struct {
	opened, closed uint64 // at the last call of quiet
	pending        uint64 // opened and closed since memory was last returned
}

// quiet reports whether many streams were opened or closed since memory was last returned, but few since the last call.
// opened is the number of streams since the start, live of those that are open. When it returns true, counting starts anew.
func (c *churn) quiet(opened uint64, live int) bool {
	closed := opened - uint64(live)
	recent := opened - c.opened + closed - c.closed
	c.opened, c.closed = opened, closed
	c.pending += recent
	if c.pending < manyStreams || recent > c.pending/10 {
		return false
	}
	c.pending = 0
	return true
}

// countStreams returns how many streams the logs have opened and how many are open.
func countStreams(logs []*stream.Log) (opened uint64, live int) {
	for _, log := range logs {
		for lane := range wire.Lanes {
			stats := log.Lane(lane)
			opened, live = opened+stats.Opened, live+stats.Connections
		}
	}
	return opened, live
}

// freeMemory returns unused memory to the operating system.
func freeMemory() {
	runtime.GC() // a sync.Pool keeps what it holds through one collection
	debug.FreeOSMemory()
}

// returnMemory calls free after many streams were opened or closed, until ctx is done. The Go runtime alone returns the
// memory that a storm of reconnections needed only after minutes.
func returnMemory(ctx context.Context, streams func() (opened uint64, live int), free func()) {
	t := time.NewTicker(churnInterval)
	defer t.Stop()
	var c churn
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if c.quiet(streams()) {
				free()
			}
		}
	}
}
