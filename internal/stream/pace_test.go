package stream

import (
	"testing"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// TestInterval: ticks are written at most once in an interval, then all that is due by then, in either mode.
func TestInterval(t *testing.T) {
	const interval = 100 * time.Millisecond
	onEachFormat(t, func(t *testing.T, format wire.Format) {
		for _, mode := range []Mode{ModeAll, ModeLatest} {
			t.Run(mode.String(), func(t *testing.T) {
				p := newTape(t, 2000)
				l := p.log(t, Config{Size: 2048})
				// A small MaxRead: what is due takes many pieces, and all of them belong to one write.
				c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "sector:even"), Mode: mode, Interval: interval, MaxRead: 300})
				w := newWitness(t, p, c.opt.Topics, mode)
				w.see(c.take(noon)...)
				var last time.Time
				for ms := range 1000 {
					now := noon.Add(time.Duration(ms) * time.Millisecond)
					p.play(l, uint64(2*ms))
					got := c.take(now)
					w.see(got...)
					if len(got) == 0 {
						if l.Head().Seq > w.place+40 && !c.Deadline().Equal(last.Add(interval)) {
							t.Fatalf("ticks wait, and the deadline is %v after the last", c.Deadline().Sub(last))
						}
						continue
					}
					if now.Sub(last) < interval {
						t.Fatalf("written %v after the last", now.Sub(last))
					}
					last = now
					if k := p.newest(4, l.Head().Seq); k != nil && k.Seq > w.place {
						t.Fatalf("at %v S4's tick %d is missing", now, k.Seq)
					}
				}
				if w.ticks == 0 || mode == ModeLatest && w.ticks > 50 {
					t.Errorf("%d ticks", w.ticks)
				}
				if n := c.Counters().Conflated; n != w.left {
					t.Errorf("%d conflated counted, %d left out", n, w.left)
				}
			})
		}
	})
}

func TestNoInterval(t *testing.T) {
	for _, mode := range []Mode{ModeAll, ModeLatest} {
		p := newTape(t, 100)
		l := p.log(t, Config{Size: 128})
		c := subscribe(t, l, Options{Topics: p.topics(t, "*"), Mode: mode})
		c.take(noon)
		for seq := uint64(1); seq <= 100; seq++ {
			p.play(l, seq)
			if got := c.take(noon); len(got) != 1 || got[0].I != seq {
				t.Fatalf("%v: after %d got %s", mode, seq, kinds(got))
			}
		}
	}
}

// TestLatest: ascending seq, one tick of each symbol that moved, the newest; however long the client was away.
func TestLatest(t *testing.T) {
	onEachFormat(t, func(t *testing.T, format wire.Format) {
		p := newTape(t, 20_000)
		l := p.log(t, Config{Size: 500})
		c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "*"), Mode: ModeLatest})
		w := newWitness(t, p, c.opt.Topics, ModeLatest)
		w.see(c.take(noon)...)
		seq := uint64(0)
		for _, step := range []uint64{1, 1, 2, 5, 100, 499, 500, 501, 1000, 5000, 1, 10_000} {
			seq += step
			p.play(l, seq)
			got := c.take(noon)
			w.see(got...)
			seen := map[string]bool{}
			for _, m := range got {
				if m.T != "q" || seen[m.S] {
					t.Fatalf("after %d: got %s twice or %s", seq, m.S, m.T)
				}
				seen[m.S] = true
				id, _ := p.u.Lookup(m.S)
				if k := p.newest(id, seq); k.Seq != m.I {
					t.Fatalf("after %d: %s at %d, newest is %d", seq, m.S, m.I, k.Seq)
				}
			}
		}
		if n := c.Counters(); n.Conflated != w.left || n.Ticks != w.ticks || n.Conflated+n.Ticks != seq || n.Gaps != 0 {
			t.Errorf("counted %+v; left out %d of %d", n, w.left, seq)
		}
	})
}

// TestLatestIsNeverStuck: a client away for a whole log in the middle of a write finds what it was about to get
// replaced. What replaced it must come at once: no later tick may ever wake it.
func TestLatestIsNeverStuck(t *testing.T) {
	onEachFormat(t, func(t *testing.T, format wire.Format) {
		p := newTape(t, 6000)
		l := p.log(t, Config{Size: 256})
		c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "*"), Mode: ModeLatest, MaxRead: 1, NoSnapshot: true})
		w := newWitness(t, p, c.opt.Topics, ModeLatest)
		for len(c.in) > 0 || w.hello.T == "" {
			w.see(c.decode(c.Next(noon))...)
		}
		p.play(l, 10)
		w.see(c.decode(c.Next(noon))...) // the first of several
		p.play(l, 6000)
		w.see(c.take(noon)...)
		for id := range p.u.Symbols() {
			if k := p.newest(quote.ID(id), 6000); w.n[p.u.Symbol(k.Symbol).Ticker] != k.N {
				t.Errorf("S%d stands at n %d, want %d", id, w.n[p.u.Symbol(k.Symbol).Ticker], k.N)
			}
		}
	})
}
