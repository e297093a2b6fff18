package fault

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/stream"
	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// newLog returns a log that is closed at the end of the test.
func newLog(t *testing.T) *stream.Log {
	u, err := quote.NewUniverse([]quote.Instrument{{Symbol: "A", Decimals: 2, Name: "A", Sector: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	log, err := stream.New(stream.Config{Universe: u, Epoch: 1, Size: 64})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	return log
}

// newStream opens a stream of a user at 192.0.2.1.
func newStream(t *testing.T, log *stream.Log, user string, format wire.Format) *stream.Subscriber {
	topics, err := log.Universe().Topics([]string{quote.All}, 8)
	if err != nil {
		t.Fatal(err)
	}
	sub := log.Subscribe(stream.Options{Format: format, User: user, Address: "192.0.2.1", Topics: topics})
	t.Cleanup(sub.Close)
	return sub
}

// output records what was written, and when.
type output struct {
	start   time.Time
	pending []byte
	text    strings.Builder
	times   []string // "bytes@ms" of each flush
}

func (o *output) Write(p []byte) (int, error) {
	o.pending = append(o.pending, p...)
	return len(p), nil
}

func (o *output) Flush() error {
	o.times = append(o.times, fmt.Sprintf("%d@%d", len(o.pending), time.Since(o.start).Milliseconds()))
	o.text.Write(o.pending)
	o.pending = o.pending[:0]
	return nil
}

// engine sends bytes through the faults of one engine, each call as one write and one flush.
type engine func(p []byte)

// engines returns the two engines' ways to the same output.
func engines(i *Injector, sub *stream.Subscriber, out *output, delay time.Duration) map[string]func() engine {
	reset := func() {}
	return map[string]func() engine{
		"stream": func() engine {
			w, _ := i.Writer(sub, out, reset, delay)
			return func(p []byte) {
				w.Write(p)
				w.Flush()
			}
		},
		"shard": func() engine { // as a writer of package shard uses it
			th, _ := i.Throttle(sub, reset, delay)
			var held []byte
			return func(p []byte) {
				held = append(held, p...)
				for len(held) > 0 {
					n, again, more := th.Release(time.Now(), len(held), sub.Ended())
					if n == 0 {
						if more {
							return
						}
						time.Sleep(time.Until(again))
						continue
					}
					out.Write(held[:n])
					out.Flush()
					held = held[n:]
				}
			}
		},
	}
}

func TestFaultsOnBothEngines(t *testing.T) {
	kib := strings.Repeat("x", 1<<10)
	for _, c := range []struct {
		name, kind string
		delay      time.Duration
		send       func(send engine)
		want       string
	}{
		{"none", "", 0, func(send engine) { send([]byte("ab")); send([]byte("c")) }, "2@0 1@0"},
		{"delay", "", 50 * time.Millisecond, func(send engine) { send([]byte("ab")); send([]byte("c")) }, "2@50 1@100"},
		{"stall", Stall, 0, func(send engine) { send([]byte("ab")); send([]byte("c")) }, "2@5000 1@5000"},
		{"stall is over", Stall, 0, func(send engine) { time.Sleep(stallTime); send([]byte("ab")) }, "2@5000"},
		{"buffer until it is full", Buffer, 0, func(send engine) {
			send([]byte(strings.Repeat(kib, 63)))
			send([]byte(kib[:1023]))
			time.Sleep(time.Second)
			send([]byte("y"))
			send([]byte("z"))
		}, "65536@1000"},
		{"buffer until it is over", Buffer, 0, func(send engine) {
			send([]byte("ab"))
			time.Sleep(bufferTime - time.Millisecond)
			send([]byte("c"))
			time.Sleep(time.Millisecond)
			send([]byte("d"))
		}, "4@5000"},
		{"slow", Slow, 0, func(send engine) { send([]byte(kib + kib + "ab")) }, "1024@250 1024@500 2@750"},
		{"slow is over", Slow, 0, func(send engine) { send([]byte(strings.Repeat(kib, 50))) }, "pieces until 10000"},
		{"slow and delay", Slow, 50 * time.Millisecond, func(send engine) { send([]byte(kib + kib)); send([]byte("a")) }, "1024@300 1024@550 1@850"},
	} {
		for _, name := range []string{"stream", "shard"} {
			t.Run(c.name+" on "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					i := New()
					sub := newStream(t, newLog(t), "me", wire.WSJSON)
					out := &output{start: time.Now()}
					send := engines(i, sub, out, c.delay)[name]()
					if c.kind != "" {
						if err := i.Inject(c.kind, []string{sub.Conn()}); err != nil {
							t.Fatal(err)
						}
					}
					var sent strings.Builder
					c.send(func(p []byte) {
						sent.Write(p)
						send(p)
					})
					got := strings.Join(out.times, " ")
					if len(out.times) > 10 {
						_, last, _ := strings.Cut(out.times[len(out.times)-1], "@")
						got = "pieces until " + last
					}
					if got != c.want || !strings.HasPrefix(sent.String(), out.text.String()) {
						t.Errorf("written %s, want %s", got, c.want)
					}
				})
			})
		}
	}
}

// TestWriterKeepsTheOrder checks bytes that were written before a fault but not yet flushed.
func TestWriterKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := New()
		sub := newStream(t, newLog(t), "me", wire.WSJSON)
		out := &output{start: time.Now()}
		w, _ := i.Writer(sub, out, func() {}, 0)
		w.Write([]byte("a"))
		i.Inject(Stall, []string{sub.Conn()})
		w.Write([]byte("b"))
		w.Write([]byte("c"))
		w.Flush()
		if got := strings.Join(out.times, " "); got != "1@0 2@5000" || out.text.String() != "abc" {
			t.Errorf("%s, %q", got, out.text.String())
		}
	})
}

