package handlers

import (
	"bufio"
	"io"
	"strings"
	"testing"

	"ticklane/internal/wire"
)

// TestSSEToHTTP10: such a client knows no chunked coding. Its body is the events alone, and the connection's end is its end.
// Engines stream and body leave the answer to fasthttp, which sends chunks to such a client, too.
func TestSSEToHTTP10(t *testing.T) {
	if under != engineShard {
		return
	}
	h := open(t, plan{})
	c := h.dial()
	c.format = wire.SSEJSON
	c.send("GET /sse/subscribe?limit=3&snapshot=false HTTP/1.0\r\nHost: " + c.addr + "\r\nAccept: text/event-stream\r\n\r\n")
	c.head()
	if c.status != 200 || c.header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", c.status, c.header)
	}
	if c.header.Get("Transfer-Encoding") != "" || c.header.Get("Content-Length") != "" || !strings.EqualFold(c.header.Get("Connection"), "close") {
		t.Errorf("head %v", c.header)
	}
	c.body = bufio.NewReader(c.r)
	c.greet()
	h.publish(5)
	for range 3 {
		c.want("q")
	}
	c.want("bye")
	if rest, err := io.ReadAll(c.body); err != nil || len(rest) != 0 {
		t.Errorf("after the bye %q, %v", rest, err)
	}
}
