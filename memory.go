package main

import (
	"context"
	"time"
)

const (
	churnInterval = 15 * time.Second
	// manyStreams are enough that the memory they needed is worth returning to the system.
	manyStreams = 500
)

// churn counts how many streams were opened and closed.
type churn struct {
	opened, closed uint64 // at the last call of quiet
	pending        uint64 // opened and closed since memory was last returned
}

// quiet reports whether many streams came or went, and hardly any since the last call.
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

// returnMemory calls free after many streams were opened or closed, until ctx is done. The garbage collector would keep what
// a storm of reconnections needed for minutes.
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
