package stream

import (
	"testing"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// TestFallsOffTheLog: one exact gap, a snapshot, then on from the head.
func TestFallsOffTheLog(t *testing.T) {
	onEachFormat(t, func(t *testing.T, format wire.Format) {
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
				p := newTape(t, 10_000)
				l := p.log(t, Config{Size: 500})
				cl := subscribe(t, l, Options{Format: format, Topics: p.topics(t, c.topics), NoSnapshot: c.noSnapshot})
				w := newWitness(t, p, cl.opt.Topics, ModeAll)
				w.see(cl.take(noon)...)
				p.play(l, 40)
				w.see(cl.take(noon)...)
				had := w.place
				p.play(l, 5000)
				got := cl.take(noon)
				w.see(got...)
				if kinds(got) != c.want {
					t.Fatalf("got %s, want %s", kinds(got), c.want)
				}
				if len(w.gaps) > 0 {
					// A filtered client knows no later place than its last heartbeat or tick; the server may.
					if g := w.gaps[0]; g.Reason != wire.GapLag || g.To != 5000 || g.From < had+1 || g.From > 41 {
						t.Errorf("gap %s, the client had %d", g.text, had)
					}
					if format == wire.SSEJSON && got[0].id != position(5000).String() {
						t.Errorf("gap has id %s", got[0].id)
					}
				}
				p.play(l, 5100)
				w.see(cl.take(noon)...)
				if n := cl.Counters().Gaps; n != uint64(len(w.gaps)) {
					t.Errorf("%d gaps counted, %d told", n, len(w.gaps))
				}
			})
		}
	})
}

// TestStaysInTheLog: what is kept is delivered, however late, for every kind of cursor.
func TestStaysInTheLog(t *testing.T) {
	for _, topics := range []string{"*", "sector:odd", "S3"} {
		p := newTape(t, 10_000)
		l := p.log(t, Config{Size: 700})
		c := subscribe(t, l, Options{Topics: p.topics(t, topics)})
		w := newWitness(t, p, c.opt.Topics, ModeAll)
		w.see(c.take(noon)...)
		for seq := uint64(700); seq <= 9800; seq += 700 {
			p.play(l, seq)
			w.see(c.take(noon)...)
		}
		if len(w.gaps) > 0 {
			t.Errorf("%s: %v", topics, w.gaps)
		}
	}
}

// TestReplayIsBounded: a client that asks for the whole log and then doesn't read holds little of it.
func TestReplayIsBounded(t *testing.T) {
	p := newTape(t, 40_000)
	l := p.log(t, Config{Size: 1 << 16})
	p.play(l, 40_000)
	c := subscribe(t, l, Options{Topics: p.topics(t, "S0", "S1", "S2", "S3", "S4", "S5", "S6", "S9"), From: FromOldest})
	w := newWitness(t, p, c.opt.Topics, ModeAll)
	for b := c.Next(noon); len(b) > 0; b = c.Next(noon) {
		w.see(c.decode(b)...)
		if n := cap(c.pending); n > 16<<10 {
			t.Fatalf("it remembers %d ticks to come", n)
		}
	}
	if w.place < 39_990 {
		t.Errorf("it ends at %d", w.place)
	}
}

// TestCatchingUpLeavesNoRoom: what a cursor needed to catch up isn't kept for as long as the stream lives.
func TestCatchingUpLeavesNoRoom(t *testing.T) {
	p := newTape(t, 40_000)
	l := p.log(t, Config{Size: 1 << 16})
	p.play(l, 39_900)
	c := subscribe(t, l, Options{Topics: p.topics(t, "S0", "S1", "S2", "S3", "S4", "S5"), From: FromOldest})
	c.take(noon)
	for seq := uint64(39_901); seq <= 40_000; seq++ {
		p.play(l, seq)
		c.take(noon)
	}
	if c.pos != 40_000 || cap(c.pending) > 256 || cap(c.buf) > 4<<10 {
		t.Errorf("at %d it keeps room for %d ticks to come and %d bytes", c.pos, cap(c.pending), cap(c.buf))
	}
}

