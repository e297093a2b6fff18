package handlers_test

import (
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"

	"ticklane/handlers"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// records is a writer that keeps what is logged.
type records struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *records) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *records) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// wantOne checks that one record contains all of these texts.
func (r *records) wantOne(t *testing.T, texts ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for line := range strings.Lines(r.text.String()) {
		if strings.Contains(line, texts[0]) {
			n++
			for _, text := range texts {
				if !strings.Contains(line, text) {
					t.Errorf("no %q in %s", text, line)
				}
			}
		}
	}
	if n != 1 {
		t.Errorf("%d records of %q: %s", n, texts[0], r.text.String())
	}
}

func newRecords() (*records, *slog.Logger) {
	r := &records{}
	return r, slog.New(slog.NewTextHandler(r, nil))
}

// TestAcceptRate checks that the clients above limits.accept_rate are refused, each with the next free time.
func TestAcceptRate(t *testing.T) { onEngines(t, testAcceptRate) }

func testAcceptRate(t *testing.T, engine string) {
	log, logger := newRecords()
	srv := newTestServer(t, testserver.Options{Engine: engine, Logger: logger, Settings: func(s *handlers.Settings) { s.AcceptRate = 0.001 }})
	for range 3 {
		if head := probe(srv); head.Status != 200 {
			t.Errorf("HEAD: %d, want 200: it takes no stream from the clients", head.Status)
		}
	}
	srv.SSE("")
	for k, latest := range []int64{1000, 61_000, 61_000} { // the times after the first are a thousand seconds apart, and bounded
		c := srv.Dial()
		c.RequestStream(wire.Lane(k%2), "")
		if bye := c.Want("bye"); bye.Reason != "overload" || bye.Retry < 1000 || bye.Retry > latest {
			t.Errorf("client %d: %s", k, bye.Text)
		}
		if c.Format.Lane() == wire.WS {
			c.WantClose(1013)
		}
	}
	answer, body := srv.Get("/sse/subscribe")
	if p := wantProblem(t, answer, body, 503); !strings.Contains(p.Detail, "limits.accept_rate") {
		t.Errorf("%s", p.Detail)
	}
	if n, err := strconv.Atoi(answer.Header.Get("Retry-After")); err != nil || n < 1 {
		t.Errorf("Retry-After %q", answer.Header.Get("Retry-After"))
	}
	if head := probe(srv); head.Status != 503 || head.Header.Get("Retry-After") == "" {
		t.Errorf("HEAD above the rate: %d %v", head.Status, head.Header)
	}
	if c := srv.Handlers.Counts(); c.Overloads != 4 || c.RateRefusals != 4 || c.Waiting == 0 || c.Waiting > 4 { // HEAD opens no stream
		t.Errorf("%+v", c)
	}
	if n := liveStreams(srv); n != 1 {
		t.Errorf("%d streams hold a slot", n)
	}
	log.wantOne(t, "streams refused", "times=1", `cause="limits.accept_rate is reached, 0.001 new streams a second"`)
}

// probe requests HEAD /sse/subscribe.
func probe(srv *testserver.Server) *testserver.Client {
	c := srv.Dial()
	c.Request("HEAD", "/sse/subscribe")
	return c
}

// TestRequestRate checks limits.requests on pages, the API and both lanes.
func TestRequestRate(t *testing.T) { onEngines(t, testRequestRate) }

