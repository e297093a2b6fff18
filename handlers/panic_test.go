package handlers_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"ticklane/handlers"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// bomb is a log handler that panics at one message, and keeps the stacks of logged panics. With a user it only panics for
// streams of that user.
type bomb struct {
	message, user string

	mu     sync.Mutex
	stacks []string
}

func (b *bomb) Enabled(context.Context, slog.Level) bool { return true }
func (b *bomb) WithAttrs([]slog.Attr) slog.Handler       { return b }
func (b *bomb) WithGroup(string) slog.Handler            { return b }

func (b *bomb) Handle(_ context.Context, r slog.Record) error {
	explode := r.Message == b.message && b.user == ""
	r.Attrs(func(a slog.Attr) bool {
		switch {
		case a.Key == "stack":
			b.mu.Lock()
			b.stacks = append(b.stacks, a.Value.String())
			b.mu.Unlock()
		case a.Key == "user" && r.Message == b.message && a.Value.String() == b.user:
			explode = true
		}
		return true
	})
	if explode {
		plantedPanic()
	}
	return nil
}

//go:noinline
func plantedPanic() { panic("secret") }

// wantStacks checks that so many panics were logged, each with the stack of the panic itself.
func (b *bomb) wantStacks(t *testing.T, n int) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.stacks) != n || slices.ContainsFunc(b.stacks, func(s string) bool { return !strings.Contains(s, "plantedPanic") }) {
		t.Errorf("%d panics logged, want %d with their own stacks: %s", len(b.stacks), n, b.stacks)
	}
}

func countedPanics(srv *testserver.Server) uint64 { return srv.Handlers.Counts().Panics }

// TestPanicEndsOneStream checks that a panic at the start or the end of a stream ends no other stream.
func TestPanicEndsOneStream(t *testing.T) { onEngines(t, testPanicEndsOneStream) }

func testPanicEndsOneStream(t *testing.T, engine string) {
	for _, message := range []string{"stream opened", "stream ended"} {
		t.Run(message, func(t *testing.T) {
			b := &bomb{message: message, user: "bomb"}
			srv := newTestServer(t, testserver.Options{Engine: engine, Logger: slog.New(b)})
			others := []*testserver.Client{srv.SSE("snapshot=false"), srv.WS("snapshot=false")}
			for _, request := range []func(c *testserver.Client){
				func(c *testserver.Client) { c.RequestSSE("user=bomb&limit=1&from=oldest") },
				func(c *testserver.Client) { c.RequestHTTP10("user=bomb&limit=1&from=oldest") },
				func(c *testserver.Client) { c.RequestWS("user=bomb&limit=1&from=oldest") },
			} {
				c := srv.Dial()
				request(c)
				if message == "stream opened" {
					if got, err := c.ReadAll(); err == nil || len(got) > 0 {
						t.Errorf("%v, %d messages", err, len(got))
					}
				}
				c.Cut(true)
			}
			testkit.Eventually(t, func() bool { srv.Publish(1); return liveStreams(srv) == 2 && countedPanics(srv) == 3 }, "the streams to end")
			b.wantStacks(t, 3)
			for _, c := range others {
				if m := c.Want("q"); m.I != 1 {
					t.Errorf("%s", m.Text)
				}
			}
			for _, c := range others {
				c.Cut(true)
			}
			testkit.Eventually(t, func() bool { srv.Publish(1); return liveStreams(srv) == 0 && srv.Handlers.OpenConns() == 0 }, "everything to be released")
		})
	}
}

func TestPanicInAHandler(t *testing.T) { onEngines(t, testPanicInAHandler) }

func testPanicInAHandler(t *testing.T, engine string) {
	b := &bomb{}
	srv := newTestServer(t, testserver.Options{Engine: engine, Logger: slog.New(b), Deps: func(d *handlers.Deps) {
		d.Metrics = func(*handlers.Server) http.Handler {
			return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { plantedPanic() })
		}
	}})
	c := srv.SSE("snapshot=false")
	answer, body := srv.Get("/metrics")
	wantProblem(t, answer, body, 500)
	if strings.Contains(body, "secret") {
		t.Errorf("the response contains the panic's value: %s", body)
	}
	srv.Publish(1)
	c.Want("q")
	if counts := srv.Handlers.Counts(); counts.Panics != 1 || counts.Failures != 1 {
		t.Errorf("%+v", counts)
	}
	b.wantStacks(t, 1)
}

// TestPanicInTheErrorHandler checks that a request is answered although the error handler panics.
func TestPanicInTheErrorHandler(t *testing.T) {
	b := &bomb{message: "request failed"}
	srv := newTestServer(t, testserver.Options{Logger: slog.New(b), Deps: func(d *handlers.Deps) {
		d.Lab = &handlers.Lab{Background: func(int, int) error { return errors.New("failed") }}
	}})
	c := srv.Dial()
	c.Send("POST /api/lab/background HTTP/1.1\r\nHost: " + c.Addr + "\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
	c.ReadHead()
	wantProblem(t, c, c.ReadBody(), 500)
	if _, err := c.Reader.ReadByte(); err != io.EOF {
		t.Errorf("the connection goes on: %v", err)
	}
	if counts := srv.Handlers.Counts(); counts.Panics != 1 || counts.Failures != 1 || counts.Requests != 1 {
		t.Errorf("%+v", counts)
	}
	b.wantStacks(t, 1)
}

// TestPanicOfTheLog checks that a panic while a request is logged changes nothing but the count.
func TestPanicOfTheLog(t *testing.T) { onEngines(t, testPanicOfTheLog) }

func testPanicOfTheLog(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine, Logger: slog.New(&bomb{message: "request"})})
	for _, lane := range []wire.Lane{wire.SSE, wire.WS} {
		srv.Stream(lane, "")
	}
	if answer, _ := srv.Get("/api/symbols"); answer.Status != 200 {
		t.Errorf("status %d", answer.Status)
	}
	if n := countedPanics(srv); n != 3 {
		t.Errorf("%d panics counted", n)
	}
}

// TestPanicInAHijackHandler checks that a panic in fasthttp's goroutine of a hijacked connection ends that connection alone.
func TestPanicInAHijackHandler(t *testing.T) { onEngines(t, testPanicInAHijackHandler) }

func testPanicInAHijackHandler(t *testing.T, engine string) {
	b := &bomb{message: "streams refused"}
	srv := newTestServer(t, testserver.Options{Engine: engine, Logger: slog.New(b), Settings: func(s *handlers.Settings) { s.MaxStreams = 1 }})
	other := srv.SSE("snapshot=false")
	c := srv.Dial()
	c.RequestWS("")
	if got, err := c.ReadAll(); err == nil || len(got) > 0 {
		t.Errorf("%v, %d messages", err, len(got))
	}
	testkit.Eventually(t, func() bool { return countedPanics(srv) == 1 }, "the panic to be counted")
	b.wantStacks(t, 1)
	srv.Publish(1)
	other.Want("q")
	other.Cut(true)
	c.Cut(true)
	testkit.Eventually(t, func() bool { srv.Publish(1); return liveStreams(srv) == 0 && srv.Handlers.OpenConns() == 0 }, "everything to be released")
}
