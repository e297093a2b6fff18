package stream

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"ticklane/internal/wire"
)

// TestCompressBudget: it is exhausted when more than its limit is spent at once, and until half of the limit has accumulated.
func TestCompressBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 100 * time.Millisecond
		perSecond := time.Duration(runtime.GOMAXPROCS(0)) * time.Second / 4
		var b compressBudget
		b.init(limit)
		spend := func(d time.Duration) { // the clock doesn't advance, so nothing is added meanwhile
			b.left -= d
			b.charge(wire.WS, time.Now())
		}
		spend(limit)
		if b.update() {
			t.Error("exhausted although exactly the limit was spent")
		}
		spend(1)
		if !b.update() {
			t.Error("not exhausted although more than the limit was spent")
		}
		half := time.Duration(float64(limit/2+1) / float64(perSecond) * float64(time.Second))
		time.Sleep(half - time.Millisecond)
		if !b.update() {
			t.Error("compressing again too early")
		}
		time.Sleep(2 * time.Millisecond)
		if b.update() {
			t.Error("still exhausted")
		}
		b.exhausted.Store(true)
		b.left = limit/2 - 1
		if !b.update() {
			t.Error("compressing again below half of the limit")
		}
		b.left = limit / 2
		if b.update() {
			t.Error("exhausted at half of the limit")
		}
		time.Sleep(time.Hour)
		if b.charge(wire.WS, time.Now()); b.left != limit {
			t.Errorf("%v accumulated, the limit is %v", b.left, limit)
		}
		started := time.Now()
		time.Sleep(time.Millisecond)
		if b.charge(wire.SSE, started); b.spent[wire.SSE].Load() != int64(time.Millisecond) || b.spent[wire.WS].Load() != 0 {
			t.Errorf("spent %d and %d ns", b.spent[wire.SSE].Load(), b.spent[wire.WS].Load())
		}
	})
}