// TestFarBehind: a client of busy topics for which more waits than it remembers at once gets all of it, if only others' ticks
// have left the log; else it is told.
func TestFarBehind(t *testing.T) {
	for _, lost := range []bool{false, true} {
		ids := make([]quote.ID, 40_000)
		for i := range ids {
			if i < 10 || i >= 12_000 || lost && i == 3000 {
				ids[i] = quote.ID(1 + i%2)
			}
		}
		p := tapeOf(testUniverse(t, testSymbols), ids...)
		l := p.log(t, Config{Size: 32_000})
		c := subscribe(t, l, Options{Topics: p.topics(t, "S1", "S2")})
		w := newWitness(t, p, c.opt.Topics, ModeAll)
		w.see(c.take(noon)...)
		p.play(l, 10)
		w.see(c.take(noon)...)
		p.play(l, 40_000)
		w.see(c.take(noon)...)
		if w.place != 40_000 || lost && len(w.gaps) != 1 || !lost && (len(w.gaps) > 0 || w.ticks != 28_010) {
			t.Errorf("lost %v: %d ticks up to %d, gaps %v", lost, w.ticks, w.place, w.gaps)
		}
	}
}

// TestNoGapForNothing: a client of many topics that were all quiet has lost nothing, however far the log went.
func TestNoGapForNothing(t *testing.T) {
	const symbols = 400
	var ids []quote.ID
	for range 2000 {
		ids = append(ids, 0)
	}
	p := tapeOf(testUniverse(t, symbols), ids...)
	var names []string
	for _, s := range p.u.Symbols()[1:] {
		names = append(names, s.Ticker)
	}
	l := p.log(t, Config{Size: 10})
	c := subscribe(t, l, Options{Topics: p.topics(t, names...)})
	w := newWitness(t, p, c.opt.Topics, ModeAll)
	w.see(c.take(noon)...)
	p.play(l, 1500)
	got := c.take(noon)
	w.see(got...)
	if kinds(got) != "hb" {
		t.Errorf("got %s", kinds(got))
	}
}

func TestMaxLag(t *testing.T) {
	onEachFormat(t, func(t *testing.T, format wire.Format) {
		for _, topics := range []string{"*", "S1"} {
			p := newTape(t, 2000)
			l := p.log(t, Config{Size: 1000, MaxLag: 100})
			p.play(l, 500)
			c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, topics)})
			w := newWitness(t, p, c.opt.Topics, ModeAll)
			w.start(500)
			w.see(c.take(noon)...)
			p.play(l, 600)
			w.see(c.take(noon)...)
			if len(w.gaps) != 0 {
				t.Fatalf("%s: a gap at the bound: %v", topics, w.gaps)
			}
			p.play(l, 720)
			w.see(c.take(noon)...)
			if len(w.gaps) != 1 || w.gaps[0].To != 720 || w.gaps[0].Reason != wire.GapLag {
				t.Fatalf("%s: beyond the bound: %v", topics, w.gaps)
			}
			// Who asks for old ticks gets them; the bound holds from when it has caught up.
			back := subscribe(t, l, Options{Format: format, Topics: c.opt.Topics, From: FromPosition, Position: position(300)})
			w = newWitness(t, p, c.opt.Topics, ModeAll)
			w.start(300)
			w.see(back.take(noon)...)
			if len(w.gaps) != 0 || w.ticks == 0 {
				t.Errorf("%s: coming back gives %d ticks and %v", topics, w.ticks, w.gaps)
			}
			p.play(l, 900)
			w.see(back.take(noon)...)
			if len(w.gaps) != 1 {
				t.Errorf("%s: after catching up: %v", topics, w.gaps)
			}
		}
	})
}

// TestMaxLagInAGroup: a writer doesn't ask a subscriber that stands at the head for more, and the bound holds from then on
// all the same.
func TestMaxLagInAGroup(t *testing.T) {
	for _, topics := range []string{"*", "S1"} {
		for _, kind := range []Compression{CompressNone, CompressDeflate} {
			p := newTape(t, 2000)
			l := p.log(t, Config{Size: 1000, MaxLag: 100, Compress: CompressOn, MaxSharedEncoders: 1})
			g := l.NewGroup()
			defer g.Close()
			head := p.newest(1, 700).Seq
			p.play(l, head)
			c := subscribe(t, l, Options{Group: g, Format: wire.WSJSON, Compress: kind, Topics: p.topics(t, topics), From: FromPosition, Position: position(300)})
			w := newWitness(t, p, c.opt.Topics, ModeAll)
			w.start(300)
			for !c.CaughtUp(head) {
				w.see(c.decode(c.Next(noon))...)
			}
			if len(w.gaps) != 0 || w.ticks == 0 {
				t.Fatalf("%s: coming back gives %d ticks and %v", topics, w.ticks, w.gaps)
			}
			p.play(l, head+150)
			w.see(c.take(noon)...)
			if len(w.gaps) != 1 || w.gaps[0].To != head+150 {
				t.Errorf("%s, %v: beyond the bound: %v", topics, kind, w.gaps)
			}
		}
	}
}

