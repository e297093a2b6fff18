package stream

import (
	"testing"

	"ticklane/internal/wire"
)

// TestReadBytes: a read returns as many ticks as fit, the last byte included, and one that doesn't fit by itself.
func TestReadBytes(t *testing.T) {
	p := newFixture(t, 20)
	l := p.log(t, Config{Size: 32})
	p.play(l, 20)
	for _, topics := range []string{"*", "sector:even"} {
		for _, mode := range []Mode{ModeAll, ModeLatest} {
			size := func(n uint64) int {
				c := cursor{log: l, format: wire.WSJSON, topics: p.topics(t, topics), mode: mode}
				c.seek(0)
				b, _ := c.read(&readLimits{horizon: 20, lagFrom: 20, bytes: 1 << 16, ticks: n})
				return len(b.bytes)
			}
			for bytes, want := range map[int]uint64{size(3) + 1: 3, size(3): 3, size(3) - 1: 2, size(1): 1, 1: 1} {
				c := cursor{log: l, format: wire.WSJSON, topics: p.topics(t, topics), mode: mode}
				c.seek(0)
				if b, ok := c.read(&readLimits{horizon: 20, lagFrom: 20, bytes: bytes, ticks: 10}); !ok || b.ticks != want {
					t.Errorf("%s, mode %v: %d ticks in %d bytes, want %d", topics, mode, b.ticks, bytes, want)
				}
			}
		}
	}
}

// TestCaughtUpByReading: a cursor has caught up when a read reaches the seq that its lag counts from, not before.
func TestCaughtUpByReading(t *testing.T) {
	p := newFixture(t, 20)
	l := p.log(t, Config{Size: 32})
	p.play(l, 20)
	c := cursor{log: l, format: wire.WSJSON, topics: p.topics(t, "*")}
	for _, step := range []struct {
		lim  readLimits
		want bool
	}{
		{readLimits{horizon: 19, lagFrom: 20, bytes: 1 << 16, ticks: 100}, false},
		{readLimits{horizon: 20, lagFrom: 20, bytes: 1 << 16, ticks: 100}, true},
	} {
		if _, ok := c.read(&step.lim); !ok || c.pos != step.lim.horizon || c.caughtUp != step.want {
			t.Errorf("at %d: caught up %v", c.pos, c.caughtUp)
		}
	}
}

// TestLags: the bound counts the ticks that wait, the next one included.
func TestLags(t *testing.T) {
	for _, x := range []struct {
		caughtUp bool
		maxLag   uint64
		seq      uint64
		want     bool
	}{
		{true, 10, 91, false}, {true, 10, 90, true}, {true, 0, 1, false}, {false, 10, 1, false}, {true, 10, 101, false},
	} {
		c := cursor{caughtUp: x.caughtUp}
		if got := c.lags(x.seq, &readLimits{maxLag: x.maxLag, lagFrom: 100}); got != x.want {
			t.Errorf("%+v: %v", x, got)
		}
	}
}
