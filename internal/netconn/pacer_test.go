package netconn

import (
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
	stop := make(chan struct{})
	for range 1000 {
		go func() { <-stop }()
	}
	if n := p.runnable(); n == 0 {
		t.Errorf("%d goroutines runnable right after 1000 were started", n)
	}
	close(stop)
}
