package handlers

import (
	"io"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"ticklane/internal/wire"
)

// TestUnknownMethods: they get a problem as any other mistake, are counted, and cost nobody the connection.
func TestUnknownMethods(t *testing.T) {
	h := open(t, plan{})
	c := h.dial()
	for i, method := range []string{"FOO", "get", "PROPFIND", "SUBSCRIBE"} {
		before, _, _, _ := h.server.Counts()
		c.ask(method, []string{"/sse/subscribe", "/ws/subscribe", "/api/stats", "/"}[i], "Accept: text/html")
		told(t, c, c.all(), 501)
		if after, _, _, _ := h.server.Counts(); after != before+1 {
			t.Errorf("%s: %d requests were counted", method, after-before)
		}
	}
	c.ask("GET", "/healthz")
	if body := c.all(); body != "ok\n" {
		t.Errorf("%q", body)
	}
}

// TestLengthBesideChunks: two readers of such a request don't see the same one end.
func TestLengthBesideChunks(t *testing.T) {
	h := open(t, plan{})
	for _, length := range []string{"Content-Length: 5", "content-length: 5", "CONTENT-LENGTH:5"} {
		for _, lines := range []string{length + "\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\n" + length} {
			c := h.dial()
			c.ask("POST", "/sse/connections/x", "Content-Type: application/json", lines+"\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost")
			if p := told(t, c, c.all(), 400); !strings.Contains(p.Detail, "Content-Length") {
				t.Errorf("%s", p.Detail)
			}
			if b, err := io.ReadAll(c.r); err != nil || len(b) > 0 {
				t.Errorf("%s: and then %v %q", lines, err, b)
			}
		}
	}
	c := h.dial()
	c.ask("POST", "/sse/connections/x", "Content-Type: application/json", "X-Content-Length: 5", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost")
	told(t, c, c.all(), 404)
	if c.head(); c.all() != "ok\n" {
		t.Error("the connection didn't live on")
	}
}

// TestConnectionLists: Connection is a list of tokens in any case and any number of lines (RFC 9110 §7.6.1).
func TestConnectionLists(t *testing.T) {
	h := open(t, plan{})
	h.publish(40)
	for _, lines := range []string{"Connection: close", "Connection: Close", "Connection: keep-alive, CLOSE", "Connection: te\r\nConnection: Close"} {
		for _, path := range []string{"/healthz", "/nothing", "/sse/subscribe?limit=3&from=oldest"} {
			c := h.dial()
			c.ask("GET", path, lines)
			if got := c.header["Connection"]; len(got) != 1 || got[0] != "close" {
				t.Errorf("%s, %s: Connection %q", path, lines, got)
			}
			if _, err := io.ReadAll(c.r); err != nil {
				t.Errorf("%s, %s: %v", path, lines, err)
			}
		}
	}
	for _, lines := range [][]string{
		{"Connection: keep-alive\r\nConnection: Upgrade", "Upgrade: websocket"},
		{"Connection: UPGRADE , close", "Upgrade: h2c\r\nUpgrade: WebSocket"},
		{"Connection: ,upgrade", "Upgrade: h2c, websocket"},
	} {
		c := h.dial()
		c.ask("GET", "/ws/subscribe", append(append([]string{}, lines...), upgrade[2:]...)...)
		if got := c.header["Connection"]; c.status != 101 || len(got) != 1 || got[0] != "Upgrade" {
			t.Fatalf("%q: %d, %v", lines, c.status, c.header)
		}
		c.format = wire.WSJSON
		c.greet()
		c.want("snapshot")
		c.write(ws.OpClose, true, string(ws.NewCloseFrameBody(1000, "")))
		c.closes(1000)
	}
}
