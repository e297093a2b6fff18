package handlers

import (
	"bufio"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// old asks as a client of HTTP/1.0 does, which knows no chunked coding, and reads the answer's head and hello.
func (h *house) old(query string, extra ...string) *client {
	h.Helper()
	c := h.dial()
	c.format = wire.SSEJSON
	lines := append([]string{"GET /sse/subscribe?" + query + " HTTP/1.0", "Host: " + c.addr, "Accept: text/event-stream"}, extra...)
	c.send(strings.Join(lines, "\r\n") + "\r\n\r\n")
	c.head()
	if c.status != 200 || c.header.Get("Content-Type") != "text/event-stream" || c.header.Get("Cache-Control") != "no-store" {
		h.Fatalf("%d %v", c.status, c.header)
	}
	if c.header.Get("Transfer-Encoding") != "" || c.header.Get("Content-Length") != "" || !slices.Equal(c.header["Connection"], []string{"close"}) {
		h.Errorf("head %v", c.header)
	}
	c.body = bufio.NewReader(c.r)
	c.greet()
	if c.hello.Engine != h.engine(wire.SSE) {
		h.Errorf("%s", c.hello.text)
	}
	return c
}

// TestSSEToHTTP10: the body is the events alone, and the connection's end is its end, whatever the client would rather have.
func TestSSEToHTTP10(t *testing.T) {
	for _, wish := range []string{"X-None: 1", "Connection: keep-alive", "Connection: close"} {
		t.Run(wish, func(t *testing.T) {
			h := open(t, plan{})
			c := h.old("limit=3&snapshot=false", wish)
			h.publish(5)
			for range 3 {
				c.want("q")
			}
			c.want("bye")
			if rest, err := io.ReadAll(c.body); err != nil || len(rest) != 0 {
				t.Errorf("after the bye %q, %v", rest, err)
			}
			if got := h.log.Lane(wire.SSE); got.Wire != uint64(c.received.Load()) {
				t.Errorf("%d wire bytes counted, %d came", got.Wire, c.received.Load())
			}
			c.nc.Close()
			h.vacant()
		})
	}
}

// TestHTTP10Ends: clients that leave, that don't read and that are cut leave nothing behind.
func TestHTTP10Ends(t *testing.T) {
	tries(t, 300*time.Millisecond, http10Ends)
}

func http10Ends(t testing.TB, limit time.Duration) {
	h := open(t, plan{settings: func(s *Settings) { s.WriteTimeout, s.WriteBuffer = limit, 4096 }})
	stop := h.steady(2000)
	for _, reset := range []bool{false, true} {
		h.old("").cut(reset)
	}
	h.old("") // reads no more
	stalled := func() bool { return h.log.Lane(wire.SSE).Slow == 1 }
	until(t, "the stalled one's end", func() bool { h.publish(500); return stalled() })
	h.vacant() // while ticks come, by which those who left are found out
	stop()
	c := h.old("topics=S19")
	c.want("snapshot")
	if err := h.stop(patience); err != nil {
		t.Error(err)
	}
	if bye := c.want("bye"); bye.Reason != wire.ByeShutdown {
		t.Errorf("%s", bye.text)
	}
}

// TestHTTP10Gzip: what was compressed ends as a whole gzip stream does.
func TestHTTP10Gzip(t *testing.T) {
	h := open(t, plan{log: stream.Config{Compress: stream.CompressOn, MaxSharedEncoders: 4}})
	c := h.dial()
	c.send("GET /sse/subscribe?limit=100&snapshot=false HTTP/1.0\r\nHost: " + c.addr + "\r\nAccept-Encoding: gzip\r\n\r\n")
	c.head()
	c.format = wire.SSEJSON
	c.unpack(c.r)
	c.greet()
	h.publish(200)
	for range 100 {
		c.want("q")
	}
	c.want("bye")
	if _, err := c.end(); err != io.EOF {
		t.Error(err)
	}
}
