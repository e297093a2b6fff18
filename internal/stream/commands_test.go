package stream

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

func command(action string, id int64, topics ...string) wire.Command {
	return wire.Command{Action: action, Topics: topics, ID: &id}
}

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
					if format == wire.SSEJSON && s.id != position(c.head).String() {
						t.Errorf("subscription has id %s", s.id)
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

// TestRejectedCommands: the stream sends the error of EnqueueCommand, and the caller gets the one of Execute. The topics stay.
func TestRejectedCommands(t *testing.T) {
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		for code, cmd := range map[string]wire.Command{
			wire.CodeUnknownTopic:  command("subscribe", 8, "S1", "NOPE"),
			wire.CodeTooManyTopics: command("subscribe", 8, "S2", "S3", "S4"),
		} {
			p := newFixture(t, 300)
			l := p.log(t, Config{Size: 512})
			c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "S1"), MaxTopics: 3})
			w := newChecker(t, p, c.opt.Topics, ModeAll)
			w.check(c.take(noon)...)
			p.play(l, 100)
			if err := c.EnqueueCommand(cmd, noon); err != nil {
				t.Fatal(err)
			}
			got := c.take(noon)
			w.check(got...)
			if m := got[len(got)-1]; m.T != "error" || m.Code != code || m.ID == nil || *m.ID != 8 {
				t.Errorf("%s: got %+v", code, m)
			}

			p.play(l, 200)
			_, err := c.execute(t, cmd, func() { w.check(c.take(noon)...) })
			var rejected *wire.CommandError
			if !errors.As(err, &rejected) || rejected.Code != code || rejected.ID == nil || *rejected.ID != 8 {
				t.Errorf("%s: Execute returns %v", code, err)
			}
			p.play(l, 300)
			w.check(c.take(noon)...)
			if k := p.newest(1, 300); w.checked != k.Seq {
				t.Errorf("%s: the stream is at %d, want %d", code, w.checked, k.Seq)
			}
		}
	})
}

// execute calls Execute, and read when the client is notified.
func (c *client) execute(t *testing.T, cmd wire.Command, read func()) (wire.Message, error) {
	t.Helper()
	type result struct {
		m   wire.Message
		err error
	}
	done := make(chan result)
	go func() {
		m, err := c.Execute(context.Background(), cmd, noon)
		done <- result{m, err}
	}()
	for {
		select {
		case <-c.Notified():
			read()
		case r := <-done:
			return r.m, r.err
		}
	}
}

// TestExecute: it returns what the stream sends.
func TestExecute(t *testing.T) {
	p := newFixture(t, 300)
	l := p.log(t, Config{Size: 512})
	p.play(l, 300)
	c := subscribe(t, l, Options{Topics: p.topics(t, "S1"), From: FromOldest})
	var got []message
	m, err := c.execute(t, command("subscribe", 3, "S2"), func() { got = append(got, c.take(noon)...) })
	if err != nil {
		t.Fatal(err)
	}
	if kindsWithoutCounts(got) != "hello q subscription snapshot" {
		t.Fatalf("got %s", kinds(got))
	}
	if s := got[len(got)-2]; s.text != string(m.JSON()) || s.I != 300 {
		t.Errorf("the stream sends %s, Execute returns %s", s.text, m.JSON())
	}
	if m, err := c.Execute(t.Context(), command("time", 4), noon); err != nil || m.Name != "time" {
		t.Errorf("time: %+v, %v", m, err)
	}
}

func TestRequestsAfterClose(t *testing.T) {
	p := newFixture(t, 100)
	l := p.log(t, Config{Size: 128})
	s := l.Subscribe(Options{Topics: p.topics(t, "S1")})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Execute(ctx, command("subscribe", 1, "S2"), noon); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	waiting := make(chan error)
	go func() {
		_, err := s.Execute(context.Background(), command("subscribe", 1, "S3"), noon)
		waiting <- err
	}()
	<-s.Notified()
	for {
		err := s.EnqueueCommand(command("subscribe", 1, "S2"), noon)
		if errors.Is(err, ErrBusy) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	s.Close()
	if err := <-waiting; !errors.Is(err, ErrClosed) && !errors.Is(err, ErrBusy) {
		t.Errorf("waiting: %v", err)
	}
	if err := s.EnqueueCommand(command("time", 1), noon); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := s.Execute(t.Context(), command("subscribe", 1, "S2"), noon); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestTimeCommandDoesNotWait: neither for ticks nor for a change of topics that waits for ticks.
func TestTimeCommandDoesNotWait(t *testing.T) {
	p := newFixture(t, 900)
	l := p.log(t, Config{Size: 1024})
	p.play(l, 900)
	c := subscribe(t, l, Options{Topics: p.topics(t, "*"), From: FromOldest, MaxRead: 1000})
	c.decode(slices.Clone(c.Next(noon)))
	for _, cmd := range []wire.Command{command("unsubscribe", 1, "*"), command("subscribe", 2, "S1"), command("time", 3)} {
		if err := c.EnqueueCommand(cmd, noon); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.EnqueueMessage(wire.Heartbeat(position(0), noon)); err != nil {
		t.Fatal(err)
	}
	if got := kindsWithoutCounts(c.take(noon)); got != "time hb q subscription subscription snapshot" {
		t.Errorf("got %s", got)
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
