package stream

import (
	"sync"
	"testing"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

func rung(s *Subscriber) bool {
	select {
	case <-s.Notified():
		return true
	default:
		return false
	}
}

// TestWakesOnlyWhoWantsIt: a parked subscriber is left alone by other people's ticks.
func TestWakesOnlyWhoWantsIt(t *testing.T) {
	u := testUniverse(t, testSymbols)
	p := tapeOf(u, 1, 2, 1, 3, 4)
	l := p.log(t, Config{Size: 1 << 16})
	clients := map[string]*client{}
	for _, topics := range []string{"S1", "S2", "sector:odd", "*"} {
		c := subscribe(t, l, Options{Topics: p.topics(t, topics)})
		c.take(noon)
		clients[topics] = c
	}
	for seq, want := range [][]string{{"S1", "sector:odd", "*"}, {"S2", "*"}, {"S1", "sector:odd", "*"}, {"sector:odd", "*"}, {"*"}} {
		p.play(l, uint64(seq+1))
		settle(l)
		woken := 0
		for topics, c := range clients {
			if !rung(c.Subscriber) {
				continue
			}
			woken++
			if got := c.take(noon); kinds(got) != "q×1" {
				t.Errorf("after tick %d %s was woken for %q", seq+1, topics, kinds(got))
			}
		}
		if woken != len(want) {
			t.Errorf("tick %d woke %d, want %v", seq+1, woken, want)
		}
	}
}

// TestMovesWithItsTopics: after a change a subscriber stands under its new topics alone, and those who stood beside
// it stay where they are.
func TestMovesWithItsTopics(t *testing.T) {
	u := testUniverse(t, testSymbols)
	p := tapeOf(u, 1, 2, 1, 2)
	l := p.log(t, Config{Size: 1 << 16})
	var stay []*client
	mover := subscribe(t, l, Options{Topics: p.topics(t, "S1")})
	for range 3 {
		stay = append(stay, subscribe(t, l, Options{Topics: p.topics(t, "S1", "S3")}))
	}
	for _, cmd := range []wire.Command{command("subscribe", 1, "S2"), command("unsubscribe", 2, "S1")} {
		if err := mover.EnqueueCommand(cmd, noon); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range append(stay, mover) {
		c.take(noon)
		rung(c.Subscriber)
	}
	stay[0].Close()
	for seq := uint64(1); seq <= 4; seq++ {
		p.play(l, seq)
		settle(l)
		one := p.ticks[seq-1].Symbol == 1
		if rung(mover.Subscriber) == one {
			t.Errorf("tick %d of S%d: the mover was woken: %v", seq, p.ticks[seq-1].Symbol, one)
		}
		for _, c := range stay[1:] {
			if rung(c.Subscriber) != one {
				t.Errorf("tick %d of S%d: who stayed was woken: %v", seq, p.ticks[seq-1].Symbol, !one)
			}
			c.take(noon)
		}
		mover.take(noon)
	}
	if rung(stay[0].Subscriber) {
		t.Error("a closed subscriber was woken")
	}
}

// TestLanesTakeTurns: within a round the lanes alternate; over four rounds each goes first twice, and each end of a
// lane's list goes first twice, so that neither a lane nor the stream that was opened first is favoured.
func TestLanesTakeTurns(t *testing.T) {
	p := newTape(t, 10)
	l := p.log(t, Config{Size: 16})
	names := map[*Subscriber]string{}
	for i, format := range []wire.Format{wire.SSEJSON, wire.SSEJSON, wire.SSEJSON, wire.WSJSON, wire.WSJSON} {
		c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "*")})
		names[c.Subscriber] = []string{"s1", "s2", "s3", "w1", "w2"}[i]
	}
	for round, want := range []string{"s1 w1 s2 w2 s3 ", "w1 s1 w2 s2 s3 ", "s3 w2 s2 w1 s1 ", "w2 s3 w1 s2 s1 "} {
		got := ""
		for c := range l.notifier.every.rotated(rotation(round)) {
			got += names[c] + " "
		}
		if got != want {
			t.Errorf("round %d goes %s, want %s", round, got, want)
		}
	}
	seen := map[rotation]bool{}
	for range 4 {
		l.notifier.notifyAll(0)
		seen[l.notifier.rotation] = true
	}
	if len(seen) != 4 {
		t.Errorf("four rounds went in %d orders", len(seen))
	}
}

// TestNoLostWakeUp: subscribers that read only when they are told get every tick of a market that stops at any moment.
func TestNoLostWakeUp(t *testing.T) {
	const total = 10_000
	for _, pause := range []time.Duration{0, 100 * time.Microsecond} {
		p := newTape(t, total)
		l := p.log(t, Config{Size: 1 << 15, FlushInterval: pause})
		told := make(chan struct{}) // the waker has told everybody of everything
		var all sync.WaitGroup
		for i := range 8 {
			topics := []string{"*", "S1", "sector:even", "S2,S3"}[i%4]
			c := subscribe(t, l, Options{Format: wire.Format(i % 2), Topics: p.topics(t, quote.SplitTopics(topics)...), Mode: Mode(i / 4)})
			w := newWitness(t, p, c.opt.Topics, c.opt.Mode)
			w.see(c.take(noon)...)
			last := p.last(c.opt.Topics)
			all.Go(func() {
				for w.place < last {
					select {
					case <-c.Notified():
					case <-told:
						if !rung(c.Subscriber) {
							t.Errorf("%s in mode %v: asleep at %d of %d", topics, c.opt.Mode, w.place, last)
							return
						}
					}
					for _, m := range c.take(noon) {
						w.see(m)
					}
				}
			})
		}
		for seq := uint64(0); seq < total; {
			seq = min(total, seq+1+seq%3)
			p.play(l, seq)
		}
		settle(l)
		close(told)
		all.Wait()
	}
}