// TestCutEndsAStall checks that a connection that is reset is not held any longer.
func TestCutEndsAStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := New()
		sub := newStream(t, newLog(t), "me", wire.WSJSON)
		out := &output{start: time.Now()}
		resets := 0
		w, _ := i.Writer(sub, out, func() { resets++ }, 0)
		i.Inject(Stall, []string{sub.Conn()})
		go func() {
			time.Sleep(time.Second)
			i.Inject(Cut, []string{sub.Conn()})
			i.Inject(Cut, []string{sub.Conn()})
		}()
		w.Write([]byte("a"))
		w.Flush()
		synctest.Wait()
		if got := strings.Join(out.times, " "); got != "1@1000" || resets != 2 {
			t.Errorf("%s, %d resets", got, resets)
		}
	})
}

func TestEndStopsTheStream(t *testing.T) {
	i := New()
	sub := newStream(t, newLog(t), "me", wire.WSJSON)
	_, done := i.Throttle(sub, func() { t.Error("reset") }, 0)
	if err := i.Inject(End, []string{sub.Conn()}); err != nil {
		t.Fatal(err)
	}
	for len(sub.Next(time.Now())) > 0 {
	}
	if !sub.Ended() || sub.Reason() != "" {
		t.Errorf("ended %v, reason %q", sub.Ended(), sub.Reason())
	}
	done()
	if err := i.Inject(End, []string{sub.Conn()}); err != (UnknownStreamError{sub.Conn()}) {
		t.Errorf("after the stream: %v", err)
	}
}

// TestReleaseIsRelativeToItsArgument checks that the returned time keeps the monotonic clock reading of now.
func TestReleaseIsRelativeToItsArgument(t *testing.T) {
	th := &Throttle{faults: &faults{delay: 50 * time.Millisecond}}
	now := time.Now()
	n, again, more := th.Release(now, 10, false)
	if n != 0 || more || !strings.Contains(again.String(), " m=") || again.Sub(now) != th.delay { // with a monotonic reading
		t.Errorf("%d bytes, again at %s, %v", n, again, more)
	}
}

func TestNilInjector(t *testing.T) {
	var i *Injector
	sub := newStream(t, newLog(t), "me", wire.WSJSON)
	out := new(output)
	w, done := i.Writer(sub, out, nil, 0)
	if w != stream.Writer(out) {
		t.Error("the writer is wrapped")
	}
	done()
	th, done := i.Throttle(sub, nil, 0)
	if th != nil {
		t.Error("a throttle")
	}
	done()
	if kind := i.Take("me", "192.0.2.1", wire.WS); kind != "" {
		t.Errorf("took %q", kind)
	}
}

func TestPendingFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, kind := range []string{Status503, Status204, Epoch} {
			i, log := New(), newLog(t)
			sub := newStream(t, log, "me", wire.WSJSON)
			resets := 0
			i.Throttle(sub, func() { resets++ }, 0)
			if err := i.Inject(kind, []string{sub.Conn()}); err != nil || resets != 1 {
				t.Fatalf("%v, %d resets", err, resets)
			}
			for _, other := range []clientKey{{"you", "192.0.2.1", wire.WS}, {"me", "192.0.2.2", wire.WS}, {"me", "192.0.2.1", wire.SSE}} {
				if got := i.Take(other.user, other.address, other.lane); got != "" {
					t.Errorf("%v took %s", other, got)
				}
			}
			time.Sleep(pendingTime)
			if got := i.Take("me", "192.0.2.1", wire.WS); got != kind {
				t.Errorf("took %q, want %q", got, kind)
			}
			if got := i.Take("me", "192.0.2.1", wire.WS); got != "" {
				t.Errorf("took %s twice", got)
			}
			i.Inject(kind, []string{sub.Conn()})
			time.Sleep(pendingTime + 1)
			if got := i.Take("me", "192.0.2.1", wire.WS); got != "" {
				t.Errorf("took %s after it expired", got)
			}
		}
	})
}

func TestInjectIntoAllOrNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, log := New(), newLog(t)
		i.MaxPending = 2
		resets := 0
		open := func(user string) string {
			sub := newStream(t, log, user, wire.SSEJSON)
			i.Throttle(sub, func() { resets++ }, 0)
			return sub.Conn()
		}
		a, b, c, shared := open("a"), open("b"), open("c"), open("anonymous")
		for _, x := range []struct {
			kind  string
			conns []string
			want  error
		}{
			{Cut, []string{a, "unknown"}, UnknownStreamError{"unknown"}},
			{Status503, []string{a, shared}, SharedUserError{"anonymous"}},
			{Status503, []string{a, b, c}, ErrTooManyPending},
		} {
			if err := i.Inject(x.kind, x.conns); err != x.want || resets != 0 || err.Error() == "" {
				t.Errorf("%s: %v, %d resets; want %v", x.kind, err, resets, x.want)
			}
		}
		if err := i.Inject(Cut, []string{shared}); err != nil || resets != 1 {
			t.Errorf("a fault of this stream alone: %v", err)
		}
		if err := i.Inject(Status503, []string{a, b}); err != nil || resets != 3 {
			t.Errorf("as many as may wait: %v, %d resets", err, resets)
		}
		if err := i.Inject(Status503, []string{c}); err != ErrTooManyPending {
			t.Errorf("one more: %v", err)
		}
		time.Sleep(pendingTime + 1)
		if err := i.Inject(Status503, []string{c}); err != nil {
			t.Errorf("after the others expired: %v", err)
		}
	})
}
