package stream

import (
	"context"
	"errors"
	"slices"
	"testing"

	"ticklane/internal/wire"
)

func command(action string, id int64, topics ...string) wire.Command {
	return wire.Command{Action: action, Topics: topics, ID: &id}
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
		case <-c.notifyCh:
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
	<-s.notifyCh
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
