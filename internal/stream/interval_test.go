package stream

import (
	"testing"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// TestInterval: in either mode, ticks are written at most once in an interval, and then all that there are.
func TestInterval(t *testing.T) {
	const interval = 100 * time.Millisecond
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		for _, mode := range []Mode{ModeAll, ModeLatest} {
			t.Run(mode.String(), func(t *testing.T) {
				p := newFixture(t, 2000)
				l := p.log(t, Config{Size: 2048})
				// With a small MaxRead, the ticks that are due need many reads.
				c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "sector:even"), Mode: mode, Interval: interval, MaxRead: 300})
				w := newChecker(t, p, c.opt.Topics, mode)
				w.check(c.take(noon)...)
				var last time.Time
				for ms := range 1000 {
					now := noon.Add(time.Duration(ms) * time.Millisecond)
					p.play(l, uint64(2*ms))
					got := c.take(now)
					w.check(got...)
					if len(got) == 0 {
						if l.Head().Seq > w.checked+40 && !c.Deadline().Equal(last.Add(interval)) {
							t.Fatalf("ticks wait, and the deadline is %v after the last", c.Deadline().Sub(last))
						}
						continue
					}
					if now.Sub(last) < interval {
						t.Fatalf("written %v after the last", now.Sub(last))
					}
					last = now
					if k := p.newest(4, l.Head().Seq); k != nil && k.Seq > w.checked {
						t.Fatalf("at %v S4's tick %d is missing", now, k.Seq)
					}
				}
				if w.ticks == 0 || mode == ModeLatest && w.ticks > 50 {
					t.Errorf("%d ticks", w.ticks)
				}
				if n := c.Counters().Conflated; n != w.conflated {
					t.Errorf("%d counted as conflated, %d were", n, w.conflated)
				}
			})
		}
	})
}

func TestNoInterval(t *testing.T) {
	for _, mode := range []Mode{ModeAll, ModeLatest} {
		p := newFixture(t, 100)
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

// TestLatest: however long the client didn't read, it gets one tick of each symbol that ticked, the newest, in order of seq.
func TestLatest(t *testing.T) {
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		p := newFixture(t, 20_000)
		l := p.log(t, Config{Size: 500})
		c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "*"), Mode: ModeLatest})
		w := newChecker(t, p, c.opt.Topics, ModeLatest)
		w.check(c.take(noon)...)
		seq := uint64(0)
		for _, step := range []uint64{1, 1, 2, 5, 100, 499, 500, 501, 1000, 5000, 1, 10_000} {
			seq += step
			p.play(l, seq)
			got := c.take(noon)
			w.check(got...)
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
		if n := c.Counters(); n.Conflated != w.conflated || n.Ticks != w.ticks || n.Conflated+n.Ticks != seq || n.Gaps != 0 {
			t.Errorf("counted %+v; %d of %d were conflated", n, w.conflated, seq)
		}
	})
}

// TestLatestReplacedDuringWrite: while a client doesn't read in the middle of a write, its pending ticks are replaced and leave
// the log. The ticks that replaced them must be due at once, because there may never be another one to notify it.
func TestLatestReplacedDuringWrite(t *testing.T) {
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		p := newFixture(t, 6000)
		l := p.log(t, Config{Size: 256})
		c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "*"), Mode: ModeLatest, MaxRead: 1, NoSnapshot: true})
		w := newChecker(t, p, c.opt.Topics, ModeLatest)
		for len(c.in) > 0 || w.hello.T == "" {
			w.check(c.decode(c.Next(noon))...)
		}
		p.play(l, 10)
		w.check(c.decode(c.Next(noon))...) // the first of several
		p.play(l, 6000)
		w.check(c.take(noon)...)
		for id := range p.u.Instruments() {
			if k := p.newest(quote.ID(id), 6000); w.n[p.u.Instrument(k.Symbol).Symbol] != k.N {
				t.Errorf("S%d is at n %d, want %d", id, w.n[p.u.Instrument(k.Symbol).Symbol], k.N)
			}
		}
	})
}
