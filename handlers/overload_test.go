package handlers

import (
	"strconv"
	"strings"
	"testing"

	"ticklane/internal/wire"
)

func TestOverload(t *testing.T) {
	h := open(t, plan{settings: func(s *Settings) { s.MaxStreams = 2 }})
	first, second := h.sse(""), h.ws("")
	refused := func() {
		t.Helper()
		c := h.dial()
		c.events("")
		bye := c.want("bye")
		if bye.Reason != "overload" || bye.event != "bye" || bye.id != "" || bye.Retry < 1000 || bye.retry != strconv.FormatInt(bye.Retry, 10) {
			t.Errorf("%+v", bye)
		}
		if got, err := c.end(); len(got) > 0 {
			t.Errorf("after the bye: %d, %v", len(got), err)
		}
		if c.header.Get("Content-Type") != "text/event-stream" || c.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%v", c.header)
		}
		for _, accept := range []string{"Accept: */*", "Accept: text/html,*/*", "X-None: 1", "Accept: text/event-stream;q=0, */*"} {
			answer, body := h.get("/sse/subscribe", accept)
			told(t, answer, body, 503)
			if n, err := strconv.Atoi(answer.header.Get("Retry-After")); err != nil || n < 1 {
				t.Errorf("Retry-After %q", answer.header.Get("Retry-After"))
			}
		}
		c = h.dial()
		c.ask("GET", "/sse/subscribe", "Accept: application/json\r\nAccept: text/html, Text/Event-Stream; q=0.5")
		if body := c.all(); c.status != 200 || !strings.Contains(body, "event: bye") {
			t.Errorf("%d %s", c.status, body)
		}
		for _, h.offer = range []string{subprotocolProto, ""} {
			w := h.socket("")
			if bye := w.want("bye"); bye.Reason != "overload" || bye.Retry < 1000 {
				t.Errorf("%s", bye.text)
			}
			w.closes(1013)
		}
	}
	refused()
	if _, _, overloads, _ := h.server.Counts(); overloads != 8 {
		t.Errorf("%d counted", overloads)
	}
	if n := h.log.Lane(wire.SSE).Opened + h.log.Lane(wire.WS).Opened; n != 2 {
		t.Errorf("%d streams were opened", n)
	}
	second.cut(true)
	until(t, "the WebSocket's end", func() bool { return h.live() == 1 })
	third := h.sse("limit=1&snapshot=false")
	refused()
	h.publish(1)
	ended(third, "limit", 0)
	until(t, "the stream's end", func() bool { return h.live() == 1 })
	h.ws("")
	first.cut(true)
}

// TestPerAddress: addresses count on their own, and behind a trusted proxy only what it says counts.
func TestPerAddress(t *testing.T) {
	status := func(h *house, lines ...string) int {
		t.Helper()
		c := h.dial()
		c.ask("GET", "/sse/subscribe?topics=S1", lines...)
		return c.status
	}
	t.Run("loopback is exempt", func(t *testing.T) {
		h := open(t, plan{settings: func(s *Settings) { s.MaxPerAddress = 1 }})
		for range 5 {
			h.sse("")
		}
		if got := h.log.Subscribers()[0].Info().Address; got != "127.0.0.1" {
			t.Errorf("address %s", got)
		}
	})
	t.Run("untrusted", func(t *testing.T) {
		h := open(t, plan{settings: func(s *Settings) { s.MaxPerAddress, s.TrustedProxies = 2, []string{"10.0.0.0/8"} }})
		for i, want := range []int{200, 200, 503} {
			if got := status(h, "X-Forwarded-For: 9.9.9."+strconv.Itoa(i)); got != want {
				t.Errorf("stream %d: %d, want %d", i, got, want)
			}
		}
	})
	t.Run("trusted", func(t *testing.T) {
		h := open(t, plan{settings: func(s *Settings) { s.MaxPerAddress, s.TrustedProxies = 2, []string{"127.0.0.1", "10.0.0.0/8"} }})
		for _, c := range []struct {
			header, address string // several lines with |
		}{
			{"9.9.9.9", "9.9.9.9"},
			{"1.1.1.1, 9.9.9.8", "9.9.9.8"},
			{"1.1.1.1,9.9.9.7,10.1.2.3", "9.9.9.7"},
			{"1.1.1.1|9.9.9.6", "9.9.9.6"},
			{"1.1.1.1, 2.2.2.2|9.9.9.5|10.0.0.1", "9.9.9.5"},
			{"2001:db8::1", "2001:db8::1"},
			{"::ffff:9.9.9.4", "9.9.9.4"},
			{"10.3.3.3", "10.3.3.3"},
			{"nonsense", "127.0.0.1"},
			{"1.1.1.1, nonsense, 10.4.4.4", "10.4.4.4"},
			{"", "127.0.0.1"},
		} {
			var lines []string
			for v := range strings.SplitSeq(c.header, "|") {
				lines = append(lines, "X-Forwarded-For: "+v)
			}
			cl := h.sse("topics=S1", lines...)
			if got := h.log.Find(cl.hello.Conn).Info().Address; got != c.address {
				t.Errorf("%q: %s, want %s", c.header, got, c.address)
			}
			cl.cut(true)
		}
	})
	t.Run("spoofing fails", func(t *testing.T) {
		h := open(t, plan{settings: func(s *Settings) { s.MaxPerAddress, s.TrustedProxies = 2, []string{"127.0.0.1"} }})
		for i, want := range []int{200, 200, 503, 503} {
			claim := "X-Forwarded-For: 8.8.8." + strconv.Itoa(i)
			lines := []string{claim + ", 9.9.9.9"}
			if i%2 == 1 {
				lines = []string{claim, "X-Forwarded-For: 9.9.9.9"} // a proxy that adds a line of its own
			}
			if got := status(h, lines...); got != want {
				t.Errorf("stream %d: %d, want %d", i, got, want)
			}
		}
		if got := status(h, "X-Forwarded-For: 9.9.9.10"); got != 200 {
			t.Errorf("another address: %d", got)
		}
	})
}
