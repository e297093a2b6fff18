package handlers_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ticklane/handlers"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// TestEndOfReplay: a server whose replay has ended stays ready; /readyz and /api/stats report the end.
func TestEndOfReplay(t *testing.T) {
	var ended atomic.Bool
	srv := newTestServer(t, testserver.Options{Deps: func(d *handlers.Deps) {
		d.Feed = handlers.FeedInfo{Source: "replay", File: "ticks.csv", Ended: func() (time.Time, bool) { return time.UnixMicro(1_700_000_000_123_456), ended.Load() }}
	}})
	for _, want := range []struct{ ready, stats string }{
		{"ready\n", `"ended":null`}, {"ready, replay ended\n", `"ended":1700000000123456`},
	} {
		if answer, body := srv.Get("/readyz"); answer.Status != 200 || body != want.ready {
			t.Errorf("readyz: %d %q, want %q", answer.Status, body, want.ready)
		}
		if _, body := srv.Get("/api/stats"); !strings.Contains(body, want.stats) {
			t.Errorf("stats: %s, want %s in it", body, want.stats)
		}
		ended.Store(true)
	}
	srv.SSE("").Want("snapshot")
}

// TestShutdown checks the order: not ready, a bye with jittered retry on both lanes, the ends of all streams.
func TestShutdown(t *testing.T) { onEngines(t, testShutdown) }

func testShutdown(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine})
	stop := srv.PublishRate(1000)
	var clients []*testserver.Client
	for range 20 {
		for _, lane := range lanes {
			clients = append(clients, srv.Stream(lane, ""))
		}
	}
	idle := srv.Dial()
	idle.Request("GET", "/readyz")
	if body := idle.ReadBody(); idle.Status != 200 || body != "ready\n" {
		t.Fatalf("readyz: %d %s", idle.Status, body)
	}
	// This stream ends late, so that the drain can be observed.
	if !srv.Handlers.AcquireStream("192.0.2.1") {
		t.Fatal("no place")
	}
	late := srv.WS("topics=S19")
	late.Want("snapshot")

	done := make(chan error, 1)
	go func() { done <- srv.Stop(testserver.Timeout) }()

	retries := map[int64]bool{}
	for _, c := range clients {
		c.Want("snapshot")
		bye := c.WaitFor("bye")
		if bye.Reason != "shutdown" || bye.Retry < 1000 || bye.Retry > 5000 || bye.EventID != "" {
			t.Errorf("%s, id %q", bye.Text, bye.EventID)
		}
		retries[bye.Retry] = true
		if c.Format.Lane() == wire.WS {
			c.WantClose(1001)
		} else if _, err := c.ReadAll(); err != io.EOF {
			t.Errorf("sse ended with %v", err)
		}
	}
	if len(retries) < 10 {
		t.Errorf("40 clients have only %d different retry times", len(retries))
	}
	// While the last streams drain, the server is not ready but alive, and refuses new streams.
	if bye := late.Want("bye"); bye.Reason != "shutdown" {
		t.Errorf("%s", bye.Text)
	}
	answer, body := srv.Get("/readyz")
	if answer.Status != 503 {
		t.Errorf("readyz: %d %s", answer.Status, body)
	}
	if answer, _ := srv.Get("/healthz"); answer.Status != 200 {
		t.Errorf("healthz: %d", answer.Status)
	}
	c := srv.Dial()
	c.RequestSSE("")
	if bye := c.Want("bye"); bye.Reason != "shutdown" || bye.EventRetry == "" || bye.EventID != "" {
		t.Errorf("a new event stream: %+v", bye)
	}
	answer, body = srv.Get("/sse/subscribe")
	wantProblem(t, answer, body, 503)
	w := openWS(srv, "")
	if bye := w.Want("bye"); bye.Reason != "shutdown" {
		t.Errorf("a new WebSocket: %s", bye.Text)
	}
	w.WantClose(1001)
	late.WantClose(1001)
	srv.Handlers.ReleaseStream("192.0.2.1")
	if err := <-done; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	stop()
	if _, err := idle.Reader.ReadByte(); err == nil {
		t.Error("an idle connection is still open")
	}
	if _, err := srv.Handlers.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the port is still open: %v", err)
	}
	if liveStreams(srv) != 0 {
		t.Errorf("%d streams left", liveStreams(srv))
	}
}

// TestShutdownBeforeServe checks that Serve returns at once after a Shutdown.
func TestShutdownBeforeServe(t *testing.T) { onEngines(t, testShutdownBeforeServe) }

func testShutdownBeforeServe(t *testing.T, engine string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := newTestServer(t, testserver.Options{Engine: engine}) // for its log
	s, err := handlers.New(handlers.Deps{Settings: srv.Settings, Listener: ln, Stream: srv.TickLog, History: srv.History, Files: testserver.Files(), Logger: slog.New(slog.DiscardHandler),
		Metrics: func(*handlers.Server) http.Handler { return http.NotFoundHandler() }})
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
	case <-time.After(testserver.Timeout):
		t.Fatal("Serve doesn't return after Shutdown")
	}
}

