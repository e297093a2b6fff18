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

// TestReadLatestKept: mode latest gives a symbol's newest tick even after its segment has left the log.
func TestReadLatestKept(t *testing.T) {
	p := newFixture(t, 2000)
	l := p.log(t, Config{Size: 16})
	p.play(l, 2000)
	if l.segment(3) != nil {
		t.Fatal("the log still holds the tick")
	}
	c := subscribe(t, l, Options{Topics: p.topics(t, "S9"), Mode: ModeLatest, From: FromPosition, Position: position(2)})
	w := newChecker(t, p, c.opt.Topics, ModeLatest)
	w.start(2)
	got := c.take(noon)
	if w.check(got...); kinds(got) != "hello q×1" && kinds(got) != "hello q×1 hb" || got[1].I != 3 {
		t.Errorf("got %s", kinds(got))
	}
}

// TestReadLatestHorizon: mode latest doesn't repeat a tick because a newer one lies beyond the horizon.
func TestReadLatestHorizon(t *testing.T) {
	p := fixtureOf(testUniverse(t, 2), 0, 1, 0)
	l := p.log(t, Config{Size: 16})
	p.play(l, 3)
	c := cursor{log: l, format: wire.WSJSON, topics: p.topics(t, "S0"), mode: ModeLatest}
	c.seek(1)
	if b, ok := c.read(&readLimits{horizon: 2, lagFrom: 2, bytes: 1 << 16, ticks: 10}); !ok || b.ticks != 0 || c.pos != 2 {
		t.Errorf("up to 2: %+v, at %d", b, c.pos)
	}
	if b, ok := c.read(&readLimits{horizon: 3, lagFrom: 3, bytes: 1 << 16, ticks: 10}); !ok || b.ticks != 1 || b.last != 3 {
		t.Errorf("up to 3: %+v", b)
	}
}
