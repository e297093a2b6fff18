package stream

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"ticklane/internal/wire"
)

func command(action string, id int64, topics ...string) wire.Command {
	return wire.Command{Action: action, Topics: topics, ID: &id}
}

// TestTopicChange: it holds from one exact position, and the snapshot of the added topics is as of there.
func TestTopicChange(t *testing.T) {
	onEachFormat(t, func(t *testing.T, format wire.Format) {
		for _, mode := range []Mode{ModeAll, ModeLatest} {
			for _, c := range []struct {
				name string
				have []string
				cmd  wire.Command
				// when the change is asked and carried out, the client having read up to 100
				head   uint64
				want   string
				topics []string
			}{
				{"add", []string{"S1"}, command("subscribe", 5, "S2", "S9"), 100, "subscription snapshot", []string{"S1", "S2", "S9"}},
				{"add while it lags", []string{"S1"}, command("subscribe", 5, "S2", "S9"), 400, "q subscription snapshot", []string{"S1", "S2", "S9"}},
				{"add the rest", []string{"sector:odd"}, command("subscribe", 5, "*"), 400, "q subscription snapshot", []string{"sector:odd", "*"}},
				{"add what is there", []string{"S1", "S2"}, command("subscribe", 5, "S1"), 400, "q subscription", []string{"S1", "S2"}},
				{"add to everything", []string{"*"}, command("subscribe", 5, "S1"), 400, "q subscription snapshot", []string{"*", "S1"}},
				{"remove", []string{"*", "S1"}, command("unsubscribe", 5, "*"), 400, "q subscription", []string{"S1"}},
				{"remove all", []string{"S1"}, command("unsubscribe", 5, "S1"), 400, "q subscription", []string{}},
				{"remove what isn't there", []string{"S1"}, command("unsubscribe", 5, "S2"), 400, "q subscription", []string{"S1"}},
			} {
				t.Run(fmt.Sprint(c.name, " in mode ", mode), func(t *testing.T) {
					p := newTape(t, 800)
					l := p.log(t, Config{Size: 1024})
					p.play(l, 50)
					cl := subscribe(t, l, Options{Format: format, Topics: p.topics(t, c.have...), Mode: mode})
					w := newWitness(t, p, cl.opt.Topics, mode)
					w.start(50)
					w.see(cl.take(noon)...)
					p.play(l, 100)
					w.see(cl.take(noon)...)
					p.play(l, c.head)
					if err := cl.EnqueueCommand(c.cmd, noon); err != nil {
						t.Fatal(err)
					}
					got := cl.take(noon)
					w.see(got...)
					if short := shortKinds(got); short != c.want {
						t.Fatalf("got %s, want %s", short, c.want)
					}
					at := slices.IndexFunc(got, func(m message) bool { return m.T == "subscription" })
					s := got[at]
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
					rest := cl.take(noon)
					w.see(rest...)
					if len(c.topics) > 0 && len(rest) == 0 || len(c.topics) == 0 && slices.ContainsFunc(rest, func(m message) bool { return m.T == "q" }) {
						t.Errorf("then got %s", kinds(rest))
					}
				})
			}
		}
	})
}

// shortKinds is kinds without numbers.
func shortKinds(got []message) (s string) {
	last := ""
	for _, m := range got {
		if m.T == "q" && last == "q" {
			continue
		}
		if s != "" {
			s += " "
		}
		s += m.T
		last = m.T
	}
	return s
}

func TestTopicChangeBeforeTheFirstTick(t *testing.T) {
	p := newTape(t, 100)
	l := p.log(t, Config{Size: 128})
	c := subscribe(t, l, Options{Topics: p.topics(t, "S1")})
	w := newWitness(t, p, c.opt.Topics, ModeAll)
	if err := c.EnqueueCommand(command("subscribe", 1, "S2"), noon); err != nil {
		t.Fatal(err)
	}
	got := c.take(noon)
	w.see(got...)
	if kinds(got) != "hello snapshot subscription snapshot" || got[2].I != 0 || len(got[3].Quotes) != 0 {
		t.Fatalf("got %s", kinds(got))
	}
	p.play(l, 100)
	w.see(c.take(noon)...)
	if w.ticks == 0 {
		t.Error("no ticks")
	}
}