// TestShutdownClosesStalledClients checks that a client that doesn't read can't delay a shutdown.
func TestShutdownClosesStalledClients(t *testing.T) {
	onLanes(t, testserver.Options{Settings: func(s *handlers.Settings) { s.WriteBuffer, s.WriteTimeout = 4096, time.Hour }}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		srv.SmallStream(lane, "")
		// Once its socket is full, the stream is in a write. Before that, a shutdown would end it.
		written, same := uint64(0), 0
		testkit.Eventually(t, func() bool {
			srv.Publish(200)
			now := srv.TickLog.Lane(lane).Wire
			if same++; now != written {
				written, same = now, 0
			}
			return same == 40
		}, "the socket to be full")
		stopped := make(chan error, 1)
		go func() { stopped <- srv.Stop(300 * time.Millisecond) }()
		select {
		case err := <-stopped:
			if err == nil || !strings.Contains(err.Error(), "cut") {
				t.Errorf("Shutdown: %v", err)
			}
		case <-time.After(testserver.Timeout):
			srv.Fatal("Shutdown waits for a client that doesn't read")
		}
		if liveStreams(srv) != 0 {
			t.Errorf("%d streams left", liveStreams(srv))
		}
	})
}

// TestShutdownAmidArrivals checks that streams which are opened during a shutdown get a bye or are refused.
func TestShutdownAmidArrivals(t *testing.T) { onEngines(t, testShutdownAmidArrivals) }

func testShutdownAmidArrivals(t *testing.T, engine string) {
	for round := range 8 {
		sockets := round%4 == 3 // these clients don't answer a close frame
		srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.CloseWait = 100 * time.Millisecond }})
		var arrivals sync.WaitGroup
		quit := make(chan struct{})
		for k := range 8 {
			arrivals.Go(func() {
				for i := 0; ; i++ {
					if i == 500 { // the clients' sockets are descriptors of this process too
						<-quit
						return
					}
					select {
					case <-quit:
						return
					default:
					}
					nc, err := net.Dial("tcp", srv.Addr)
					if err != nil {
						return
					}
					request := "GET /sse/subscribe?topics=S19 HTTP/1.1\r\nHost: " + srv.Addr + "\r\n\r\n"
					if sockets && k%2 == 1 {
						request = "GET /ws/subscribe?topics=S19 HTTP/1.1\r\nHost: " + srv.Addr + "\r\n" + strings.Join(testserver.Upgrade, "\r\n") + "\r\n\r\n"
					}
					io.WriteString(nc, request)
					if i%3 == 0 {
						nc.(*net.TCPConn).SetLinger(0) // disconnect before the response
						nc.Close()
						continue
					}
					defer nc.Close()
				}
			})
		}
		testkit.Eventually(t, func() bool { return liveStreams(srv) > 5+3*round }, "streams")
		if err := srv.Stop(testserver.Timeout); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		close(quit)
		arrivals.Wait()
		if liveStreams(srv) != 0 {
			t.Errorf("round %d: %d streams left", round, liveStreams(srv))
		}
	}
}

// TestShutdownInParts checks that streams are ended over the time in which so many clients can reconnect.
func TestShutdownInParts(t *testing.T) { onEngines(t, testShutdownInParts) }

func testShutdownInParts(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.AcceptRate = 20 }})
	var clients []*testserver.Client
	for k := range 20 {
		clients = append(clients, srv.Stream(lanes[k%2], "snapshot=false"))
	}
	var ends sync.Map
	var reading sync.WaitGroup
	for k, c := range clients {
		reading.Go(func() {
			c.WaitFor("bye")
			ends.Store(k, time.Now())
			c.Cut(false)
		})
	}
	if err := srv.Stop(testserver.Timeout); err != nil {
		t.Error(err)
	}
	reading.Wait()
	var first, last time.Time
	ends.Range(func(_, at any) bool {
		if at := at.(time.Time); first.IsZero() || at.Before(first) {
			first = at
		}
		if at := at.(time.Time); at.After(last) {
			last = at
		}
		return true
	})
	if took := last.Sub(first); took < time.Second/2 {
		t.Errorf("20 streams ended within %v, want about a second", took)
	}
}

// TestShutdownInPartsIsBounded checks that ending the streams in parts takes at most half of the time of a shutdown.
func TestShutdownInPartsIsBounded(t *testing.T) { onEngines(t, testShutdownInPartsIsBounded) }

func testShutdownInPartsIsBounded(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.AcceptRate = 0.01 }}) // 100 s for each
	c := srv.SSE("snapshot=false")
	stopped := make(chan error, 1)
	go func() { stopped <- srv.Stop(20 * time.Second) }()
	if bye := c.WaitFor("bye"); bye.Reason != wire.ByeShutdown {
		t.Errorf("%s", bye.Text)
	}
	c.Cut(false)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
