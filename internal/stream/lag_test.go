package stream

import (
	"testing"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// TestGapAfterLoss: the client gets one exact gap and a snapshot, and continues from the head.
func TestGapAfterLoss(t *testing.T) {
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		for _, c := range []struct {
			name, topics string
			noSnapshot   bool
			want         string
		}{
			{"everything", "*", false, "gap snapshot"},
			{"some", "sector:odd", false, "gap snapshot"},
			{"without snapshot", "*", true, "gap"},
			{"quiet", "S9", false, "hb"},
		} {
			t.Run(c.name, func(t *testing.T) {
				p := newFixture(t, 5100)
				l := p.log(t, Config{Size: 500})
				cl := subscribe(t, l, Options{Format: format, Topics: p.topics(t, c.topics), NoSnapshot: c.noSnapshot})
				w := newChecker(t, p, cl.opt.Topics, ModeAll)
				w.check(cl.take(noon)...)
				p.play(l, 40)
				w.check(cl.take(noon)...)
				had := w.checked
				p.play(l, 5000)
				got := cl.take(noon)
				w.check(got...)
				if kinds(got) != c.want {
					t.Fatalf("got %s, want %s", kinds(got), c.want)
				}
				if len(w.gaps) > 0 {
					// The server may know a later position of a filtered client than the client does.
					if g := w.gaps[0]; g.Reason != wire.GapLag || g.To != 5000 || g.From < had+1 || g.From > 41 {
						t.Errorf("gap %s, the client had %d", g.text, had)
					}
					if format == wire.SSEJSON && got[0].id != position(5000).String() {
						t.Errorf("gap has id %s", got[0].id)
					}
				}
				p.play(l, 5100)
				w.check(cl.take(noon)...)
				if n := cl.Counters().Gaps; n != uint64(len(w.gaps)) {
					t.Errorf("%d gaps counted, %d sent", n, len(w.gaps))
				}
			})
		}
	})
}

// TestNoGapWithinTheLog: ticks that the log holds are delivered, however late, by every kind of cursor.
func TestNoGapWithinTheLog(t *testing.T) {
	for _, topics := range []string{"*", "sector:odd", "S3"} {
		p := newFixture(t, 4900)
		l := p.log(t, Config{Size: 700})
		c := subscribe(t, l, Options{Topics: p.topics(t, topics)})
		w := newChecker(t, p, c.opt.Topics, ModeAll)
		w.check(c.take(noon)...)
		for seq := uint64(700); seq <= 4900; seq += 700 {
			p.play(l, seq)
			w.check(c.take(noon)...)
		}
		if len(w.gaps) > 0 {
			t.Errorf("%s: %v", topics, w.gaps)
		}
	}
}

// TestPendingIsBounded: a client that requests the whole log and then doesn't read takes little memory.
func TestPendingIsBounded(t *testing.T) {
	p := newFixture(t, 24_000)
	l := p.log(t, Config{Size: 1 << 16})
	p.play(l, 24_000)
	c := subscribe(t, l, Options{Topics: p.topics(t, "S0", "S1", "S2", "S3", "S4", "S5", "S6", "S9"), From: FromOldest})
	w := newChecker(t, p, c.opt.Topics, ModeAll)
	for b := c.Next(noon); len(b) > 0; b = c.Next(noon) {
		w.check(c.decode(b)...)
		if n := cap(c.pending); n > 16<<10 {
			t.Fatalf("room for %d pending ticks", n)
		}
	}
	if w.checked < 23_990 {
		t.Errorf("it ends at %d", w.checked)
	}
}

// TestBuffersShrinkAfterCatchingUp: the memory that a cursor needed to catch up is freed.
func TestBuffersShrinkAfterCatchingUp(t *testing.T) {
	p := newFixture(t, 12_000)
	l := p.log(t, Config{Size: 1 << 16})
	p.play(l, 11_900)
	c := subscribe(t, l, Options{Topics: p.topics(t, "S0", "S1", "S2", "S3", "S4", "S5"), From: FromOldest})
	c.take(noon)
	for seq := uint64(11_901); seq <= 12_000; seq++ {
		p.play(l, seq)
		c.take(noon)
	}
	if c.pos != 12_000 || cap(c.pending) > 256 || cap(c.buf) > 4<<10 {
		t.Errorf("at %d it keeps room for %d pending ticks and %d bytes", c.pos, cap(c.pending), cap(c.buf))
	}
}

