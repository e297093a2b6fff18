package handlers_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"ticklane/handlers"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// late closes all connections of the server just before fasthttp passes one to a hijack handler.
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

// TestCloseAtTheHijack checks that a connection that is closed at that moment releases its places; otherwise a shutdown
// would wait forever.
func TestCloseAtTheHijack(t *testing.T) { onEngines(t, testCutAtTheHandOver) }

func testCutAtTheHandOver(t *testing.T, engine string) {
	for what, request := range map[string]string{
		"sse":      "GET /sse/subscribe HTTP/1.1\r\n",
		"http/1.0": "GET /sse/subscribe HTTP/1.0\r\n",
		"ws":       "GET /ws/subscribe HTTP/1.1\r\n" + strings.Join(testserver.Upgrade, "\r\n") + "\r\n",
	} {
		if what == "sse" && engine != testserver.Shard {
			continue // fasthttp is not hijacked
		}
		t.Run(what, func(t *testing.T) {
			var l *late
			srv := newTestServer(t, testserver.Options{Engine: engine, Listener: func(ln net.Listener) net.Listener { l = &late{Listener: ln}; return l }})
			l.close = func() { srv.Handlers.CloseConns() }
			c := srv.Dial()
			c.Send(request + "Host: " + srv.Addr + "\r\n\r\n")
			io.Copy(io.Discard, c.Reader)
			wantNoStreams(srv)
		})
	}
}

// TestEarlyCommands checks that frames which a WebSocket client sends together with its request are handled, and are not
// mixed up with those of a client that connects meanwhile.
func TestEarlyCommands(t *testing.T) { onEngines(t, testEarlyCommands) }

func testEarlyCommands(t *testing.T, engine string) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", secure), func(t *testing.T) {
			srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) {
				if secure {
					s.TLS = certificate(t)
				}
			}})
			text := func(s string) string { return string(ws.MustCompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte(s))))) }
			for i := range 20 {
				c := srv.Dial()
				c.Format = wire.WSJSON
				last := text(`{"action":"time","id":2}`)
				cut := i % len(last)
				c.Send("GET /ws/subscribe?topics=S1&snapshot=false HTTP/1.1\r\nHost: " + srv.Addr + "\r\n" + strings.Join(testserver.Upgrade, "\r\n") + "\r\n\r\n" +
					text(`{"action":"time","id":1}`) + last[:cut])
				c.ReadHead()
				c.ReadHello()
				if m := c.Want("time"); *m.ID != 1 {
					t.Fatalf("%s", m.Text)
				}
				for range 3 { // they get fasthttp's buffers of the request
					if answer, body := srv.Get("/healthz"); answer.Status != 200 || body != "ok\n" {
						t.Fatalf("another client: %d %q", answer.Status, body)
					}
				}
				c.Send(last[cut:])
				if m := c.Want("time"); *m.ID != 2 {
					t.Fatalf("%s", m.Text)
				}
				c.NetConn.Close()
			}
		})
	}
}
