package stream

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// withEvents returns a fixture whose every fourth tick has a trade, every fifth a bar, and every sixth a change of status.
func withEvents(t testing.TB, total int) (p fixture, events *quote.Events) {
	p, events = *newFixture(t, total), quote.NewEvents(total)
	p.ticks = slices.Clone(p.ticks)
	for i := range p.ticks {
		k, e := &p.ticks[i], quote.Event{}
		if i%4 == 0 {
			e.Trade = &quote.Trade{Price: k.Last, Size: 7, ID: "x", Conditions: []string{"@"}}
		}
		if i%5 == 0 {
			e.Bar = &quote.Bar{Open: k.Last, High: k.Last, Low: k.Last, Close: k.Last}
		}
		if i%6 == 0 {
			e.Status = &quote.Status{State: quote.StateHalted}
		}
		if e != (quote.Event{}) {
			k.Event = events.Put(e)
		}
	}
	return p, events
}

// expected returns the kinds and numbers of the messages of a tick.
func expected(k *quote.Tick, event quote.Event, c wire.Channels) (list []message) {
	if event.Bar != nil && c&wire.Bars != 0 {
		list = append(list, message{T: "bar", I: k.Seq})
	}
	if event.Status != nil && c&wire.Statuses != 0 {
		list = append(list, message{T: "status", I: k.Seq})
	}
	if event.Trade != nil && c&wire.Trades != 0 {
		list = append(list, message{T: "trade", I: k.Seq})
	}
	return append(list, message{T: "q", I: k.Seq})
}

// TestChannels: each client gets the events of its channels right before their quotes, with any topics, mode, encoding and
// compression, live, from the log and by resuming.
func TestChannels(t *testing.T) {
	p, events := withEvents(t, 700)
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		for _, c := range []wire.Channels{0, wire.Trades, wire.Statuses, wire.Trades | wire.Statuses, wire.Bars, wire.Bars | wire.Trades | wire.Statuses} {
			for _, topics := range []string{"*", "S1", "sector:odd"} {
				for _, mode := range []Mode{ModeAll, ModeLatest} {
					l := p.log(t, Config{Size: 1024, Events: events})
					p.play(l, 300)
					selected := p.topics(t, topics)
					live := subscribe(t, l, Options{Format: format, Channels: c, Topics: selected, Mode: mode})
					from := subscribe(t, l, Options{Format: format, Channels: c, Topics: selected, Mode: mode, From: FromPosition, Position: position(200)})
					live.take(time.Now())
					checkChannels(t, &p, from, from.take(time.Now())[1:], 200, 300)
					p.play(l, 700)
					checkChannels(t, &p, live, live.take(time.Now()), 300, 700)
					checkChannels(t, &p, from, from.take(time.Now()), 300, 700)
					live.Close()
					from.Close()
					l.Close()
				}
			}
		}
	})
}

// checkChannels checks the messages of the ticks after one seq up to another.
func checkChannels(t *testing.T, p *fixture, c *client, got []message, after, upto uint64) {
	t.Helper()
	var want []message
	for i := range p.ticks[after:upto] {
		k := &p.ticks[after:upto][i]
		newest := p.newest(k.Symbol, upto) == k
		if c.opt.Topics.Has(k.Symbol) && (c.mode == ModeAll || newest) {
			want = append(want, expected(k, c.log.cfg.Events.Get(k.Event), c.opt.Channels)...)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d messages, want %d: %s", len(got), len(want), kinds(got))
	}
	for i, m := range got {
		if m.T != want[i].T || m.I != want[i].I || (m.id != "") != (m.T == "q" && c.format.Lane() == wire.SSE) {
			t.Fatalf("message %d is %s with id %q, want %s of %d", i, m.text, m.id, want[i].T, want[i].I)
		}
	}
}

// TestSnapshotShowsHalts: a snapshot has the status of symbols whose trading is halted.
func TestSnapshotShowsHalts(t *testing.T) {
	p, _ := withEvents(t, 700)
	p.ticks[0].Halted = true
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		l := p.log(t, Config{Size: 1024})
		p.play(l, 1)
		c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "*")})
		if got := c.take(time.Now()); len(got) != 2 || !strings.Contains(got[1].text, `,"status":"halted"}`) {
			t.Errorf("%s", got[len(got)-1].text)
		}
		p.play(l, 7)
		again := subscribe(t, l, Options{Format: format, Topics: p.topics(t, p.u.Instrument(p.ticks[6].Symbol).Symbol)})
		if got := again.take(time.Now()); len(got) != 2 || strings.Contains(got[1].text, "status") {
			t.Errorf("%s", got[len(got)-1].text)
		}
	})
}

// TestLongestEvents: ticks whose events have the longest texts, which JSON escapes, are whole, wherever they are in a segment.
func TestLongestEvents(t *testing.T) {
	p, events := *newFixture(t, 600), quote.NewEvents(600)
	p.ticks = slices.Clone(p.ticks)
	long := func(n int) string { return strings.Repeat("<", n) }
	trade := &quote.Trade{Size: 1, ID: long(64), Venue: long(32), Corrects: long(64), Cancels: long(64), Conditions: slices.Repeat([]string{long(16)}, 8)}
	if err := trade.Check(); err != nil {
		t.Fatal(err)
	}
	for i := range p.ticks {
		p.ticks[i].Event = events.Put(quote.Event{Trade: trade, Status: &quote.Status{State: quote.StateHalted, Reason: long(128)}, Bar: &quote.Bar{}})
	}
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		l := p.log(t, Config{Size: 1024, Events: events})
		c := subscribe(t, l, Options{Format: format, Channels: wire.Trades | wire.Statuses | wire.Bars, Topics: p.topics(t, "*"), From: FromOldest})
		c.take(time.Now())
		p.play(l, 600)
		checkChannels(t, &p, c, c.take(time.Now()), 0, 600)
	})
}