// TestFarBehind: a client with more pending ticks than are collected at once gets all of them, if only ticks of other topics
// have left the log; otherwise it gets a gap.
func TestFarBehind(t *testing.T) {
	for _, lost := range []bool{false, true} {
		ids := make([]quote.ID, 22_000)
		for i := range ids {
			if i < 10 || i >= 8_000 || lost && i == 3000 {
				ids[i] = quote.ID(1 + i%2)
			}
		}
		p := fixtureOf(testUniverse(t, testSymbols), ids...)
		l := p.log(t, Config{Size: 16_000})
		c := subscribe(t, l, Options{Topics: p.topics(t, "S1", "S2")})
		w := newChecker(t, p, c.opt.Topics, ModeAll)
		w.check(c.take(noon)...)
		p.play(l, 10)
		w.check(c.take(noon)...)
		p.play(l, 22_000)
		w.check(c.take(noon)...)
		if w.checked != 22_000 || lost && len(w.gaps) != 1 || !lost && (len(w.gaps) > 0 || w.ticks != 14_010) {
			t.Errorf("lost %v: %d ticks up to %d, gaps %v", lost, w.ticks, w.checked, w.gaps)
		}
	}
}

// TestNoGapForQuietTopics: a client of many topics that were all quietSymbol has lost nothing, however far the log went.
func TestNoGapForQuietTopics(t *testing.T) {
	const symbols = 400
	var ids []quote.ID
	for range 2000 {
		ids = append(ids, 0)
	}
	p := fixtureOf(testUniverse(t, symbols), ids...)
	var names []string
	for _, s := range p.u.Symbols()[1:] {
		names = append(names, s.Ticker)
	}
	l := p.log(t, Config{Size: 10})
	c := subscribe(t, l, Options{Topics: p.topics(t, names...)})
	w := newChecker(t, p, c.opt.Topics, ModeAll)
	w.check(c.take(noon)...)
	p.play(l, 1500)
	got := c.take(noon)
	w.check(got...)
	if kinds(got) != "hb" {
		t.Errorf("got %s", kinds(got))
	}
}

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

// TestLossDuringTopicChange: a change of topics that waits for lost ticks is carried out after the gap.
func TestLossDuringTopicChange(t *testing.T) {
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		p := newFixture(t, 5000)
		l := p.log(t, Config{Size: 300})
		c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "sector:odd"), MaxRead: 500})
		w := newChecker(t, p, c.opt.Topics, ModeAll)
		w.check(c.take(noon)...)
		p.play(l, 250)
		if err := c.EnqueueCommand(command("subscribe", 1, "S2"), noon); err != nil {
			t.Fatal(err)
		}
		w.check(c.decode(c.Next(noon))...)
		p.play(l, 4000)
		got := c.take(noon)
		w.check(got...)
		if s := kindsWithoutCounts(got); s != "q gap snapshot subscription snapshot" && s != "gap snapshot subscription snapshot" {
			t.Errorf("got %s", s)
		}
		p.play(l, 4200)
		w.check(c.take(noon)...)
		if len(w.gaps) != 1 || !w.topics.Has(2) {
			t.Errorf("gaps %v", w.gaps)
		}
	})
}

// TestTopicChangeAfterStateWasLost: when the state at the position of a change is no longer known, it holds from a later one.
func TestTopicChangeAfterStateWasLost(t *testing.T) {
	p := newFixture(t, 5000)
	l := p.log(t, Config{Size: 256})
	c := subscribe(t, l, Options{Topics: p.topics(t, "S9")})
	w := newChecker(t, p, c.opt.Topics, ModeAll)
	w.check(c.take(noon)...)
	p.play(l, 3)
	if err := c.EnqueueCommand(command("subscribe", 1, "S1"), noon); err != nil {
		t.Fatal(err)
	}
	w.check(c.decode(c.Next(noon))...)
	if w.checked != 3 {
		t.Fatalf("the client has read up to %d", w.checked)
	}
	p.play(l, 4500)
	var got []message
	withinMinute(t, func() { got = c.take(noon) })
	w.check(got...)
	if kinds(got) != "subscription snapshot" || got[0].I != 4500 {
		t.Errorf("got %s: %s", kinds(got), got[0].text)
	}
	p.play(l, 4600)
	w.check(c.take(noon)...)
	if w.ticks < 2 {
		t.Errorf("%d ticks", w.ticks)
	}
}
