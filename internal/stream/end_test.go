package stream

import (
	"fmt"
	"testing"
	"time"

	"ticklane/internal/wire"
)

func TestLimit(t *testing.T) {
	t.Parallel()
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		for _, topics := range []string{"*", "sector:odd"} {
			for _, mode := range []Mode{ModeAll, ModeLatest} {
				for _, limit := range []uint64{1, 2, 255, 256, 257, 600} {
					t.Run(fmt.Sprint(topics, mode, limit), func(t *testing.T) {
						p := newFixture(t, 4000)
						l := p.log(t, Config{Size: 4096})
						p.play(l, 10)
						c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, topics), Limit: limit, Mode: mode})
						w := newChecker(t, p, c.opt.Topics, mode)
						w.start(10)
						var got []message
						for seq := uint64(10); seq <= 4000 && !c.Ended(); seq += 10 {
							p.play(l, seq)
							got = append(got, c.take(noon)...)
						}
						w.check(got...)
						if want := fmt.Sprintf("hello snapshot q×%d bye", limit); kinds(got) != want {
							t.Fatalf("got %s, want %s", kinds(got), want)
						}
						bye := got[len(got)-1]
						if bye.Reason != wire.ByeLimit || bye.Retry != 0 || c.Reason() != wire.ByeLimit {
							t.Errorf("bye %s", bye.text)
						}
						if format == wire.SSEJSON && (bye.id != wire.EndID || bye.retry != "86400000") {
							t.Errorf("bye has id %q and retry %q", bye.id, bye.retry)
						}
						if !c.Ended() || c.Next(noon.Add(time.Hour)) != nil {
							t.Error("Next returns bytes after the bye")
						}
						if n := c.Counters().Ticks; n != limit {
							t.Errorf("%d ticks counted", n)
						}
					})
				}
			}
		}
	})
}

func TestDuration(t *testing.T) {
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		p := newFixture(t, 100)
		l := p.log(t, Config{Size: 100})
		c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "*"), Duration: time.Second})
		got := c.take(noon)
		if d := c.Deadline(); !d.Equal(noon.Add(time.Second)) {
			t.Errorf("deadline %v", d)
		}
		p.play(l, 50)
		got = append(got, c.take(noon.Add(time.Second-time.Nanosecond))...)
		got = append(got, c.take(noon.Add(time.Second))...)
		if kinds(got) != "hello snapshot q×50 bye" || !c.Ended() {
			t.Fatalf("got %s", kinds(got))
		}
		if bye := got[len(got)-1]; bye.Reason != wire.ByeDuration || format == wire.SSEJSON && bye.id != wire.EndID {
			t.Errorf("bye %+v", bye)
		}
	})
}

// TestSpreadRetries checks that clients reconnect over the time of SpreadRetries, if it is longer than usual.
func TestSpreadRetries(t *testing.T) {
	p := newFixture(t, 100)
	l := p.log(t, Config{Size: 100, Retry: time.Second})
	for spread, limit := range map[time.Duration]int64{time.Millisecond: 5000, time.Hour: 3_601_000} {
		l.SpreadRetries(spread)
		var late bool
		for range 50 {
			c := subscribe(t, l, Options{Format: wire.WSJSON, Topics: p.topics(t, "*")})
			c.take(noon)
			c.End(wire.ByeShutdown)
			r := c.take(noon)[0].Retry
			if late = late || r > limit/2; r < 1000 || r > limit {
				t.Errorf("spread %v: retry %d", spread, r)
			}
		}
		if !late { // by chance once in 10^15
			t.Errorf("spread %v: no late retry", spread)
		}
	}
}

func TestEnd(t *testing.T) {
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		p := newFixture(t, 100)
		l := p.log(t, Config{Size: 100, Retry: 2 * time.Second})
		retries := map[int64]bool{}
		for range 50 {
			c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "*")})
			c.take(noon)
			l.End(wire.ByeShutdown)
			c.End(wire.ByeSlow) // only the first reason counts
			select {
			case <-c.notifyCh:
			default:
				t.Fatal("End doesn't notify")
			}
			got := c.take(noon)
			if kinds(got) != "bye" || got[0].Reason != wire.ByeShutdown || got[0].id != "" || !c.Ended() {
				t.Fatalf("got %+v", got)
			}
			if r := got[0].Retry; r < 2000 || r >= 10_000 || format == wire.SSEJSON && got[0].retry != fmt.Sprint(r) {
				t.Errorf("retry %d and %q", r, got[0].retry)
			}
			retries[got[0].Retry] = true
		}
		if len(retries) < 25 {
			t.Errorf("%d different retries of 50: the clients would reconnect all at once", len(retries))
		}
	})
}
