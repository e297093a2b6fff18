package stream

import (
	"slices"
	"strings"
	"testing"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

func TestStart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		opt    Options
		topics []string
		before uint64 // ticks before the client subscribes
		want   string // after 700 ticks
		resume string
		start  uint64
	}{
		{"latest", Options{}, []string{"*"}, 600, "hello snapshot q×100", wire.ResumeNone, 600},
		{"latest, before the first tick", Options{}, []string{"*"}, 0, "hello snapshot q×700", wire.ResumeNone, 0},
		{"latest, without snapshot", Options{NoSnapshot: true}, []string{"*"}, 600, "hello q×100", wire.ResumeNone, 600},
		{"oldest", Options{From: FromOldest}, []string{"*"}, 300, "hello q×700", wire.ResumeNone, 0},
		{"oldest, of a full log", Options{From: FromOldest}, []string{"*"}, 600, "hello q×600", wire.ResumeNone, 100},
		{"oldest, before the first tick", Options{From: FromOldest}, []string{"*"}, 0, "hello q×700", wire.ResumeNone, 0},
		{"at the head", Options{From: FromPosition, Position: position(600)}, []string{"*"}, 600, "hello q×100", wire.ResumeComplete, 600},
		{"at the start", Options{From: FromPosition, Position: position(0)}, []string{"*"}, 500, "hello q×700", wire.ResumeComplete, 0},
		{"at the oldest", Options{From: FromPosition, Position: position(101)}, []string{"*"}, 600, "hello q×599", wire.ResumeComplete, 101},
		{"just before the oldest", Options{From: FromPosition, Position: position(100)}, []string{"*"}, 600, "hello q×600", wire.ResumeComplete, 100},
		{"one too old", Options{From: FromPosition, Position: position(99)}, []string{"*"}, 600, "hello gap snapshot q×100", wire.ResumeGap, 99},
		{"far too old", Options{From: FromPosition, Position: position(0)}, []string{"*"}, 600, "hello gap snapshot q×100", wire.ResumeGap, 0},
		{"too old, without snapshot", Options{From: FromPosition, Position: position(99), NoSnapshot: true}, []string{"*"}, 600, "hello gap q×100", wire.ResumeGap, 99},
		{"beyond the head", Options{From: FromPosition, Position: position(601)}, []string{"*"}, 600, "hello snapshot q×100", wire.ResumeReset, 600},
		{"far beyond", Options{From: FromPosition, Position: position(^uint64(0))}, []string{"*"}, 600, "hello snapshot q×100", wire.ResumeReset, 600},
		{"another epoch", Options{From: FromPosition, Position: quote.Position{Epoch: 7, Seq: 600}}, []string{"*"}, 600, "hello snapshot q×100", wire.ResumeReset, 600},
		{"a position that can't be parsed", Options{From: FromUnknown}, []string{"*"}, 600, "hello snapshot q×100", wire.ResumeReset, 600},
		{"latest mode, too old", Options{From: FromPosition, Position: position(4), Mode: ModeLatest}, []string{"*"}, 600, "hello q×9", wire.ResumeComplete, 4},
		{"latest mode, before the quietSymbol tick", Options{From: FromPosition, Position: position(2), Mode: ModeLatest}, []string{"*"}, 600, "hello q×10", wire.ResumeComplete, 2},
		{"latest mode, another epoch", Options{From: FromUnknown, Mode: ModeLatest}, []string{"*"}, 600, "hello snapshot q×9", wire.ResumeReset, 600},
		{"latest mode, beyond the head", Options{From: FromPosition, Position: position(601), Mode: ModeLatest}, []string{"*"}, 600, "hello snapshot q×9", wire.ResumeReset, 600},
		{"quiet topic", Options{}, []string{"S9"}, 600, "hello snapshot", wire.ResumeNone, 600},
		{"quiet topic, from the start", Options{From: FromPosition, Position: position(0)}, []string{"S9"}, 400, "hello q×1 hb", wire.ResumeComplete, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			forEachFormat(t, func(t *testing.T, format wire.Format) {
				p := newFixture(t, 700)
				l := p.log(t, Config{Size: 500})
				p.play(l, c.before)
				c.opt.Format, c.opt.Topics = format, p.topics(t, c.topics...)
				cl := subscribe(t, l, c.opt)
				first := cl.Next(noon)
				got := cl.decode(slices.Clone(first))
				p.play(l, 700)
				got = append(got, cl.take(noon)...)
				if kinds(got) != c.want {
					t.Fatalf("got %s, want %s", kinds(got), c.want)
				}
				h := got[0]
				if h.Resume != c.resume || h.Head != c.before || h.Oldest != max(1, c.before-min(c.before, 499)) || h.Mode != c.opt.Mode.String() {
					t.Errorf("hello %s", h.text)
				}
				id := position(c.start).String()
				if strings.Contains(c.want, "snapshot") {
					id = "" // the snapshot has the first position
				}
				if format == wire.SSEJSON && (h.id != id || h.retry != "1000") {
					t.Errorf("hello has id %q and retry %s, want id %q", h.id, h.retry, id)
				}
				w := newChecker(t, p, c.opt.Topics, c.opt.Mode)
				w.start(c.start)
				w.check(got...)
				for _, g := range w.gaps {
					if g.Reason != wire.GapExpired || g.To != c.before {
						t.Errorf("gap %s", g.text)
					}
				}
			})
		})
	}
}

