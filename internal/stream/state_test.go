package stream

import (
	"testing"
	"time"

	"ticklane/internal/wire"
)

// TestStateTransitions checks every event in every state.
func TestStateTransitions(t *testing.T) {
	type transition struct {
		state state
		event event
	}
	allowed := map[transition]state{
		{stateNew, eventHello}:        stateStreaming,
		{stateStreaming, eventBye}:    stateDraining,
		{stateStreaming, eventStop}:   stateDraining,
		{stateDraining, eventDrained}: stateEnded,
	}
	for before := range numStates {
		for e := range numEvents {
			want, ok := allowed[transition{before, e}]
			if !ok {
				want = before
			}
			after := before
			if got := after.apply(e); got != ok || after != want {
				t.Errorf("state %d, event %d: state %d, allowed %v; want %d, %v", before, e, after, got, want, ok)
			}
		}
	}
}

// TestStates follows a subscriber through its states, for each way to end.
func TestStates(t *testing.T) {
	p := newFixture(t, 100)
	for name, end := range map[string]func(c *client, l *Log) time.Time{
		"End":      func(c *client, _ *Log) time.Time { c.End(wire.ByeShutdown); return noon },
		"Stop":     func(c *client, _ *Log) time.Time { c.Stop(); return noon },
		"limit":    func(_ *client, l *Log) time.Time { p.play(l, 20); return noon },
		"duration": func(*client, *Log) time.Time { return noon.Add(time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			l := p.log(t, Config{Size: 128})
			// Every message needs several writes.
			c := subscribe(t, l, Options{Topics: p.topics(t, "*"), MaxRead: 30, Limit: 10, Duration: time.Minute})
			expect := func(want state) {
				t.Helper()
				if c.state != want || c.Ended() != (want == stateEnded) {
					t.Fatalf("state %d, ended %v; want state %d", c.state, c.Ended(), want)
				}
			}
			expect(stateNew)
			got := c.decode(c.Next(noon))
			expect(stateStreaming)
			got = append(got, c.take(noon)...)
			expect(stateStreaming)
			now := end(c, l)
			for {
				b := c.Next(now)
				got = append(got, c.decode(b)...)
				if len(b) == 0 || c.state == stateEnded {
					break
				}
				if name == "limit" && c.Counters().Ticks < 10 {
					expect(stateStreaming)
				} else {
					expect(stateDraining)
				}
			}
			expect(stateEnded)
			want := map[string]string{"End": "hello snapshot bye", "Stop": "hello snapshot", "limit": "hello snapshot q×10 bye", "duration": "hello snapshot bye"}[name]
			if kinds(got) != want || len(c.in) > 0 {
				t.Errorf("got %s and %d bytes, want %s", kinds(got), len(c.in), want)
			}
			if b := c.Next(now.Add(time.Hour)); b != nil {
				t.Errorf("%d bytes after the end", len(b))
			}
		})
	}
}

// TestOneBye: a limit and an end at the same time give one bye.
func TestOneBye(t *testing.T) {
	p := newFixture(t, 100)
	l := p.log(t, Config{Size: 128})
	c := subscribe(t, l, Options{Topics: p.topics(t, "*"), Limit: 10})
	c.take(noon)
	p.play(l, 10)
	b := c.Next(noon) // the ticks, with the bye of the limit in the outbox
	c.End(wire.ByeShutdown)
	got := append(c.decode(b), c.take(noon)...)
	if kinds(got) != "q×10 bye" || c.Reason() != wire.ByeLimit || c.Counters().Messages != 13 {
		t.Errorf("got %s, reason %s, %+v", kinds(got), c.Reason(), c.Counters())
	}
}
