package stream

import (
	"testing"
	"time"

	"ticklane/internal/quote"
)

// within fails the test when f doesn't return: a loop without end must not hang the whole run.
func withinMinute(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("an endless loop")
	}
}

// TestNewestAt: it returns known = false for a state that the log no longer holds.
func TestNewestAt(t *testing.T) {
	p := newFixture(t, 5000)
	l := p.log(t, Config{Size: 300})
	p.play(l, 5000)
	withinMinute(t, func() {
		for _, i := range []uint64{0, 1, 2, 3, 100, 3000} {
			if e, ok := l.newestAt(0, i); ok {
				t.Errorf("at %d: %+v", i, e)
			}
		}
	})
	if e, ok := l.newestAt(quietSymbol, 5000); !ok || e == nil || e.tick.Seq != 3 {
		t.Errorf("the quietSymbol symbol's state: %+v, %v", e, ok)
	}
	if e, ok := l.newestAt(quietSymbol, 3); !ok || e == nil || e.tick.Seq != 3 {
		t.Errorf("the quietSymbol symbol's state at its tick: %+v, %v", e, ok)
	}
	if e, ok := l.newestAt(quietSymbol, 2); !ok || e != nil {
		t.Errorf("the quietSymbol symbol before its tick: %+v, %v", e, ok)
	}
	for id := range quote.ID(testSymbols) {
		for i := uint64(4900); i <= 5000; i++ {
			if e, ok := l.newestAt(id, i); !ok || e.tick != *p.newest(id, i) {
				t.Fatalf("at(%d, %d) = %+v, %v", id, i, e, ok)
			}
		}
	}
}
