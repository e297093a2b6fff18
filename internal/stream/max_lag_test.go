package stream

import (
	"testing"
	"time"

	"ticklane/internal/wire"
)

func TestMaxLag(t *testing.T) {
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		for _, topics := range []string{"*", "S1"} {
			p := newFixture(t, 2000)
			l := p.log(t, Config{Size: 1000, MaxLag: 100})
			p.play(l, 500)
			c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, topics)})
			w := newChecker(t, p, c.opt.Topics, ModeAll)
			w.start(500)
			w.check(c.take(noon)...)
			p.play(l, 600)
			w.check(c.take(noon)...)
			if len(w.gaps) != 0 {
				t.Fatalf("%s: a gap at the bound: %v", topics, w.gaps)
			}
			p.play(l, 720)
			w.check(c.take(noon)...)
			if len(w.gaps) != 1 || w.gaps[0].To != 720 || w.gaps[0].Reason != wire.GapLag {
				t.Fatalf("%s: beyond the bound: %v", topics, w.gaps)
			}
			// A client that requests old ticks gets them. The bound holds once it has caught up.
			resumed := subscribe(t, l, Options{Format: format, Topics: c.opt.Topics, From: FromPosition, Position: position(300)})
			w = newChecker(t, p, c.opt.Topics, ModeAll)
			w.start(300)
			w.check(resumed.take(noon)...)
			if len(w.gaps) != 0 || w.ticks == 0 {
				t.Errorf("%s: resuming gives %d ticks and %v", topics, w.ticks, w.gaps)
			}
			p.play(l, 900)
			w.check(resumed.take(noon)...)
			if len(w.gaps) != 1 {
				t.Errorf("%s: after catching up: %v", topics, w.gaps)
			}
		}
	})
}

// TestMaxLagInGroup: the bound holds once CaughtUp is true, although the writer then doesn't call Next until there is more.
func TestMaxLagInGroup(t *testing.T) {
	for _, topics := range []string{"*", "S1"} {
		for _, kind := range []Compression{CompressNone, CompressDeflate} {
			p := newFixture(t, 2000)
			l := p.log(t, Config{Size: 1000, MaxLag: 100, Compress: CompressOn, MaxSharedEncoders: 1})
			g := l.NewGroup()
			defer g.Close()
			head := p.newest(1, 700).Seq
			p.play(l, head)
			c := subscribe(t, l, Options{Group: g, Format: wire.WSJSON, Compress: kind, Topics: p.topics(t, topics), From: FromPosition, Position: position(300)})
			w := newChecker(t, p, c.opt.Topics, ModeAll)
			w.start(300)
			for !c.CaughtUp(head) {
				w.check(c.decode(c.Next(noon))...)
			}
			if len(w.gaps) != 0 || w.ticks == 0 {
				t.Fatalf("%s: resuming gives %d ticks and %v", topics, w.ticks, w.gaps)
			}
			p.play(l, head+150)
			w.check(c.take(noon)...)
			if len(w.gaps) != 1 || w.gaps[0].To != head+150 {
				t.Errorf("%s, %v: beyond the bound: %v", topics, kind, w.gaps)
			}
		}
	}
}

// TestMaxLagFromHello: for a client that starts at the head, the bound holds before the first tick.
func TestMaxLagFromHello(t *testing.T) {
	p := newFixture(t, 300)
	l := p.log(t, Config{Size: 1000, MaxLag: 100})
	c := subscribe(t, l, Options{Topics: p.topics(t, "*")})
	got := c.decode(c.Next(noon))
	p.play(l, 101)
	if got = append(got, c.take(noon)...); kinds(got) != "hello snapshot gap snapshot" {
		t.Errorf("got %s", kinds(got))
	}
}

// TestOnLagLatest: after the gap, the client is conflated.
func TestOnLagLatest(t *testing.T) {
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		p := newFixture(t, 3000)
		l := p.log(t, Config{Size: 300, OnLag: OnLagLatest, Interval: 250 * time.Millisecond})
		c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "*")})
		w := newChecker(t, p, c.opt.Topics, ModeAll)
		w.check(c.take(noon)...)
		p.play(l, 2000)
		got := c.take(noon)
		w.check(got...)
		if kinds(got) != "gap snapshot" || got[0].Reason != wire.GapConflated {
			t.Fatalf("got %s", kinds(got))
		}
		if mode := c.Info().Mode; mode != "latest" {
			t.Errorf("Info has mode %s", mode)
		}
		p.play(l, 2001)
		w.check(c.take(noon)...)
		for seq := uint64(2002); seq <= 3000; seq++ {
			p.play(l, seq)
			if got := c.take(noon.Add(250*time.Millisecond - 1)); len(got) > 0 {
				t.Fatalf("within its interval: %s", kinds(got))
			}
		}
		got = c.take(noon.Add(250 * time.Millisecond))
		w.check(got...)
		if kinds(got) != "q×9" || c.Counters().Conflated != 999-9 {
			t.Errorf("got %s, %d conflated", kinds(got), c.Counters().Conflated)
		}
	})
}
