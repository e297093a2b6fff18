package stream

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

// wasNotified reports whether the subscriber was notified since the last call.
func wasNotified(s *Subscriber) bool {
	select {
	case <-s.notifyCh:
		return true
	default:
		return false
	}
}

// TestNotifiesOnlyForOwnTopics: ticks of other topics don't notify a waiting subscriber.
func TestNotifiesOnlyForOwnTopics(t *testing.T) {
	u := testUniverse(t, testSymbols)
	p := fixtureOf(u, 1, 2, 1, 3, 4)
	l := p.log(t, Config{Size: 1 << 16})
	clients := map[string]*client{}
	for _, topics := range []string{"S1", "S2", "sector:odd", "*"} {
		c := subscribe(t, l, Options{Topics: p.topics(t, topics)})
		c.take(noon)
		clients[topics] = c
	}
	for seq, want := range [][]string{{"S1", "sector:odd", "*"}, {"S2", "*"}, {"S1", "sector:odd", "*"}, {"sector:odd", "*"}, {"*"}} {
		p.play(l, uint64(seq+1))
		awaitNotifier(t, l)
		notified := 0
		for topics, c := range clients {
			if !wasNotified(c.Subscriber) {
				continue
			}
			notified++
			if got := c.take(noon); kinds(got) != "q×1" {
				t.Errorf("tick %d notified %s, which got %q", seq+1, topics, kinds(got))
			}
		}
		if notified != len(want) {
			t.Errorf("tick %d woke %d, want %v", seq+1, notified, want)
		}
	}
}

// TestWaiting: a tick notifies a subscriber only after Next has returned nothing, and not while ticks wait for an interval.
func TestWaiting(t *testing.T) {
	synctest.Test(t, testWaiting)
}

func testWaiting(t *testing.T) {
	p := newFixture(t, 10)
	l := p.log(t, Config{Size: 16})
	c := subscribe(t, l, Options{Topics: p.topics(t, "*"), Interval: time.Second})
	for i, step := range []struct {
		seq         uint64
		at          time.Duration
		got         string
		before, end bool // waiting after the first call of Next, and after the last
	}{
		{0, 0, "hello snapshot", false, true},
		{1, 0, "q×1", false, true},
		{2, time.Second - 1, "", false, false},
		{3, time.Second, "q×2", false, true},
		{3, time.Second, "", true, true},
	} {
		p.play(l, step.seq)
		synctest.Wait() // the notifier has had its pass
		got := c.decode(c.Next(noon.Add(step.at)))
		before := c.waiting.Load()
		got = append(got, c.take(noon.Add(step.at))...)
		if kinds(got) != step.got || before != step.before || c.waiting.Load() != step.end {
			t.Errorf("step %d: %q, waiting %v then %v", i, kinds(got), before, c.waiting.Load())
		}
	}
}

// TestNotifyWaiting: a subscriber is notified once, until it waits again.
func TestNotifyWaiting(t *testing.T) {
	p := newFixture(t, 10)
	l := p.log(t, Config{Size: 16})
	c := subscribe(t, l, Options{Topics: p.topics(t, "*")})
	c.take(noon)
	for i, want := range []bool{true, false} {
		if c.notifyWaiting(); wasNotified(c.Subscriber) != want {
			t.Errorf("call %d: notified %v", i, !want)
		}
	}
}

// TestWaitlistsAfterTopicChange: a subscriber is in the waitlists of its new topics only, and the others of its old topics
// stay in theirs.
func TestWaitlistsAfterTopicChange(t *testing.T) {
	u := testUniverse(t, testSymbols)
	p := fixtureOf(u, 1, 2, 1, 2)
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
		wasNotified(c.Subscriber)
	}
	stay[0].Close()
	for seq := uint64(1); seq <= 4; seq++ {
		p.play(l, seq)
		awaitNotifier(t, l)
		one := p.ticks[seq-1].Symbol == 1
		if wasNotified(mover.Subscriber) == one {
			t.Errorf("tick %d of S%d: notified the one that changed: %v", seq, p.ticks[seq-1].Symbol, one)
		}
		for _, c := range stay[1:] {
			if wasNotified(c.Subscriber) != one {
				t.Errorf("tick %d of S%d: notified one that stayed: %v", seq, p.ticks[seq-1].Symbol, !one)
			}
			c.take(noon)
		}
		mover.take(noon)
	}
	if wasNotified(stay[0].Subscriber) {
		t.Error("a closed subscriber was notified")
	}
}

// TestRotation: the lanes alternate within a pass. In four passes each lane is first twice, and each end of its list is first
// twice, so that neither a lane nor the oldest stream has an advantage.
func TestRotation(t *testing.T) {
	p := newFixture(t, 10)
	l := p.log(t, Config{Size: 16})
	names := map[*Subscriber]string{}
	for i, format := range []wire.Format{wire.SSEJSON, wire.SSEJSON, wire.SSEJSON, wire.WSJSON, wire.WSJSON} {
		c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "*")})
		names[c.Subscriber] = []string{"s1", "s2", "s3", "w1", "w2"}[i]
	}
	for pass, want := range []string{"s1 w1 s2 w2 s3 ", "w1 s1 w2 s2 s3 ", "s3 w2 s2 w1 s1 ", "w2 s3 w1 s2 s1 "} {
		got := ""
		for c := range l.notifier.every.rotated(rotation(pass)) {
			got += names[c] + " "
		}
		if got != want {
			t.Errorf("rotation %d: %s, want %s", pass, got, want)
		}
	}
	seen := map[rotation]bool{}
	for range 4 {
		l.notifier.notifyAll(0)
		seen[l.notifier.rotation] = true
	}
	if len(seen) != 4 {
		t.Errorf("four passes had %d orders", len(seen))
	}
}

// TestNoLostNotification: subscribers that read only when they are notified get every tick.
func TestNoLostNotification(t *testing.T) {
	total := uint64(testkit.Rounds(4000, 40_000))
	for _, pause := range []time.Duration{0, 100 * time.Microsecond} {
		p := newFixture(t, int(total))
		l := p.log(t, Config{Size: 1 << 15, FlushInterval: pause})
		appended := make(chan struct{}) // the notifier has handled all ticks
		var all sync.WaitGroup
		for i := range 8 {
			topics := []string{"*", "S1", "sector:even", "S2,S3"}[i%4]
			c := subscribe(t, l, Options{Format: wire.Format(i % 2), Topics: p.topics(t, strings.Split(topics, ",")...), Mode: Mode(i / 4)})
			w := newChecker(t, p, c.opt.Topics, c.opt.Mode)
			w.check(c.take(noon)...)
			last := p.last(c.opt.Topics)
			all.Go(func() {
				for w.checked < last {
					select {
					case <-c.notifyCh:
					case <-appended:
						if !wasNotified(c.Subscriber) {
							t.Errorf("%s in mode %v: not notified at %d of %d", topics, c.opt.Mode, w.checked, last)
							return
						}
					}
					for _, m := range c.take(noon) {
						w.check(m)
					}
				}
			})
		}
		for seq := uint64(0); seq < total; {
			seq = min(total, seq+1+seq%3)
			p.play(l, seq)
		}
		awaitNotifier(t, l)
		close(appended)
		all.Wait()
	}
}
