package stream

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

// TestTopicChange: new topics hold from one exact position, and the snapshot of the added ones is as of there.
func TestTopicChange(t *testing.T) {
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		for _, mode := range []Mode{ModeAll, ModeLatest} {
			for _, c := range []struct {
				name   string
				have   []string
				cmd    wire.Command
				head   uint64 // when the change is requested; the client has read up to 100
				want   string
				topics []string
			}{
				{"add", []string{"S1"}, command("subscribe", 5, "S2", "S9"), 100, "subscription snapshot", []string{"S1", "S2", "S9"}},
				{"add while it lags", []string{"S1"}, command("subscribe", 5, "S2", "S9"), 400, "q subscription snapshot", []string{"S1", "S2", "S9"}},
				{"add all others", []string{"sector:odd"}, command("subscribe", 5, "*"), 400, "q subscription snapshot", []string{"sector:odd", "*"}},
				{"add what it has", []string{"S1", "S2"}, command("subscribe", 5, "S1"), 400, "q subscription", []string{"S1", "S2"}},
				{"add to everything", []string{"*"}, command("subscribe", 5, "S1"), 400, "q subscription snapshot", []string{"*", "S1"}},
				{"remove", []string{"*", "S1"}, command("unsubscribe", 5, "*"), 400, "q subscription", []string{"S1"}},
				{"remove all", []string{"S1"}, command("unsubscribe", 5, "S1"), 400, "q subscription", []string{}},
				{"remove what it doesn't have", []string{"S1"}, command("unsubscribe", 5, "S2"), 400, "q subscription", []string{"S1"}},
			} {
				t.Run(fmt.Sprint(c.name, " in mode ", mode), func(t *testing.T) {
					p := newFixture(t, 800)
					l := p.log(t, Config{Size: 1024})
					p.play(l, 50)
					cl := subscribe(t, l, Options{Format: format, Topics: p.topics(t, c.have...), Mode: mode})
					w := newChecker(t, p, cl.opt.Topics, mode)
					w.start(50)
					w.check(cl.take(noon)...)
					p.play(l, 100)
					w.check(cl.take(noon)...)
					p.play(l, c.head)
					if err := cl.EnqueueCommand(c.cmd, noon); err != nil {
						t.Fatal(err)
					}
					got := cl.take(noon)
					w.check(got...)
					if kindsWithoutCounts(got) != c.want {
						t.Fatalf("got %s, want %s", kindsWithoutCounts(got), c.want)
					}
					i := slices.IndexFunc(got, func(m message) bool { return m.T == "subscription" })
					s := got[i]
					if s.I != c.head || s.ID == nil || *s.ID != 5 || !slices.Equal(s.Topics, c.topics) {
						t.Errorf("subscription %s", s.text)
					}
					if last := got[i : i+1]; format == wire.SSEJSON {
						if s.Snapshot {
							last = got[i+1 : i+2]
						}
						if last[0].id != position(c.head).String() {
							t.Errorf("%s has id %q", last[0].T, last[0].id)
						}
					}
					if info := cl.Info(); !slices.Equal(info.Topics, c.topics) {
						t.Errorf("listed with %q", info.Topics)
					}
					p.play(l, 800)
					later := cl.take(noon)
					w.check(later...)
					if len(c.topics) > 0 && len(later) == 0 || len(c.topics) == 0 && slices.ContainsFunc(later, func(m message) bool { return m.T == "q" }) {
						t.Errorf("then got %s", kinds(later))
					}
				})
			}
		}
	})
}

func TestTopicChangeBeforeTheFirstTick(t *testing.T) {
	p := newFixture(t, 100)
	l := p.log(t, Config{Size: 128})
	c := subscribe(t, l, Options{Topics: p.topics(t, "S1")})
	w := newChecker(t, p, c.opt.Topics, ModeAll)
	if err := c.EnqueueCommand(command("subscribe", 1, "S2"), noon); err != nil {
		t.Fatal(err)
	}
	got := c.take(noon)
	w.check(got...)
	if kinds(got) != "hello snapshot subscription snapshot" || got[2].I != 0 || len(got[3].Quotes) != 0 {
		t.Fatalf("got %s", kinds(got))
	}
	p.play(l, 100)
	w.check(c.take(noon)...)
	if w.ticks == 0 {
		t.Error("no ticks")
	}
}

