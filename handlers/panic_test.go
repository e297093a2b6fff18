package handlers

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"ticklane/internal/wire"
)

// bomb is a logger's handler that panics when a stream of user "bomb" writes its first line, in the stream's goroutine.
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

// TestPanicEndsOneStream: on either lane, and nobody else notices.
func TestPanicEndsOneStream(t *testing.T) {
	logger := slog.New(bomb{slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelDebug})})
	h := open(t, plan{logger: logger})
	others := []*client{h.sse("snapshot=false"), h.ws("snapshot=false")}
	for _, lane := range lanes {
		c := h.dial()
		if lane == wire.SSE {
			c.events("user=bomb")
		} else {
			c.upgrade("user=bomb")
		}
		if got, err := c.end(); err == nil || len(got) > 0 {
			t.Errorf("%s: %v, %d messages", lane, err, len(got))
		}
	}
	until(t, "the end of both", func() bool { return h.live() == 2 })
	if _, _, _, panics := h.server.Counts(); panics != 2 {
		t.Errorf("%d panics counted", panics)
	}
	h.publish(1)
	for _, c := range others {
		if m := c.want("q"); m.I != 1 {
			t.Errorf("%s", m.text)
		}
	}
}

func TestPanicInAHandler(t *testing.T) {
	h := open(t, plan{deps: func(d *Deps) {
		d.Metrics = func(*Server) http.Handler {
			return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret") })
		}
	}})
	c := h.sse("snapshot=false")
	answer, body := h.get("/metrics")
	told(t, answer, body, 500)
	if strings.Contains(body, "secret") {
		t.Errorf("the answer tells what panicked: %s", body)
	}
	h.publish(1)
	c.want("q")
	if _, failures, _, panics := h.server.Counts(); panics != 1 || failures != 1 {
		t.Errorf("%d panics and %d failures counted", panics, failures)
	}
}