func TestTopicChangeWithoutSnapshot(t *testing.T) {
	p := newTape(t, 100)
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

// TestRefusals: the stream carries the answer to EnqueueCommand, the caller gets the one of Execute; the stream goes on unchanged.
func TestRefusals(t *testing.T) {
	onEachFormat(t, func(t *testing.T, format wire.Format) {
		for code, cmd := range map[string]wire.Command{
			wire.CodeUnknownTopic:  command("subscribe", 8, "S1", "NOPE"),
			wire.CodeTooManyTopics: command("subscribe", 8, "S2", "S3", "S4"),
		} {
			p := newTape(t, 300)
			l := p.log(t, Config{Size: 512})
			c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "S1"), MaxTopics: 3})
			w := newWitness(t, p, c.opt.Topics, ModeAll)
			w.see(c.take(noon)...)
			p.play(l, 100)
			if err := c.EnqueueCommand(cmd, noon); err != nil {
				t.Fatal(err)
			}
			got := c.take(noon)
			w.see(got...)
			if m := got[len(got)-1]; m.T != "error" || m.Code != code || m.ID == nil || *m.ID != 8 {
				t.Errorf("%s: got %+v", code, m)
			}

			p.play(l, 200)
			_, err := c.do(t, cmd, func() { w.see(c.take(noon)...) })
			var refusal *wire.CommandError
			if !errors.As(err, &refusal) || refusal.Code != code || refusal.ID == nil || *refusal.ID != 8 {
				t.Errorf("%s: Do gives %v", code, err)
			}
			p.play(l, 300)
			w.see(c.take(noon)...)
			if k := p.newest(1, 300); w.place != k.Seq {
				t.Errorf("%s: the stream stands at %d, want %d", code, w.place, k.Seq)
			}
		}
	})
}

// do calls Do while read drives the stream.
func (c *client) do(t *testing.T, cmd wire.Command, read func()) (wire.Message, error) {
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

// TestDo: the answer is what the stream carries.
func TestDo(t *testing.T) {
	p := newTape(t, 300)
	l := p.log(t, Config{Size: 512})
	p.play(l, 300)
	c := subscribe(t, l, Options{Topics: p.topics(t, "S1"), From: FromOldest})
	var got []message
	m, err := c.do(t, command("subscribe", 3, "S2"), func() { got = append(got, c.take(noon)...) })
	if err != nil {
		t.Fatal(err)
	}
	if shortKinds(got) != "hello q subscription snapshot" {
		t.Fatalf("got %s", kinds(got))
	}
	if s := got[len(got)-2]; s.text != string(m.JSON()) || s.I != 300 {
		t.Errorf("the stream carries %s, the answer is %s", s.text, m.JSON())
	}
	if m, err := c.Execute(t.Context(), command("time", 4), noon); err != nil || m.Name != "time" {
		t.Errorf("time: %+v, %v", m, err)
	}
}

func TestRequestsEnd(t *testing.T) {
	p := newTape(t, 100)
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

// TestTimeOvertakes: a clock question doesn't wait for a change that waits for ticks.
func TestTimeOvertakes(t *testing.T) {
	p := newTape(t, 900)
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
	if got := shortKinds(c.take(noon)); got != "time hb q subscription subscription snapshot" {
		t.Errorf("got %s", got)
	}
}

// TestTopicChangesInAMovingMarket: changes at random while another goroutine appends; the witness sees every tick.
func TestTopicChangesInAMovingMarket(t *testing.T) {
	t.Parallel()
	onEachFormat(t, func(t *testing.T, format wire.Format) {
		for _, mode := range []Mode{ModeAll, ModeLatest} {
			p := newTape(t, 8_000)
			l := p.log(t, Config{Size: 1 << 14})
			c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "S1"), Mode: mode})
			w := newWitness(t, p, c.opt.Topics, mode)
			w.see(c.take(noon)...)
			done := make(chan struct{})
			go func() {
				defer close(done)
				for seq := uint64(7); seq <= 8_000; seq += 7 {
					p.play(l, seq)
					for l.Head().Seq-c.position.Load() > 300 {
						runtime.Gosched() // a reader that lags for ever would see but a few changes
					}
				}
				p.play(l, 8_000)
			}()
			changes, asked := 0, 0
			for appending := true; appending; {
				if asked == changes {
					topic := []string{"S2", "sector:odd", "*", "S9", "sector:even"}[asked%5]
					cmd := command([]string{"subscribe", "unsubscribe"}[asked/5%2], int64(asked), topic)
					if err := c.EnqueueCommand(cmd, noon); err != nil {
						t.Fatal(err)
					}
					asked++
				}
				for _, m := range c.decode(c.Next(noon)) {
					w.see(m)
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
			w.see(c.take(noon)...)
			if w.ticks == 0 || changes < 5 || len(w.gaps) > 0 {
				t.Errorf("%d ticks, %d changes, %d gaps", w.ticks, changes, len(w.gaps))
			}
			if n := c.Counters(); n.Conflated != w.left {
				t.Errorf("mode %v: %d conflated counted, %d left out", mode, n.Conflated, w.left)
			}
		}
	})
}
