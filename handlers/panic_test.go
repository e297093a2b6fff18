package handlers_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"ticklane/handlers"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// bomb is a log handler that panics in the goroutine of a stream of the user "bomb" when it logs that the stream was opened.
type bomb struct{ slog.Handler }

func (b bomb) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if r.Message == "stream opened" && a.Key == "user" && a.Value.String() == "bomb" {
			panic("bomb")
		}
		return true
	})
	return nil
}

// TestPanicEndsOneStream checks that a panic on either lane ends no other stream.
func TestPanicEndsOneStream(t *testing.T) { onEngines(t, testPanicEndsOneStream) }

func testPanicEndsOneStream(t *testing.T, engine string) {
	logger := slog.New(bomb{slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelDebug})})
	srv := newTestServer(t, testserver.Options{Engine: engine, Logger: logger})
	others := []*testserver.Client{srv.SSE("snapshot=false"), srv.WS("snapshot=false")}
	for _, lane := range lanes {
		c := srv.Dial()
		if lane == wire.SSE {
			c.RequestSSE("user=bomb")
		} else {
			c.RequestWS("user=bomb")
		}
		if got, err := c.ReadAll(); err == nil || len(got) > 0 {
			t.Errorf("%s: %v, %d messages", lane, err, len(got))
		}
	}
	testkit.Eventually(t, func() bool { return liveStreams(srv) == 2 }, "both streams to end")
	if _, _, _, panics := srv.Handlers.Counts(); panics != 2 {
		t.Errorf("%d panics counted", panics)
	}
	srv.Publish(1)
	for _, c := range others {
		if m := c.Want("q"); m.I != 1 {
			t.Errorf("%s", m.Text)
		}
	}
}

func TestPanicInAHandler(t *testing.T) { onEngines(t, testPanicInAHandler) }

func testPanicInAHandler(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine, Deps: func(d *handlers.Deps) {
		d.Metrics = func(*handlers.Server) http.Handler {
			return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret") })
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
	if _, failures, _, panics := srv.Handlers.Counts(); panics != 1 || failures != 1 {
		t.Errorf("%d panics and %d failures counted", panics, failures)
	}
}
