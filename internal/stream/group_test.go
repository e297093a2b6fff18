package stream

import (
	"strings"
	"sync"
	"testing"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// collected is whom a round returns, by the names that their owners gave them.
func collected(g *Group, now time.Time) string {
	all, _ := g.Collect(nil, now)
	var names []string
	for _, s := range all {
		names = append(names, s.Owner().(string))
	}
	return strings.Join(names, " ")
}

// grouped opens a subscriber of a group and reads its hello.
func grouped(t *testing.T, l *Log, g *Group, name string, format wire.Format, topics quote.Topics) *client {
	c := subscribe(t, l, Options{Group: g, Owner: name, Format: format, Topics: topics})
	c.take(noon)
	return c
}

// TestGroupCollectsWhoWantsIt: in turn, each once however many of its symbols moved, and nobody of another group.
func TestGroupCollectsWhoWantsIt(t *testing.T) {
	u := testUniverse(t, testSymbols)
	p := tapeOf(u, 1, 3, 2, 4, 4, 4)
	l := p.log(t, Config{Size: 1 << 16})
	g, other := l.NewGroup(), l.NewGroup()
	defer g.Close()
	defer other.Close()
	grouped(t, l, other, "other", wire.SSEJSON, p.topics(t, "*"))
	for _, x := range []struct {
		name   string
		format wire.Format
		topics string
	}{{"s1", wire.SSEJSON, "*"}, {"s2", wire.SSEJSON, "*"}, {"w1", wire.WSJSON, "*"}, {"odd", wire.WSJSON, "sector:odd"}, {"two", wire.SSEJSON, "S2"}} {
		grouped(t, l, g, x.name, x.format, p.topics(t, x.topics))
	}
	for _, round := range []struct {
		upto uint64
		want string
	}{{2, "w1 s1 s2 odd"}, {3, "s2 w1 s1 two"}, {4, "w1 s2 s1"}, {4, ""}, {6, "s1 w1 s2"}} {
		p.play(l, round.upto)
		if got := collected(g, noon); got != round.want {
			t.Errorf("up to %d: %q, want %q", round.upto, got, round.want)
		}
	}
}

// TestGroupIsRung: what isn't a tick brings a subscriber into the next round once, on top of its ticks.
func TestGroupIsRung(t *testing.T) {
	p := newTape(t, 10)
	l := p.log(t, Config{Size: 16})
	g := l.NewGroup()
	c := grouped(t, l, g, "c", wire.WSJSON, p.topics(t, "*"))
	for len(g.Notified()) > 0 {
		<-g.Notified()
	}
	if err := c.EnqueueCommand(command("time", 1), noon); err != nil {
		t.Fatal(err)
	}
	c.End(wire.ByeShutdown)
	c.Notify()
	if len(g.Notified()) != 1 || collected(g, noon) != "c" || collected(g, noon) != "" {
		t.Error("three rings aren't one round")
	}
	g.Close()
	p.play(l, 10)
	if len(g.Notified()) != 1 { // the ring's own
		t.Error("a closed group was nudged")
	}
}

// TestGroupKeepsTheFlushInterval: ticks wait for it, rings don't.
func TestGroupKeepsTheFlushInterval(t *testing.T) {
	p := newTape(t, 10)
	l := p.log(t, Config{Size: 16, FlushInterval: time.Second})
	g := l.NewGroup()
	defer g.Close()
	c := grouped(t, l, g, "c", wire.SSEJSON, p.topics(t, "*"))
	collected(g, noon)
	p.play(l, 1)
	if got := collected(g, noon); got != "c" {
		t.Errorf("the first tick: %q", got)
	}
	p.play(l, 2)
	soon := noon.Add(500 * time.Millisecond)
	if got := collected(g, soon); got != "" || !g.Deadline().Equal(noon.Add(time.Second)) {
		t.Errorf("too soon: %q, due %v", got, g.Deadline())
	}
	c.Notify()
	if got := collected(g, soon); got != "c" {
		t.Errorf("rung: %q", got)
	}
	if got := collected(g, g.Deadline()); got != "c" {
		t.Errorf("when due: %q", got)
	}
	if collected(g, g.Deadline()); !g.Deadline().IsZero() {
		t.Errorf("with nothing new it is due %v", g.Deadline())
	}
}

// TestCaughtIsTrue: a subscriber that says it has caught up indeed has nothing more.
func TestCaughtIsTrue(t *testing.T) {
	p := newTape(t, 2000)
	l := p.log(t, Config{Size: 1 << 12})
	g := l.NewGroup()
	defer g.Close()
	var all []*Subscriber
	for i, topics := range []string{"*", "S1", "*", "sector:odd"} {
		s := l.Subscribe(Options{Group: g, Topics: p.topics(t, topics), Mode: Mode(i / 2), MaxRead: 1000, Format: wire.Format(i % 2)})
		defer s.Close()
		all = append(all, s)
	}
	saved := 0
	for seq := uint64(0); seq < 2000; {
		seq = min(2000, seq+1+seq%7)
		p.play(l, seq)
		for _, s := range all {
			for len(s.Next(noon)) > 0 {
				if s.CaughtUp(seq) {
					saved++
					if b := s.Next(noon); len(b) > 0 {
						t.Fatalf("caught up at %d, but there was %q", seq, b)
					}
				}
			}
		}
	}
	if saved < 1000 {
		t.Errorf("only %d calls were saved", saved)
	}
}

// TestNoLostRound: a writer that waits for its bell alone hands every tick over, whatever the market does.
func TestNoLostRound(t *testing.T) {
	const total = 10_000
	p := newTape(t, total)
	l := p.log(t, Config{Size: 1 << 15})
	g := l.NewGroup()
	defer g.Close()
	witnesses := map[*Subscriber]*witness{}
	clients := map[*Subscriber]*client{}
	left := 0
	for i := range 8 {
		topics := p.topics(t, quote.SplitTopics([]string{"*", "S1", "sector:even", "S2,S3"}[i%4])...)
		c := subscribe(t, l, Options{Group: g, Format: wire.Format(i % 2), Topics: topics, Mode: Mode(i / 4)})
		w := newWitness(t, p, topics, c.opt.Mode)
		w.see(c.take(noon)...)
		witnesses[c.Subscriber], clients[c.Subscriber] = w, c
		left++
	}
	played := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for left > 0 {
			select {
			case <-g.Notified():
			case <-played:
				if len(g.Notified()) == 0 {
					t.Errorf("asleep with %d to go", left)
					return
				}
			}
			all, _ := g.Collect(nil, noon)
			for _, s := range all {
				w, last := witnesses[s], p.last(clients[s].opt.Topics)
				before := w.place
				w.see(clients[s].take(noon)...)
				if before < last && w.place >= last {
					left--
				}
			}
		}
	})
	for seq := uint64(0); seq < total; {
		seq = min(total, seq+1+seq%3)
		p.play(l, seq)
	}
	close(played)
	writer.Wait()
}
