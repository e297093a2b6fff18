package handlers_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"ticklane/handlers"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// TestSlowHeaders checks that the connection of a client that sends its request byte by byte, or nothing, is closed.
func TestSlowHeaders(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", secure), func(t *testing.T) {
			srv := newTestServer(t, testserver.Options{Settings: func(s *handlers.Settings) {
				s.ReadTimeout = 200 * time.Millisecond
				if secure {
					s.TLS = certificate(t)
				}
			}})
			silent, err := net.Dial("tcp", srv.Addr)
			if err != nil {
				t.Fatal(err)
			}
			defer silent.Close()
			slow, err := net.Dial("tcp", srv.Addr)
			if err != nil {
				t.Fatal(err)
			}
			defer slow.Close()
			start := time.Now()
			go func() {
				tick := time.NewTicker(20 * time.Millisecond)
				defer tick.Stop()
				for i := 0; ; i++ {
					<-tick.C
					if _, err := io.WriteString(slow, string("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "[min(i, 46)])); err != nil {
						return
					}
				}
			}()
			for name, nc := range map[string]net.Conn{"silent": silent, "slow": slow} {
				nc.SetReadDeadline(time.Now().Add(testserver.Timeout))
				b, err := io.ReadAll(nc)
				if ne, ok := err.(net.Error); ok && ne.Timeout() {
					t.Errorf("%s: still open after %s", name, time.Since(start))
				}
				if len(b) > 0 && !strings.HasPrefix(string(b), "HTTP/1.1 408") && !secure {
					t.Errorf("%s: %.100q", name, b)
				}
			}
		})
	}
}

// TestStreamsOutliveTimeouts checks that the timeouts of requests don't end streams.
func TestStreamsOutliveTimeouts(t *testing.T) { onEngines(t, testStreamsOutliveTimeouts) }

func testStreamsOutliveTimeouts(t *testing.T, engine string) {
	for _, lane := range lanes {
		t.Run(lane.String(), func(t *testing.T) {
			const limit = time.Second
			srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.ReadTimeout, s.IdleTimeout, s.WriteTimeout = limit, limit, limit }})
			c := srv.Stream(lane, fmt.Sprintf("snapshot=false&duration=%s&topics=S1", 5*limit/2))
			srv.Publish(19)
			c.Want("q")
			wantEnd(c, "duration", 1000)
		})
	}
}

func TestOversizeHead(t *testing.T) {
	srv := newTestServer(t, testserver.Options{})
	for _, request := range []string{
		"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Big: " + strings.Repeat("x", 9000) + "\r\n\r\n",
		"GET /" + strings.Repeat("x", 9000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
	} {
		c := srv.Dial()
		c.Send(request)
		c.ReadHead()
		if c.Status != 431 {
			t.Errorf("%.40s: %d", request, c.Status)
		}
	}
	if answer, _ := srv.Get("/healthz", "X-Fits: "+strings.Repeat("x", 6000)); answer.Status != 200 {
		t.Errorf("a head of 6 KB: %d", answer.Status)
	}
}

// TestOneConnectionManyStreams opens one stream after another on a kept-alive connection. Engine shard closes it after each.
func TestOneConnectionManyStreams(t *testing.T) { onEngines(t, testOneConnectionManyStreams) }

func testOneConnectionManyStreams(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine})
	srv.Publish(100)
	c := srv.Dial()
	for i := range 5 {
		c.RequestSSE(fmt.Sprintf("limit=%d&from=oldest", 10+i))
		c.ReadHello()
		for k := range 10 + i {
			if m := c.Want("q"); m.I != uint64(k+1) {
				t.Fatalf("stream %d: %s", i, m.Text)
			}
		}
		wantEnd(c, "limit", 0)
		c = c.NextRequest()
		c.Request("GET", "/healthz")
		if body := c.ReadBody(); body != "ok\n" {
			t.Fatalf("after stream %d: %q", i, body)
		}
	}
	testkit.Eventually(t, func() bool { return liveStreams(srv) == 0 }, "the streams' end")
	if got := srv.TickLog.Lane(wire.SSE); got.Opened != 5 || got.Connections != 0 {
		t.Errorf("%+v", got)
	}
}

// TestDisconnectBeforeTheResponse checks that clients which disconnect while a stream is opened leave nothing behind.
func TestDisconnectBeforeTheResponse(t *testing.T) { onEngines(t, testGoneBeforeTheAnswer) }

func testGoneBeforeTheAnswer(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine})
	stop := srv.PublishRate(500)
	for i := range 300 {
		nc, err := net.Dial("tcp", srv.Addr)
		if err != nil {
			t.Fatal(err)
		}
		head := "GET /sse/subscribe HTTP/1.1\r\nHost: " + srv.Addr + "\r\n\r\n"
		if i%2 == 1 {
			head = "GET /ws/subscribe HTTP/1.1\r\nHost: " + srv.Addr + "\r\n" + strings.Join(testserver.Upgrade, "\r\n") + "\r\n\r\n"
		}
		io.WriteString(nc, head)
		nc.(*net.TCPConn).SetLinger(0)
		nc.Close()
	}
	wantNoStreams(srv) // while ticks are published: a stream notices the disconnect when it writes
	stop()
}
