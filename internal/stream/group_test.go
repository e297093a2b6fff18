package stream

import (
	"strings"
	"sync"
	"testing"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

// collected returns the owners of the subscribers that one pass collects.
func collected(g *Group, now time.Time) string {
	all, _ := g.CollectTicks(nil, now)
	all = g.CollectNotified(all, 100)
	var names []string
	for _, s := range all {
		names = append(names, s.Owner().(string))
	}
	return strings.Join(names, " ")
}

// subscribeIn subscribes in a group, and reads the hello.
func subscribeIn(t *testing.T, l *Log, g *Group, name string, format wire.Format, topics quote.Topics) *client {
	c := subscribe(t, l, Options{Group: g, Owner: name, Format: format, Topics: topics})
	c.take(noon)
	return c
}

// TestCollectTicks: subscribers come in the order of the rotation, each once even if several of its symbols ticked, and none
// of another group.
func TestCollectTicks(t *testing.T) {
	u := testUniverse(t, testSymbols)
	p := fixtureOf(u, 1, 3, 2, 4, 4, 4)
	l := p.log(t, Config{Size: 1 << 16})
	g, other := l.NewGroup(), l.NewGroup()
	defer g.Close()
	defer other.Close()
	subscribeIn(t, l, other, "other", wire.SSEJSON, p.topics(t, "*"))
	for _, x := range []struct {
		name   string
		format wire.Format
		topics string
	}{{"s1", wire.SSEJSON, "*"}, {"s2", wire.SSEJSON, "*"}, {"w1", wire.WSJSON, "*"}, {"odd", wire.WSJSON, "sector:odd"}, {"two", wire.SSEJSON, "S2"}} {
		subscribeIn(t, l, g, x.name, x.format, p.topics(t, x.topics))
	}
	for _, pass := range []struct {
		upto uint64
		want string
	}{{2, "w1 s1 s2 odd"}, {3, "s2 w1 s1 two"}, {4, "w1 s2 s1"}, {4, ""}, {6, "s1 w1 s2"}} {
		p.play(l, pass.upto)
		if got := collected(g, noon); got != pass.want {
			t.Errorf("up to %d: %q, want %q", pass.upto, got, pass.want)
		}
	}
}

// TestCollectNotified: however often a subscriber is notified, the next pass returns it once, in addition to its ticks.
func TestCollectNotified(t *testing.T) {
	p := newFixture(t, 10)
	l := p.log(t, Config{Size: 16})
	g := l.NewGroup()
	c := subscribeIn(t, l, g, "c", wire.WSJSON, p.topics(t, "*"))
	for len(g.Notified()) > 0 {
		<-g.Notified()
	}
	if err := c.EnqueueCommand(command("time", 1), noon); err != nil {
		t.Fatal(err)
	}
	c.End(wire.ByeShutdown)
	c.Notify()
	if len(g.Notified()) != 1 || collected(g, noon) != "c" || collected(g, noon) != "" {
		t.Error("three notifications are not one pass")
	}
	<-g.Notified()
	g.Close()
	p.play(l, 10)
	if len(g.Notified()) != 0 {
		t.Error("a closed group was signaled")
	}
}

// TestCollectNotifiedInParts: what one call leaves is returned by the next ones, in order and once, and Notified receives.
func TestCollectNotifiedInParts(t *testing.T) {
	p := newFixture(t, 10)
	l := p.log(t, Config{Size: 16})
	g := l.NewGroup()
	defer g.Close()
	clients := make([]*client, 5)
	for i := range clients {
		clients[i] = subscribeIn(t, l, g, string(rune('a'+i)), wire.SSEJSON, p.topics(t, "*"))
	}
	collected(g, noon)
	for len(g.Notified()) > 0 {
		<-g.Notified()
	}
	for _, c := range clients {
		c.Notify()
	}
	var got []string
	for range 3 {
		<-g.Notified()
		clients[4].Notify() // it waits already, so this is no second notification
		part := ""
		for _, s := range g.CollectNotified(nil, 2) {
			part += s.Owner().(string)
		}
		got = append(got, part)
	}
	if want := "ab cd e"; strings.Join(got, " ") != want || collected(g, noon) != "" {
		t.Errorf("parts %q, want %q and nothing after them", got, want)
	}
}

// TestGroupFlushInterval: ticks wait for it, other notifications don't.
func TestGroupFlushInterval(t *testing.T) {
	p := newFixture(t, 10)
	l := p.log(t, Config{Size: 16, FlushInterval: time.Second})
	g := l.NewGroup()
	defer g.Close()
	c := subscribeIn(t, l, g, "c", wire.SSEJSON, p.topics(t, "*"))
	collected(g, noon)
	p.play(l, 1)
	if got := collected(g, noon); got != "c" {
		t.Errorf("the first tick: %q", got)
	}
	p.play(l, 2)
	soon := noon.Add(500 * time.Millisecond)
	if got := collected(g, soon); got != "" || !g.Deadline().Equal(noon.Add(time.Second)) {
		t.Errorf("too soon: %q, deadline %v", got, g.Deadline())
	}
	c.Notify()
	if got := collected(g, soon); got != "c" {
		t.Errorf("notified: %q", got)
	}
	if got := collected(g, g.Deadline()); got != "c" {
		t.Errorf("at the deadline: %q", got)
	}
	if collected(g, g.Deadline()); !g.Deadline().IsZero() {
		t.Errorf("without new ticks: deadline %v", g.Deadline())
	}
}

// TestGroupWithoutFlushInterval: no pass is due at a time.
func TestGroupWithoutFlushInterval(t *testing.T) {
	p := newFixture(t, 10)
	l := p.log(t, Config{Size: 16})
	g := l.NewGroup()
	defer g.Close()
	subscribeIn(t, l, g, "c", wire.SSEJSON, p.topics(t, "*"))
	p.play(l, 1)
	if got := collected(g, noon); got != "c" || !g.Deadline().IsZero() {
		t.Errorf("%q, deadline %v", got, g.Deadline())
	}
}

// TestSweep: a subscriber of quiet topics is collected when its client's position is a quarter of the log old.
func TestSweep(t *testing.T) {
	p := newFixture(t, 400)
	for head, want := range map[uint64]string{99: "", 100: "quiet"} {
		l := p.log(t, Config{Size: 400})
		g := l.NewGroup()
		c := subscribeIn(t, l, g, "quiet", wire.SSEJSON, quote.Topics{})
		collected(g, noon)
		p.play(l, head)
		if got := collected(g, noon); got != want {
			t.Errorf("at %d: %q", head, got)
		}
		if got := kinds(c.take(noon)); (got == "hb") != (want != "") {
			t.Errorf("at %d: got %q", head, got)
		}
		g.Close()
	}
}

// TestCaughtUp: when it is true, Next returns nothing.
func TestCaughtUp(t *testing.T) {
	p := newFixture(t, 2000)
	l := p.log(t, Config{Size: 1 << 12})
	g := l.NewGroup()
	defer g.Close()
	var all []*Subscriber
	for i, topics := range []string{"*", "S1", "*", "sector:odd"} {
		s := l.Subscribe(Options{Group: g, Topics: p.topics(t, topics), Mode: Mode(i / 2), MaxRead: 1000, Format: wire.Format(i % 2)})
		defer s.Close()
		all = append(all, s)
	}
	calls := 0
	for seq := uint64(0); seq < 2000; {
		seq = min(2000, seq+1+seq%7)
		p.play(l, seq)
		for _, s := range all {
			for len(s.Next(noon)) > 0 {
				if s.CaughtUp(seq) {
					calls++
					if b := s.Next(noon); len(b) > 0 {
						t.Fatalf("caught up at %d, but there was %q", seq, b)
					}
				}
			}
		}
	}
	if calls < 1000 {
		t.Errorf("CaughtUp was true only %d times", calls)
	}
}

// TestNoLostPass: a writer that waits only for Notified hands over every tick.
func TestNoLostPass(t *testing.T) {
	total := uint64(testkit.Rounds(4000, 40_000))
	p := newFixture(t, int(total))
	l := p.log(t, Config{Size: 1 << 15})
	g := l.NewGroup()
	defer g.Close()
	checkers := map[*Subscriber]*checker{}
	clients := map[*Subscriber]*client{}
	left := 0
	for i := range 8 {
		topics := p.topics(t, strings.Split([]string{"*", "S1", "sector:even", "S2,S3"}[i%4], ",")...)
		c := subscribe(t, l, Options{Group: g, Format: wire.Format(i % 2), Topics: topics, Mode: Mode(i / 4)})
		w := newChecker(t, p, topics, c.opt.Mode)
		w.check(c.take(noon)...)
		checkers[c.Subscriber], clients[c.Subscriber] = w, c
		left++
	}
	appended := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for left > 0 {
			select {
			case <-g.Notified():
			case <-appended:
				if len(g.Notified()) == 0 {
					t.Errorf("not notified, %d subscribers have ticks left", left)
					return
				}
			}
			all, _ := g.CollectTicks(nil, noon)
			all = g.CollectNotified(all, 100)
			for _, s := range all {
				w, last := checkers[s], p.last(clients[s].opt.Topics)
				before := w.checked
				w.check(clients[s].take(noon)...)
				if before < last && w.checked >= last {
					left--
				}
			}
		}
	})
	for seq := uint64(0); seq < total; {
		seq = min(total, seq+1+seq%3)
		p.play(l, seq)
	}
	close(appended)
	writer.Wait()
}
