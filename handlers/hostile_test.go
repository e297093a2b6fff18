package handlers

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"ticklane/internal/wire"
)

// TestSlowHeadersAreCut: a client that sends its request byte by byte, or nothing, loses its connection.
func TestSlowHeadersAreCut(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", secure), func(t *testing.T) {
			h := open(t, plan{settings: func(s *Settings) {
				s.ReadTimeout = 200 * time.Millisecond
				if secure {
					s.TLS = certificate(t)
				}
			}})
			silent, err := net.Dial("tcp", h.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer silent.Close()
			slow, err := net.Dial("tcp", h.addr)
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
				nc.SetReadDeadline(time.Now().Add(patience))
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

// TestStreamsOutliveTimeouts: what bounds a request must not bound a stream.
func TestStreamsOutliveTimeouts(t *testing.T) {
	for _, lane := range lanes {
		t.Run(lane.String(), func(t *testing.T) {
			tries(t, 100*time.Millisecond, func(t testing.TB, limit time.Duration) {
				h := open(t, plan{settings: func(s *Settings) { s.ReadTimeout, s.IdleTimeout, s.WriteTimeout = limit, limit, limit }})
				c := h.stream(lane, fmt.Sprintf("snapshot=false&duration=%s&topics=S1", 4*limit))
				h.publish(19)
				c.want("q")
				ended(c, "duration", 1000)
			})
		})
	}
}

func TestOversizeHead(t *testing.T) {
	h := open(t, plan{})
	for _, request := range []string{
		"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Big: " + strings.Repeat("x", 9000) + "\r\n\r\n",
		"GET /" + strings.Repeat("x", 9000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
	} {
		c := h.dial()
		c.send(request)
		c.head()
		if c.status != 431 {
			t.Errorf("%.40s: %d", request, c.status)
		}
	}
	if answer, _ := h.get("/healthz", "X-Fits: "+strings.Repeat("x", 6000)); answer.status != 200 {
		t.Errorf("a head of 6 KB: %d", answer.status)
	}
}

// TestOneConnectionManyStreams: what is kept alive serves stream after stream. Engine shard says that it keeps nothing.
func TestOneConnectionManyStreams(t *testing.T) {
	h := open(t, plan{})
	h.publish(100)
	c := h.dial()
	for i := range 5 {
		c.events(fmt.Sprintf("limit=%d&from=oldest", 10+i))
		c.greet()
		for k := range 10 + i {
			if m := c.want("q"); m.I != uint64(k+1) {
				t.Fatalf("stream %d: %s", i, m.text)
			}
		}
		ended(c, "limit", 0)
		c = c.again()
		c.ask("GET", "/healthz")
		if body := c.all(); body != "ok\n" {
			t.Fatalf("after stream %d: %q", i, body)
		}
	}
	until(t, "the streams' end", func() bool { return h.live() == 0 })
	if got := h.log.Lane(wire.SSE); got.Opened != 5 || got.Connections != 0 {
		t.Errorf("%+v", got)
	}
}

// TestGoneBeforeTheAnswer: clients that leave in the midst of the opening leave nothing behind.
func TestGoneBeforeTheAnswer(t *testing.T) {
	h := open(t, plan{})
	stop := h.steady(500)
	for i := range 300 {
		nc, err := net.Dial("tcp", h.addr)
		if err != nil {
			t.Fatal(err)
		}
		head := "GET /sse/subscribe HTTP/1.1\r\nHost: " + h.addr + "\r\n\r\n"
		if i%2 == 1 {
			head = "GET /ws/subscribe HTTP/1.1\r\nHost: " + h.addr + "\r\n" + strings.Join(upgrade, "\r\n") + "\r\n\r\n"
		}
		io.WriteString(nc, head)
		nc.(*net.TCPConn).SetLinger(0)
		nc.Close()
	}
	h.vacant() // while ticks come: who writes alone learns by writing that nobody is there
	stop()
}
