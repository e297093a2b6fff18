package stream

import (
	"slices"
	"testing"

	"ticklane/internal/wire"
)

// TestLaneCounters: a lane counts live and closed streams, each once.
func TestLaneCounters(t *testing.T) {
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		p := newFixture(t, 2000)
		l := p.log(t, Config{Size: 300})
		first := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "*")})
		first.take(noon)
		p.play(l, 100)
		first.take(noon)
		first.MarkSlow()
		first.meter.Bytes.Add(1000)
		want := Counters{Ticks: 100, Messages: 102, Wire: 1000, Payload: first.Counters().Payload}
		want.CompressIn, want.CompressOut = first.Counters().CompressIn, first.Counters().CompressOut
		if n := l.Lane(format.Lane()); n.Connections != 1 || n.Counters != want || n.Opened != 1 || n.Resumes != 0 {
			t.Errorf("live: %+v", n)
		}
		first.Close()
		if n := l.Lane(format.Lane()); n.Connections != 0 || n.Counters != want || n.Slow != 1 {
			t.Errorf("closed: %+v", n)
		}
		resumed := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "*"), From: FromPosition, Position: position(90)})
		resumed.take(noon)
		p.play(l, 2000)
		resumed.take(noon)
		if n := l.Lane(format.Lane()); n.Connections != 1 || n.Ticks != 110 || n.Gaps != 1 || n.Resumes != 1 || n.Opened != 2 {
			t.Errorf("both: %+v", n)
		}
		if n := l.Lane(wire.Lanes - 1 - format.Lane()); n != (LaneStats{}) {
			t.Errorf("the other lane: %+v", n)
		}
	})
}

// TestPayloadCounter: it counts the messages without the lane's framing.
func TestPayloadCounter(t *testing.T) {
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		for _, topics := range []string{"*", "S1"} {
			for _, mode := range []Mode{ModeAll, ModeLatest} {
				p := newFixture(t, 700)
				l := p.log(t, Config{Size: 1024})
				c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, topics), Mode: mode, Limit: 9})
				got := c.take(noon)
				p.play(l, 700)
				got = append(got, c.take(noon)...)
				payload := 0
				for _, m := range got {
					payload += m.size
				}
				if n := c.Counters(); n.Payload != uint64(payload) || n.Messages != uint64(len(got)) {
					t.Errorf("%s in mode %v: %+v, want %d messages of %d bytes", topics, mode, n, len(got), payload)
				}
			}
		}
	})
}

func TestRegistry(t *testing.T) {
	p := newFixture(t, 100)
	l := p.log(t, Config{Size: 128})
	a := subscribe(t, l, Options{Topics: p.topics(t, "S1"), User: "ann"})
	b := subscribe(t, l, Options{Format: wire.WSJSON, Topics: p.topics(t, "*"), Mode: ModeLatest})
	if got := l.Subscribers(); !slices.Equal(got, []*Subscriber{a.Subscriber, b.Subscriber}) {
		t.Errorf("Subscribers returns %d", len(got))
	}
	if l.Find(a.Conn()) != a.Subscriber || l.Find("") != nil || l.Find(a.ID()) != nil {
		t.Error("Find finds by something else than the conn id")
	}
	if len(a.Conn()) != 32 || a.Conn() == b.Conn() || a.ID() == b.ID() {
		t.Errorf("ids %q %q, %q %q", a.Conn(), b.Conn(), a.ID(), b.ID())
	}
	p.play(l, 40)
	if i := a.Info(); i.User != "ann" || i.Lag != 40 || i.Lane != "sse" || i.Mode != "all" || !slices.Equal(i.Topics, []string{"S1"}) {
		t.Errorf("info %+v", i)
	}
	a.Close()
	if l.Find(a.Conn()) != nil || len(l.Subscribers()) != 1 {
		t.Error("a closed subscriber is still registered")
	}
}
