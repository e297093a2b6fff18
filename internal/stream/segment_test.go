package stream

import (
	"sync"
	"testing"

	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

// renders returns the number of segments with a live and with an early render of a format.
func renders(l *Log, format wire.Format) (live, early int) {
	for i := range l.segments {
		if s := l.segments[i].Load(); s != nil {
			if s.formats[format].live.Load() != nil {
				live++
			}
			if s.formats[format].early.Load() != nil {
				early++
			}
		}
	}
	return live, early
}

func TestRenderOnlyFormatsInUse(t *testing.T) {
	p := newFixture(t, 2000)
	l := p.log(t, Config{Size: 2048})
	p.play(l, 500)
	ws := subscribe(t, l, Options{Format: wire.WSJSON, Topics: p.topics(t, "*")})
	p.play(l, 1000)
	ws.take(noon)
	ws.Close()
	p.play(l, 2000)
	if live, early := renders(l, wire.SSEJSON); live+early > 0 {
		t.Errorf("SSE, which was not in use: %d renders by the appender, %d by readers", live, early)
	}
	// From tick 500 to the end of the segment in which the last subscriber left.
	if live, _ := renders(l, wire.WSJSON); live != 3 {
		t.Errorf("WebSocket: %d segments rendered, want 3", live)
	}
}

// TestFormatUseChanges: wherever in a segment a format's first subscriber arrives and its last one leaves, every later reader
// gets every tick.
func TestFormatUseChanges(t *testing.T) {
	t.Parallel()
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		for _, topics := range []string{"*", "sector:odd"} {
			p := newFixture(t, 3000)
			l := p.log(t, Config{Size: 4096})
			for _, use := range []struct{ from, to uint64 }{
				{10, 20}, {30, 200}, {255, 256}, {256, 257}, {300, 511}, {512, 512}, {700, 1500}, {2000, 2100},
			} {
				p.play(l, use.from)
				c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, topics)})
				w := newChecker(t, p, c.opt.Topics, ModeAll)
				w.start(use.from)
				w.check(c.take(noon)...)
				p.play(l, use.to)
				w.check(c.take(noon)...)
				c.Close()

				later := subscribe(t, l, Options{Format: format, Topics: c.opt.Topics, From: FromOldest})
				w = newChecker(t, p, c.opt.Topics, ModeAll)
				w.check(later.take(noon)...)
				if k := p.newest(1, use.to); w.checked < k.Seq {
					t.Errorf("%d to %d: it ends at %d", use.from, use.to, w.checked)
				}
				later.Close()
			}
		}
	})
}

// TestRenderGrows: readers keep the bytes they have when a render's buffer turns out too small.
func TestRenderGrows(t *testing.T) {
	p := newFixture(t, 1000)
	l := p.log(t, Config{Size: 1024})
	l.sizeGuess = [wire.AllFormats]int{1, 1, 1}
	var clients []*client
	var seen []*checker
	for format := range wire.Formats {
		c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "*")})
		clients = append(clients, c)
		seen = append(seen, newChecker(t, p, c.opt.Topics, ModeAll))
	}
	for seq := uint64(0); seq <= 1000; seq++ {
		p.play(l, seq)
		for i, c := range clients {
			seen[i].check(c.take(noon)...)
		}
	}
	for _, w := range seen {
		if w.ticks != 1000 {
			t.Errorf("%d ticks", w.ticks)
		}
	}
}

// TestConcurrentFirstReaders: several first readers of a format arrive at the same time, while ticks are appended, and render
// the earlier ticks.
func TestConcurrentFirstReaders(t *testing.T) {
	t.Parallel()
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		for range testkit.Rounds(2, 20) {
			const total = 1200
			p := newFixture(t, total)
			l := p.log(t, Config{Size: 2048})
			p.play(l, 700)
			var all sync.WaitGroup
			for i := range 8 {
				all.Go(func() {
					topics := []string{"*", "sector:even"}[i%2]
					c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, topics), From: FromOldest})
					w := newChecker(t, p, c.opt.Topics, ModeAll)
					for last := p.last(c.opt.Topics); w.checked < last; {
						b := c.Next(noon)
						if len(b) == 0 {
							<-c.notifyCh
						}
						w.check(c.decode(b)...)
					}
				})
			}
			for seq := uint64(700); seq <= total; seq += 5 {
				p.play(l, seq)
			}
			all.Wait()
			l.Close()
		}
	})
}

// TestRendersAreShared: subscribers of all symbols get the same bytes, not copies.
func TestRendersAreShared(t *testing.T) {
	p := newFixture(t, 100)
	l := p.log(t, Config{Size: 128})
	a := subscribe(t, l, Options{Topics: p.topics(t, "*")})
	b := subscribe(t, l, Options{Topics: p.topics(t, "sector:odd", "sector:even")})
	a.take(noon)
	b.take(noon)
	p.play(l, 100)
	x, y := a.Next(noon), b.Next(noon)
	if len(x) == 0 || len(x) != len(y) || &x[0] != &y[0] {
		t.Error("not the same slice")
	}
	if cap(x) != len(x) {
		t.Error("appending to it would overwrite what others read")
	}
}

func TestSnapshotOfTheLog(t *testing.T) {
	p := newFixture(t, 5000)
	l := p.log(t, Config{Size: 300})
	if s := l.Snapshot(p.topics(t, "*")); s.At.Seq != 0 || len(s.Quotes) != 0 {
		t.Errorf("of an empty log: %+v", s)
	}
	p.play(l, 5000)
	m := message{text: string(l.Snapshot(p.topics(t, "S9", "S1")).Message().JSON())}
	if err := parse(&m); err != nil {
		t.Fatal(err)
	}
	if m.I != 5000 || len(m.Quotes) != 2 || m.Quotes[0].S != "S1" || m.Quotes[1].S != "S9" || m.Quotes[1].I != 3 {
		t.Errorf("%s", m.text)
	}
}

func TestAppendOutOfOrder(t *testing.T) {
	p := newFixture(t, 10)
	l := p.log(t, Config{Size: 16})
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	l.Append(p.ticks[1:])
}
