package stream

import (
	"testing"

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
					if format == wire.SSEJSON && got[len(got)-1].id != position(5000).String() {
						t.Errorf("%s has id %q", got[len(got)-1].T, got[len(got)-1].id)
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

// TestLossDuringTopicChange: a change of topics that waits for lost ticks is executed after the gap.
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