func testRequestRate(t *testing.T, engine string) {
	log, logger := newRecords()
	srv := newTestServer(t, testserver.Options{Engine: engine, Logger: logger, Settings: func(s *handlers.Settings) {
		s.RequestRate, s.TrustedProxies = 0.01, []string{"127.0.0.1"} // in ten seconds less than one, so one at once
	}})
	from := func(client string) string { return "X-Forwarded-For: " + client }
	first := srv.Dial()
	first.Request("GET", "/sse/subscribe?topics=S1", from("192.0.2.1"))
	if first.Status != 200 {
		t.Fatalf("the first request: %d", first.Status)
	}
	paths := []string{"/", "/api/symbols", "/sse/subscribe", "/ws/subscribe", "/nothing"}
	for _, path := range paths {
		answer, body := srv.Get(path, from("192.0.2.1"))
		wantProblem(t, answer, body, 429)
		if n, err := strconv.Atoi(answer.Header.Get("Retry-After")); err != nil || n < 1 || n > 100 {
			t.Errorf("Retry-After %q", answer.Header.Get("Retry-After"))
		}
	}
	page, html := srv.Get("/", from("192.0.2.1"), "Accept: text/html")
	wait := "limits.requests is reached, 0.01 requests a second from this client address. Try again in " + page.Header.Get("Retry-After") + " s."
	if page.Status != 429 || !strings.Contains(html, "<h1>Too many requests</h1>") || !strings.Contains(html, wait) {
		t.Errorf("a browser gets %d %s", page.Status, html)
	}
	c := srv.Dial()
	c.Request("GET", "/sse/subscribe", from("192.0.2.1"), "Accept: text/event-stream")
	if body := c.ReadBody(); c.Status != 200 || !strings.Contains(body, `"reason":"overload"`) {
		t.Errorf("an EventSource gets %d %s", c.Status, body)
	}
	ws := srv.Dial()
	ws.RequestWS("", from("192.0.2.1"), "Origin: http://"+srv.Addr) // as a browser does, whose scripts can't read a status
	if bye := ws.Want("bye"); bye.Reason != "overload" || bye.Retry < 1000 || bye.Retry > 100_000 {
		t.Errorf("a browser's WebSocket gets %s", bye.Text)
	}
	ws.WantClose(1013)
	for _, path := range []string{"/healthz", "/readyz"} {
		if answer, _ := srv.Get(path, from("192.0.2.1")); answer.Status != 200 {
			t.Errorf("%s: %d", path, answer.Status)
		}
	}
	if answer, _ := srv.Get("/api/symbols", from("192.0.2.2")); answer.Status != 200 {
		t.Errorf("another client: %d", answer.Status)
	}
	if n := srv.Handlers.Counts().RequestRefusals; n != uint64(len(paths)+3) {
		t.Errorf("%d refusals counted", n)
	}
	log.wantOne(t, "requests refused", "times=1", "address=192.0.2.1")
}

// TestRequestRateExemptsLoopback checks that a load test on the server's machine isn't limited.
func TestRequestRateExemptsLoopback(t *testing.T) {
	srv := newTestServer(t, testserver.Options{Settings: func(s *handlers.Settings) { s.RequestRate = 0.1 }})
	for range 20 {
		if answer, _ := srv.Get("/api/symbols"); answer.Status != 200 {
			t.Fatalf("status %d", answer.Status)
		}
	}
}

// TestForwardedAddresses checks that entries of X-Forwarded-For with ports and brackets are read, and that unreadable ones
// are counted and logged.
func TestForwardedAddresses(t *testing.T) { onEngines(t, testForwardedAddresses) }

func testForwardedAddresses(t *testing.T, engine string) {
	log, logger := newRecords()
	srv := newTestServer(t, testserver.Options{Engine: engine, Logger: logger, Settings: func(s *handlers.Settings) {
		s.MaxPerAddress, s.TrustedProxies = 2, []string{"127.0.0.1", "10.0.0.0/8"}
	}})
	for _, c := range []struct{ entries, address string }{
		{"203.0.113.1:4711", "203.0.113.1"},
		{"203.0.113.2:4712", "203.0.113.2"},
		{"203.0.113.3:4713", "203.0.113.3"},
		{"[2001:db8::1]:4711", "2001:db8::1"},
		{"[2001:db8:1::2]", "2001:db8:1::2"},
		{`"[2001:db8:2::3]:80"`, "2001:db8:2::3"},
		{"203.0.113.4:1, 10.1.1.1:99", "203.0.113.4"},
		{"fe80::1%eth0", "fe80::1"},
	} {
		cl := srv.SSE("topics=S1", "X-Forwarded-For: "+c.entries)
		if got := srv.TickLog.Find(cl.Hello.Conn).Info().Address; got != c.address {
			t.Errorf("%q: %s, want %s", c.entries, got, c.address)
		}
	}
	if n := srv.Handlers.Counts().UnreadableAddresses; n != 0 {
		t.Errorf("%d readable entries were counted as unreadable", n)
	}
	for _, entries := range []string{"unknown", "203.0.113.1:port", "[2001:db8::1", "203.0.113.1, nonsense"} {
		srv.Get("/api/time", "X-Forwarded-For: "+entries)
	}
	srv.Get("/api/time")
	srv.Get("/readyz")
	if n := srv.Handlers.Counts().UnreadableAddresses; n != 5 {
		t.Errorf("%d unreadable headers counted, want 5", n)
	}
	log.wantOne(t, "X-Forwarded-For", "proxy=127.0.0.1 entry=unknown\n")
}
