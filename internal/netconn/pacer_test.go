package netconn

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestPacer: a busy process accepts 8 connections a millisecond, another one as many as come.
func TestPacer(t *testing.T) {
	for runnable, want := range map[uint64]time.Duration{0: 0, maxRunnable: 0, maxRunnable + 1: 100 * acceptPause} {
		synctest.Test(t, func(t *testing.T) {
			p := newPacer()
			p.runnable = func() uint64 { return runnable }
			start := time.Now()
			for range 800 {
				p.pace()
			}
			if got := time.Since(start); got != want {
				t.Errorf("%d goroutines runnable: 800 connections took %v, want %v", runnable, got, want)
			}
		})
	}
}

// TestRunnableGoroutines: the number is the scheduler's.
func TestRunnableGoroutines(t *testing.T) {
	p := newPacer()
	var stop atomic.Bool
	var yielding sync.WaitGroup
	for range runtime.GOMAXPROCS(0) + 1 { // at least one of them, or this one, doesn't run
		yielding.Go(func() {
			for !stop.Load() {
				runtime.Gosched()
			}
		})
	}
	if n := p.runnable(); n == 0 {
		t.Error("no goroutine runnable, though more don't wait than there are processors")
	}
	stop.Store(true)
	yielding.Wait()
}
