package main

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestReturnMemory: memory is returned once after a storm, not during it, and not for a few streams.
func TestReturnMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var opened, live, freed atomic.Int64
		done := make(chan struct{})
		go func() {
			defer close(done)
			returnMemory(ctx, func() (uint64, int) { return uint64(opened.Load()), int(live.Load()) }, func() { freed.Add(1) })
		}()
		for i, step := range []struct {
			open, close int64
			freed       int64
		}{
			{0, 0, 0},
			{manyStreams - 1, 0, 0}, // too few
			{0, 0, 0},
			{1000, 0, 0}, // the storm
			{1000, 0, 0},
			{50, 0, 1}, // it is over
			{0, 0, 1},
			{0, 2000, 1}, // the clients leave
			{0, 0, 2},
			{10, 10, 2},
			{0, 0, 2},
		} {
			opened.Add(step.open)
			live.Add(step.open - step.close)
			time.Sleep(churnInterval)
			synctest.Wait()
			if n := freed.Load(); n != step.freed {
				t.Errorf("step %d: freed %d times, want %d", i, n, step.freed)
			}
		}
		stop()
		<-done
	})
}
