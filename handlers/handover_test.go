package handlers

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"ticklane/internal/wire"
)

// vacant waits until no stream and no connection is open.
func (h *house) vacant() {
	h.Helper()
	until(h, "streams and connections to be released", func() bool { return h.live() == 0 && h.server.ln.Open() == 0 })
}

// late closes all connections of the server at the last moment before fasthttp hands one over.
type late struct {
	net.Listener
	close func()
}

func (l *late) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return lateConn{nc.(*net.TCPConn), l}, nil
}

type lateConn struct {
	*net.TCPConn
	l *late
}

func (c lateConn) SetDeadline(t time.Time) error {
	err := c.TCPConn.SetDeadline(t)
	c.l.close()
	return err
}

// TestCutAtTheHandOver: a connection that a stop cuts at that moment gives its place back, or the stop would wait for ever.
func TestCutAtTheHandOver(t *testing.T) {
	for what, request := range map[string]string{
		"sse":      "GET /sse/subscribe HTTP/1.1\r\n",
		"http/1.0": "GET /sse/subscribe HTTP/1.0\r\n",
		"ws":       "GET /ws/subscribe HTTP/1.1\r\n" + strings.Join(upgrade, "\r\n") + "\r\n",
	} {
		if what == "sse" && under != engineShard {
			continue // fasthttp keeps it
		}
		t.Run(what, func(t *testing.T) {
			var l *late
			h := open(t, plan{listener: func(ln net.Listener) net.Listener { l = &late{Listener: ln}; return l }})
			l.close = func() { h.server.ln.CloseAll() }
			c := h.dial()
			c.send(request + "Host: " + h.addr + "\r\n\r\n")
			io.Copy(io.Discard, c.r)
			h.vacant()
		})
	}
}

// TestEarlyCommands: what a WebSocket client sends along with its request, and a frame that begins there, is its own and
// nobody else's, whoever else connects then.
func TestEarlyCommands(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", secure), func(t *testing.T) {
			h := open(t, plan{settings: func(s *Settings) {
				if secure {
					s.TLS = certificate(t)
				}
			}})
			text := func(s string) string { return string(ws.MustCompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte(s))))) }
			for i := range 20 {
				c := h.dial()
				c.format = wire.WSJSON
				last := text(`{"action":"time","id":2}`)
				cut := i % len(last)
				c.send("GET /ws/subscribe?topics=S1&snapshot=false HTTP/1.1\r\nHost: " + h.addr + "\r\n" + strings.Join(upgrade, "\r\n") + "\r\n\r\n" +
					text(`{"action":"time","id":1}`) + last[:cut])
				c.head()
				c.greet()
				if m := c.want("time"); *m.ID != 1 {
					t.Fatalf("%s", m.text)
				}
				for range 3 { // they get what fasthttp kept of the request
					if answer, body := h.get("/healthz"); answer.status != 200 || body != "ok\n" {
						t.Fatalf("another client: %d %q", answer.status, body)
					}
				}
				c.send(last[cut:])
				if m := c.want("time"); *m.ID != 2 {
					t.Fatalf("%s", m.text)
				}
				c.nc.Close()
			}
		})
	}
}