func TestTopicChangeWithoutSnapshot(t *testing.T) {
	p := newFixture(t, 100)
	l := p.log(t, Config{Size: 128})
	p.play(l, 50)
	c := subscribe(t, l, Options{Topics: p.topics(t, "S1"), NoSnapshot: true})
	c.take(noon)
	if err := c.EnqueueCommand(command("subscribe", 1, "S2"), noon); err != nil {
		t.Fatal(err)
	}
	if got := c.take(noon); kinds(got) != "subscription" {
		t.Errorf("got %s", kinds(got))
	}
}

// TestTopicChangesWhileAppending: no tick is lost while another goroutine appends.
func TestTopicChangesWhileAppending(t *testing.T) {
	t.Parallel()
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		for _, mode := range []Mode{ModeAll, ModeLatest} {
			total := uint64(testkit.Rounds(2500, 16_000))
			p := newFixture(t, int(total))
			l := p.log(t, Config{Size: 1 << 14})
			c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "S1"), Mode: mode})
			w := newChecker(t, p, c.opt.Topics, mode)
			w.check(c.take(noon)...)
			done := make(chan struct{})
			go func() {
				defer close(done)
				for seq := uint64(7); seq <= total; seq += 7 {
					p.play(l, seq)
					for l.Head().Seq-c.position.Load() > 300 {
						runtime.Gosched() // a reader that always lags gets few changes
					}
				}
				p.play(l, total)
			}()
			changes, requested := 0, 0
			for appending := true; appending; {
				if requested == changes {
					topic := []string{"S2", "sector:odd", "*", "S9", "sector:even"}[requested%5]
					cmd := command([]string{"subscribe", "unsubscribe"}[requested/5%2], int64(requested), topic)
					if err := c.EnqueueCommand(cmd, noon); err != nil {
						t.Fatal(err)
					}
					requested++
				}
				for _, m := range c.decode(c.Next(noon)) {
					w.check(m)
					if m.T == "subscription" {
						changes++
					}
				}
				select {
				case <-done:
					appending = false
				default:
				}
			}
			w.check(c.take(noon)...)
			if w.ticks == 0 || changes < 5 || len(w.gaps) > 0 {
				t.Errorf("%d ticks, %d changes, %d gaps", w.ticks, changes, len(w.gaps))
			}
			if n := c.Counters(); n.Conflated != w.conflated {
				t.Errorf("mode %v: %d counted as conflated, %d were", mode, n.Conflated, w.conflated)
			}
		}
	})
}

// TestTopicChangePosition: ticks that are appended after the request don't postpone the change.
func TestTopicChangePosition(t *testing.T) {
	p := newFixture(t, 800)
	l := p.log(t, Config{Size: 1024})
	c := subscribe(t, l, Options{Topics: p.topics(t, "*"), MaxRead: 1000})
	w := newChecker(t, p, c.opt.Topics, ModeAll)
	w.check(c.take(noon)...)
	p.play(l, 400)
	if err := c.EnqueueCommand(command("unsubscribe", 1, "*"), noon); err != nil {
		t.Fatal(err)
	}
	got := c.decode(c.Next(noon))
	p.play(l, 800)
	got = append(got, c.take(noon)...)
	w.check(got...)
	if kinds(got) != "q×400 subscription hb" || got[400].I != 400 {
		t.Errorf("got %s: %s", kinds(got), got[len(got)-1].text)
	}
}

// TestEndDuringTopicChange: the bye doesn't wait for a change of topics, which then isn't executed.
func TestEndDuringTopicChange(t *testing.T) {
	p := newFixture(t, 400)
	l := p.log(t, Config{Size: 512})
	c := subscribe(t, l, Options{Topics: p.topics(t, "*"), MaxRead: 1000})
	c.take(noon)
	p.play(l, 400)
	if err := c.EnqueueCommand(command("unsubscribe", 1, "*"), noon); err != nil {
		t.Fatal(err)
	}
	c.decode(c.Next(noon)) // some of the ticks before the change
	c.End(wire.ByeShutdown)
	if got := c.take(noon); kinds(got) != "bye" {
		t.Errorf("got %s", kinds(got))
	}
}
