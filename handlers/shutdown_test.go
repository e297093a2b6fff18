package handlers

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"ticklane/internal/netconn"
	"ticklane/internal/wire"
)

// TestShutdown: not ready, bye with jittered retry on both lanes, the ends, nobody left.
func TestShutdown(t *testing.T) {
	h := open(t, plan{})
	stop := h.steady(1000)
	var clients []*client
	for range 20 {
		for _, lane := range lanes {
			clients = append(clients, h.stream(lane, ""))
		}
	}
	idle := h.dial()
	idle.ask("GET", "/readyz")
	if body := idle.all(); idle.status != 200 || body != "ready\n" {
		t.Fatalf("readyz: %d %s", idle.status, body)
	}
	// A stream that takes its time, so that the drain can be looked at.
	if v := h.server.limiter.Acquire("192.0.2.1"); v != netconn.Admitted {
		t.Fatal(v)
	}
	late := h.ws("topics=S19")
	late.want("snapshot")

	done := make(chan error, 1)
	go func() { done <- h.stop(patience) }()

	retries := map[int64]bool{}
	for _, c := range clients {
		c.want("snapshot")
		bye := c.await("bye")
		if bye.Reason != "shutdown" || bye.Retry < 1000 || bye.Retry > 5000 || bye.id != "" {
			t.Errorf("%s, id %q", bye.text, bye.id)
		}
		retries[bye.Retry] = true
		if c.format.Lane() == wire.WS {
			c.closes(1001)
		} else if _, err := c.end(); err != io.EOF {
			t.Errorf("sse ended with %v", err)
		}
	}
	if len(retries) < 10 {
		t.Errorf("40 clients come back at %d different times", len(retries))
	}
	// While the last ones drain: not ready, alive, and new streams are refused as they should be.
	if bye := late.want("bye"); bye.Reason != "shutdown" {
		t.Errorf("%s", bye.text)
	}
	answer, body := h.get("/readyz")
	if answer.status != 503 {
		t.Errorf("readyz: %d %s", answer.status, body)
	}
	if answer, _ := h.get("/healthz"); answer.status != 200 {
		t.Errorf("healthz: %d", answer.status)
	}
	c := h.dial()
	c.events("")
	if bye := c.want("bye"); bye.Reason != "shutdown" || bye.retry == "" || bye.id != "" {
		t.Errorf("a new event stream: %+v", bye)
	}
	answer, body = h.get("/sse/subscribe")
	told(t, answer, body, 503)
	w := h.socket("")
	if bye := w.want("bye"); bye.Reason != "shutdown" {
		t.Errorf("a new WebSocket: %s", bye.text)
	}
	w.closes(1001)
	late.closes(1001)
	h.server.limiter.Release("192.0.2.1")
	if err := <-done; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	stop()
	if _, err := idle.r.ReadByte(); err == nil {
		t.Error("an idle connection stays")
	}
	if _, err := h.server.ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the port is still open: %v", err)
	}
	if h.live() != 0 {
		t.Errorf("%d streams left", h.live())
	}
}

// TestShutdownBeforeServe: a stop that comes that early is a stop, too.
func TestShutdownBeforeServe(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, plan{}) // lends its log
	s, err := New(Deps{Settings: h.server.set, Listener: ln, Stream: h.log, History: h.server.history, Files: slim(), Logger: h.server.log,
		Metrics: func(*Server) http.Handler { return http.NotFoundHandler() }})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	select {
	case err := <-served:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("it serves on after a stop")
	}
}

// TestShutdownCutsWhoDoesntRead: a client that reads nothing can't hold up a stop.
func TestShutdownCutsWhoDoesntRead(t *testing.T) {
	onLanes(t, plan{settings: func(s *Settings) { s.WriteBuffer, s.WriteTimeout = 4096, time.Hour }}, func(h *house, lane wire.Lane) {
		h.narrow(lane, "")
		for range 50 {
			h.publish(200)
		}
		stopped := make(chan error, 1)
		go func() { stopped <- h.stop(300 * time.Millisecond) }()
		select {
		case err := <-stopped:
			if err == nil || !strings.Contains(err.Error(), "cut") {
				t.Errorf("Shutdown: %v", err)
			}
		case <-time.After(patience):
			h.Fatal("it waits for who doesn't read")
		}
		if h.live() != 0 {
			t.Errorf("%d streams left", h.live())
		}
	})
}

// TestShutdownAmidArrivals: a stream that opens at that very moment is told as all others, or refused.
func TestShutdownAmidArrivals(t *testing.T) {
	for round := range 8 {
		sockets := round%4 == 3 // these clients don't answer a close
		h := open(t, plan{settings: func(s *Settings) { s.CloseWait = 100 * time.Millisecond }})
		var arrivals sync.WaitGroup
		quit := make(chan struct{})
		for k := range 8 {
			arrivals.Go(func() {
				for i := 0; ; i++ {
					if i == 500 { // the test's own sockets are in this process, too
						<-quit
						return
					}
					select {
					case <-quit:
						return
					default:
					}
					nc, err := net.Dial("tcp", h.addr)
					if err != nil {
						return
					}
					request := "GET /sse/subscribe?topics=S19 HTTP/1.1\r\nHost: " + h.addr + "\r\n\r\n"
					if sockets && k%2 == 1 {
						request = "GET /ws/subscribe?topics=S19 HTTP/1.1\r\nHost: " + h.addr + "\r\n" + strings.Join(upgrade, "\r\n") + "\r\n\r\n"
					}
					io.WriteString(nc, request)
					if i%3 == 0 {
						nc.(*net.TCPConn).SetLinger(0) // gone before the answer
						nc.Close()
						continue
					}
					defer nc.Close()
				}
			})
		}
		until(t, "streams", func() bool { return h.live() > 5+3*round })
		if err := h.stop(patience); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		close(quit)
		arrivals.Wait()
		if h.live() != 0 {
			t.Errorf("round %d: %d streams left", round, h.live())
		}
	}
}
