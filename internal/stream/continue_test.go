package stream

import (
	"slices"
	"testing"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// TestContinuedLog: a log that continues another one has its ticks from Start+1 on. A client with a position of before
// resumes completely only if it has the last of the earlier ticks.
func TestContinuedLog(t *testing.T) {
	t.Parallel()
	const start = 337 // not at the start of a segment
	at := func(seq uint64, mode Mode) Options {
		return Options{From: FromPosition, Position: position(seq), Mode: mode}
	}
	for _, c := range []struct {
		name   string
		opt    Options
		before uint64 // the head when the client subscribes
		want   string // after 1,400 ticks
		resume string
	}{
		{"latest", Options{}, start, "hello snapshot q×1063", wire.ResumeNone},
		{"oldest", Options{From: FromOldest}, 600, "hello q×1063", wire.ResumeNone},
		{"oldest, of a full log", Options{From: FromOldest}, 1390, "hello q×510", wire.ResumeNone},
		{"the end of the earlier log", at(start, ModeAll), 600, "hello q×1063", wire.ResumeComplete},
		{"the end of the earlier log, before a tick", at(start, ModeAll), start, "hello q×1063", wire.ResumeComplete},
		{"one tick of the earlier log is missing", at(start-1, ModeAll), 600, "hello gap snapshot q×800", wire.ResumeGap},
		{"the start of the earlier log", at(0, ModeAll), start, "hello gap snapshot q×1063", wire.ResumeGap},
		{"beyond the head", at(start+1, ModeAll), start, "hello snapshot q×1063", wire.ResumeReset},
		{"mode latest, the end of the earlier log", at(start, ModeLatest), 600, "hello q×9", wire.ResumeComplete},
		{"mode latest, one tick is missing", at(start-1, ModeLatest), 600, "hello snapshot q×9", wire.ResumeReset},
		{"dropped since", at(start, ModeAll), 1390, "hello gap snapshot q×10", wire.ResumeGap},
	} {
		t.Run(c.name, func(t *testing.T) {
			forEachFormat(t, func(t *testing.T, format wire.Format) {
				p := newFixture(t, 1400)
				size := 2000
				if c.before > 1000 {
					size = 500 // the oldest ticks have been dropped
				}
				l := p.log(t, Config{Size: size, Start: start})
				if l.Head() != position(start) || l.Oldest() != start+1 {
					t.Fatalf("an empty log has head %v and oldest %d", l.Head(), l.Oldest())
				}
				p.play(l, c.before)
				c.opt.Format, c.opt.Topics = format, p.topics(t, "*")
				cl := subscribe(t, l, c.opt)
				got := cl.decode(slices.Clone(cl.Next(noon)))
				p.play(l, 1400)
				got = append(got, cl.take(noon)...)
				if kinds(got) != c.want {
					t.Fatalf("got %s, want %s", kinds(got), c.want)
				}
				if got[0].Resume != c.resume {
					t.Errorf("resume %s, want %s", got[0].Resume, c.resume)
				}
			})
		})
	}
}

// TestContinuedLogKeepsSegments: every tick of a continued log is found, as long as it is kept.
func TestContinuedLogKeepsSegments(t *testing.T) {
	t.Parallel()
	p := newFixture(t, 1400)
	for _, start := range []uint64{1, 255, 256, 257, 700} {
		l := p.log(t, Config{Size: 300, Start: start})
		for seq := start + 1; seq <= 1400; seq++ {
			p.play(l, seq)
			for _, at := range []uint64{l.Oldest(), (l.Oldest() + seq) / 2, seq} {
				if e := l.entry(at); e == nil || e.tick.Seq != at {
					t.Fatalf("start %d, head %d: no tick at %d", start, seq, at)
				}
			}
			if l.entry(start) != nil || l.entry(start-1) != nil {
				t.Fatalf("start %d: a tick at or before it", start)
			}
		}
		if _, known := l.newestAt(quote.ID(0), 1400); !known {
			t.Errorf("start %d: the newest tick of a symbol is unknown", start)
		}
	}
}

// TestRestoredLog: with the newest ticks of before its start, a log has whole snapshots, and clients in mode latest resume from any
// earlier position.
func TestRestoredLog(t *testing.T) {
	t.Parallel()
	const start = 337
	p := newFixture(t, 1400)
	var newest []quote.Tick
	for id := range quote.ID(p.u.Len()) {
		if k := p.newest(id, start); k != nil {
			newest = append(newest, *k)
		}
	}
	for _, head := range []uint64{start, start + 1, 700, 1400} {
		l := p.log(t, Config{Size: 300, Start: start, Newest: newest})
		p.play(l, head)
		s := l.Snapshot(p.topics(t, "*"))
		want := 0
		for id := range quote.ID(p.u.Len()) {
			if p.newest(id, head) != nil {
				want++
			}
		}
		if len(s.Quotes) != want {
			t.Errorf("head %d: %d quotes, want %d", head, len(s.Quotes), want)
		}
		for _, q := range s.Quotes {
			if *q.Tick != *p.newest(q.Tick.Symbol, head) {
				t.Errorf("head %d: %+v", head, *q.Tick)
			}
		}
		cl := subscribe(t, l, Options{From: FromPosition, Position: position(start - 100), Mode: ModeLatest, Topics: p.topics(t, "*")})
		got := append(cl.decode(slices.Clone(cl.Next(noon))), cl.take(noon)...)
		changed := 0
		for id := range quote.ID(p.u.Len()) {
			if k := p.newest(id, head); k != nil && k.Seq > start-100 {
				changed++
			}
		}
		if got[0].Resume != wire.ResumeComplete || len(got)-1 != changed {
			t.Errorf("head %d: resume %s, %s, want %d quotes", head, got[0].Resume, kinds(got), changed)
		}
	}
}