// TestSameTextOnBothLanes: a tick is the same text on both lanes, however the log is read.
func TestSameTextOnBothLanes(t *testing.T) {
	p := newFixture(t, 3000)
	l := p.log(t, Config{Size: 4096})
	texts := map[uint64]string{}
	var clients []*client
	for format := range wire.Formats {
		for _, topics := range []string{"*", "sector:odd", "S3"} {
			for _, mode := range []Mode{ModeAll, ModeLatest} {
				clients = append(clients, subscribe(t, l, Options{Format: format, Topics: p.topics(t, topics), Mode: mode}))
			}
		}
	}
	for seq := uint64(0); seq <= 3000; seq += 50 {
		p.play(l, seq)
		for _, c := range clients {
			for _, m := range c.take(noon) {
				if m.T != "q" {
					continue
				}
				if was, ok := texts[m.I]; ok && was != m.text {
					t.Fatalf("i %d is %s and %s", m.I, was, m.text)
				}
				texts[m.I] = m.text
			}
		}
	}
	if len(texts) != 3000 {
		t.Errorf("%d ticks of 3000", len(texts))
	}
}

// TestMaxRead: no write is longer, and messages that were cut are complete in the end.
func TestMaxRead(t *testing.T) {
	t.Parallel()
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		for _, topics := range []string{"*", "S1,S2,S9"} {
			for _, mode := range []Mode{ModeAll, ModeLatest} {
				for _, most := range []int{200, 1000, 16 << 10} {
					p := newFixture(t, 2000)
					l := p.log(t, Config{Size: 2048})
					p.play(l, 500)
					c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, strings.Split(topics, ",")...), Mode: mode, MaxRead: most})
					w := newChecker(t, p, c.opt.Topics, mode)
					w.start(500)
					for _, to := range []uint64{500, 2000} {
						p.play(l, to)
						for b := c.Next(noon); len(b) > 0; b = c.Next(noon) {
							if len(b) > most {
								t.Fatalf("%s %v: a write of %d bytes where %d are allowed", topics, mode, len(b), most)
							}
							w.check(c.decode(b)...)
						}
					}
					if w.ticks == 0 || len(c.in) > 0 {
						t.Errorf("%s %v %d: %d ticks, %d bytes not decoded", topics, mode, most, w.ticks, len(c.in))
					}
				}
			}
		}
	})
}

// TestTickLongerThanMaxRead: it is written by itself.
func TestTickLongerThanMaxRead(t *testing.T) {
	p := newFixture(t, 20)
	l := p.log(t, Config{Size: 20})
	for _, topics := range []string{"*", "sector:even"} {
		for _, mode := range []Mode{ModeAll, ModeLatest} {
			p.play(l, 20)
			c := subscribe(t, l, Options{Topics: p.topics(t, topics), From: FromOldest, MaxRead: 1, Mode: mode})
			w := newChecker(t, p, c.opt.Topics, mode)
			w.check(c.take(noon)...)
			if w.ticks == 0 {
				t.Error("no ticks")
			}
		}
	}
}

func TestConfigErrors(t *testing.T) {
	u := testUniverse(t, 1)
	for _, cfg := range []Config{{Epoch: 1, Size: 1}, {Universe: u, Size: 1}, {Universe: u, Epoch: 1}} {
		if l, err := New(cfg); err == nil {
			l.Close()
			t.Errorf("%+v: no error", cfg)
		}
	}
}