// TestMaxLagFromTheHello: who starts at the head is held to the bound before the first tick, too.
func TestMaxLagFromTheHello(t *testing.T) {
	p := newTape(t, 300)
	l := p.log(t, Config{Size: 1000, MaxLag: 100})
	c := subscribe(t, l, Options{Topics: p.topics(t, "*")})
	got := c.decode(c.Next(noon))
	p.play(l, 101)
	if got = append(got, c.take(noon)...); kinds(got) != "hello snapshot gap snapshot" {
		t.Errorf("got %s", kinds(got))
	}
}

// TestOnLagLatest: the gap says that the client is conflated from now on, and it is.
func TestOnLagLatest(t *testing.T) {
	onEachFormat(t, func(t *testing.T, format wire.Format) {
		p := newTape(t, 3000)
		l := p.log(t, Config{Size: 300, OnLag: OnLagLatest, Interval: 250 * time.Millisecond})
		c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "*")})
		w := newWitness(t, p, c.opt.Topics, ModeAll)
		w.see(c.take(noon)...)
		p.play(l, 2000)
		got := c.take(noon)
		w.see(got...)
		if kinds(got) != "gap snapshot" || got[0].Reason != wire.GapConflated {
			t.Fatalf("got %s", kinds(got))
		}
		if mode := c.Info().Mode; mode != "latest" {
			t.Errorf("listed in mode %s", mode)
		}
		p.play(l, 2001)
		w.see(c.take(noon)...)
		for seq := uint64(2002); seq <= 3000; seq++ {
			p.play(l, seq)
			if got := c.take(noon.Add(250*time.Millisecond - 1)); len(got) > 0 {
				t.Fatalf("within its interval: %s", kinds(got))
			}
		}
		got = c.take(noon.Add(250 * time.Millisecond))
		w.see(got...)
		if kinds(got) != "q×9" || c.Counters().Conflated != 999-9 {
			t.Errorf("got %s, %d conflated", kinds(got), c.Counters().Conflated)
		}
	})
}

// TestLossDuringAChange: a change of topics that waits for lost ticks is carried out after the gap.
func TestLossDuringAChange(t *testing.T) {
	onEachFormat(t, func(t *testing.T, format wire.Format) {
		p := newTape(t, 5000)
		l := p.log(t, Config{Size: 300})
		c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "sector:odd"), MaxRead: 500})
		w := newWitness(t, p, c.opt.Topics, ModeAll)
		w.see(c.take(noon)...)
		p.play(l, 250)
		if err := c.EnqueueCommand(command("subscribe", 1, "S2"), noon); err != nil {
			t.Fatal(err)
		}
		w.see(c.decode(c.Next(noon))...)
		p.play(l, 4000)
		got := c.take(noon)
		w.see(got...)
		if s := shortKinds(got); s != "q gap snapshot subscription snapshot" && s != "gap snapshot subscription snapshot" {
			t.Errorf("got %s", s)
		}
		p.play(l, 4200)
		w.see(c.take(noon)...)
		if len(w.gaps) != 1 || !w.topics.Has(2) {
			t.Errorf("gaps %v", w.gaps)
		}
	})
}

// TestChangeAfterAWholeLog: the state at the place where a change should have held is gone; it holds from a later one.
func TestChangeAfterAWholeLog(t *testing.T) {
	p := newTape(t, 5000)
	l := p.log(t, Config{Size: 256})
	c := subscribe(t, l, Options{Topics: p.topics(t, "S9")})
	w := newWitness(t, p, c.opt.Topics, ModeAll)
	w.see(c.take(noon)...)
	p.play(l, 3)
	if err := c.EnqueueCommand(command("subscribe", 1, "S1"), noon); err != nil {
		t.Fatal(err)
	}
	w.see(c.decode(c.Next(noon))...)
	if w.place != 3 {
		t.Fatalf("the client has read up to %d", w.place)
	}
	p.play(l, 4500)
	var got []message
	within(t, func() { got = c.take(noon) })
	w.see(got...)
	if kinds(got) != "subscription snapshot" || got[0].I != 4500 {
		t.Errorf("got %s: %s", kinds(got), got[0].text)
	}
	p.play(l, 4600)
	w.see(c.take(noon)...)
	if w.ticks < 2 {
		t.Errorf("%d ticks", w.ticks)
	}
}
