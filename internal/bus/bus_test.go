package bus

import (
	"slices"
	"testing"

	"ticklane/internal/quote"
)

func TestPublishNumbersTicks(t *testing.T) {
	var first, second []quote.Tick
	var order []string
	b := NewLocal(3)
	b.Attach(func(ticks []quote.Tick) {
		first = append(first, ticks...)
		order = append(order, "first")
	})
	b.Attach(func(ticks []quote.Tick) {
		second = append(second, ticks...)
		order = append(order, "second")
	})
	batch := []quote.Tick{{Symbol: 2}, {Symbol: 0}, {Symbol: 2}}
	b.Publish(batch)
	b.Publish([]quote.Tick{{Symbol: 2, Seq: 99, N: 99}, {Symbol: 1}})
	b.Publish(nil)
	want := []quote.Tick{
		{Symbol: 2, N: 1, Seq: 1}, {Symbol: 0, N: 1, Seq: 2}, {Symbol: 2, N: 2, Seq: 3}, {Symbol: 2, N: 3, Seq: 4}, {Symbol: 1, N: 1, Seq: 5},
	}
	if !slices.Equal(first, want) || !slices.Equal(second, want) {
		t.Errorf("got %+v and %+v", first, second)
	}
	if !slices.Equal(batch, want[:3]) {
		t.Errorf("in place: %+v", batch)
	}
	if !slices.Equal(order[:4], []string{"first", "second", "first", "second"}) {
		t.Errorf("sinks in order %v", order)
	}
}

func TestEpochs(t *testing.T) {
	seen := map[uint64]bool{}
	for range 100 {
		e := newEpoch()
		if e == 0 || e > 1<<32-1 {
			t.Errorf("epoch %x", e)
		}
		seen[e] = true
	}
	if len(seen) < 99 {
		t.Errorf("%d different epochs of 100", len(seen))
	}
	if b := NewLocal(1); b.Epoch() == 0 {
		t.Error("epoch 0")
	}
}

func TestContinue(t *testing.T) {
	first := NewLocal(3)
	first.Publish([]quote.Tick{{Symbol: 2}, {Symbol: 0}, {Symbol: 2}})
	state := first.State()
	from, n := state.Position, state.N
	if want := (quote.Position{Epoch: first.Epoch(), Seq: 3}); from != want || !slices.Equal(n, []uint64{1, 0, 2}) {
		t.Fatalf("state %v, %v", from, n)
	}
	second := NewLocal(3)
	second.Continue(from, n)
	next := []quote.Tick{{Symbol: 1}, {Symbol: 2}}
	second.Publish(next)
	if want := []quote.Tick{{Symbol: 1, N: 1, Seq: 4}, {Symbol: 2, N: 3, Seq: 5}}; !slices.Equal(next, want) || second.Epoch() != first.Epoch() {
		t.Errorf("%+v in epoch %x, want %+v in %x", next, second.Epoch(), want, first.Epoch())
	}
	if n[2] != 2 {
		t.Error("the state changed with the bus that continues it")
	}
}

func BenchmarkPublish(b *testing.B) {
	bus := NewLocal(50)
	bus.Attach(func([]quote.Tick) {})
	ticks := make([]quote.Tick, 1)
	b.ReportAllocs()
	for b.Loop() {
		bus.Publish(ticks)
	}
}
