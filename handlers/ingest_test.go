package handlers_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"ticklane/handlers"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// TestFeedInABody: the lines of a short body, of a long one and of one in chunks become ticks of the streams. After a short one the
// connection goes on.
func TestFeedInABody(t *testing.T) { onEngines(t, testFeedInABody) }

func testFeedInABody(t *testing.T, engine string) {
	f := newFeedServer(t, engine, nil)
	sse, web := f.SSE("topics=sector:x"), f.WS("topics=*")
	sse.Want("snapshot")
	web.Want("snapshot")
	c := f.Dial()
	c.Post("/api/ingest?source=me", trades("A", 1, 3)+strings.TrimSpace(trades("B", 4, 4)), ndjson)
	if text := c.ReadBody(); c.Status != 200 || counts(answer(t, text)) != "+4 -0 =0 last 4" || c.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", c.Status, text)
	}
	c.Post("/api/ingest?source=me", "{}\n"+trades("A", 3, 6), ndjson) // on the same connection
	if text := c.ReadBody(); c.Status != 200 || counts(answer(t, text)) != "+2 -1 =2 last 6" || !strings.Contains(text, `"errors":[{"line":1,"field":"T","reason":"missing;`) {
		t.Fatalf("%d %s", c.Status, text)
	}
	const last = 4000
	long := trades("B", 7, last)
	if len(long) < 2*f.Settings.BodySize {
		t.Fatal("the long body is short")
	}
	c.Post("/api/ingest?source=me", long, ndjson)
	if text := c.ReadBody(); c.Status != 200 || counts(answer(t, text)) != "+3994 -0 =0 last 4000" || c.Header.Get("Connection") != "close" || c.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s", c.Status, text)
	}
	if b, err := io.ReadAll(c.Reader); len(b) > 0 || err != nil {
		t.Errorf("after the answer: %q, %v", b, err)
	}
	open := f.Dial()
	open.Send("POST /api/ingest?source=me HTTP/1.1\r\nHost: " + f.Addr + "\r\n" + ndjson + "\r\nTransfer-Encoding: chunked\r\n\r\n")
	chunk := func(text string) { open.Send(fmt.Sprintf("%x\r\n%s\r\n", len(text), text)) }
	for n := last + 1; n <= last+20; n += 2 {
		lines := trades("A", n, n+1)
		chunk(lines[:40]) // half a line
		chunk(lines[40:])
		testkit.Eventually(t, func() bool { return f.TickLog.Head().Seq == uint64(n+1) }, "ticks while the body is open")
	}
	open.Send("0\r\n\r\n")
	open.ReadHead()
	if text := open.ReadBody(); open.Status != 200 || counts(answer(t, text)) != "+20 -0 =0 last 4020" {
		t.Fatalf("%d %s", open.Status, text)
	}
	for _, stream := range []*testserver.Client{sse, web} {
		for n := uint64(1); n <= last+20; n++ {
			m := stream.Want("q")
			if want := f.Ticks.JSON(n); m.Text != want || !strings.Contains(m.Text, fmt.Sprintf(`"p":%d.25`, n)) {
				t.Fatalf("got %s, want %s", m.Text, want)
			}
		}
	}
	if _, text := f.Get("/api/ingest?source=me"); !strings.HasPrefix(text, `{"epoch":"`+wire.Epoch(f.TickLog.Head().Epoch)+`","holes":[],"last":4020,`) {
		t.Error(text)
	}
}

// TestBodiesThatBreak: a body that breaks has its whole lines accepted and its last line discarded, and releases its slot.
func TestBodiesThatBreak(t *testing.T) {
	t.Parallel()
	f := newFeedServer(t, testserver.Stream, nil)
	head := "POST /api/ingest?source=me HTTP/1.1\r\nHost: " + f.Addr + "\r\n" + ndjson + "\r\n"
	n := 0
	for _, start := range []string{"Content-Length: 1000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nFFFFF\r\n"} {
		for _, reset := range []bool{false, true} {
			c := f.Dial()
			c.Send(head + start + trades("A", n+1, n+3) + strings.TrimSpace(trades("A", n+4, n+4)))
			n += 3
			testkit.Eventually(t, func() bool { return f.last("me") == uint64(n) }, "the lines")
			c.Cut(reset)
		}
	}
	line := trades("A", n+1, n+1)
	n++
	for bad, want := range map[string]string{
		"xyz\r\n": "+0 -0 =0 last 12", "1\r\nxx\r\n": "+0 -0 =0 last 12", fmt.Sprintf("%x\r\n%s\r\nxyz\r\n", len(line), line): "+1 -0 =0 last 13",
	} {
		c := f.Dial()
		c.Send(head + "Transfer-Encoding: chunked\r\n\r\n" + bad)
		c.ReadHead()
		if r := counts(answer(t, c.ReadBody())); c.Status != 400 || r[:9] != want[:9] {
			t.Errorf("%q is answered with %d, %s", bad, c.Status, r)
		}
		c.Cut(false)
	}
	testkit.Eventually(t, func() bool { return f.Handlers.LiveFeeds() == 0 }, "free slots")
	if r, err := f.source.Progress(t.Context(), "me"); err != nil || r.Last != uint64(n) || len(r.Holes) > 0 {
		t.Errorf("%+v", r)
	}
}

// TestFeedsAreRefused: each refusal is readable even if the client is still sending, and ends the connection of a body that was not
// read, so that no part of it is taken as a request.
func TestFeedsAreRefused(t *testing.T) {
	t.Parallel()
	token := func(s *handlers.Settings) { s.IngestToken = "secret" }
	proxy := func(s *handlers.Settings) { s.TrustedProxies = []string{"127.0.0.1"} }
	smuggled := strings.Repeat("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 4000) // 170 KB
	for _, c := range []struct {
		name     string
		settings func(*handlers.Settings)
		path     string
		lines    []string
		status   int
		detail   string
	}{
		{"no token", token, "/api/ingest", []string{ndjson}, 401, "Authorization: want Bearer"},
		{"wrong token", token, "/api/ingest", []string{ndjson, "Authorization: Bearer Secret"}, 401, "Authorization"},
		{"other scheme", token, "/api/ingest", []string{ndjson, "Authorization: Basic secret"}, 401, "Authorization"},
		{"right token", token, "/api/ingest", []string{ndjson, "Authorization: bearer secret"}, 200, ""},
		{"from elsewhere", nil, "/api/ingest", []string{ndjson, "X-Forwarded-For: 203.0.113.1"}, 403, "Without feed.ingest.token"},
		{"through a proxy", proxy, "/api/ingest", []string{ndjson, "X-Forwarded-For: 127.0.0.1"}, 403, "Without feed.ingest.token"},
		{"through a proxy that has another header", nil, "/api/ingest", []string{ndjson, "Forwarded: for=203.0.113.1"}, 403, "Without feed.ingest.token"},
		{"foreign page", nil, "/api/ingest", []string{ndjson, "Origin: https://example.com"}, 403, "Origin"},
		{"own page", nil, "/api/ingest", []string{ndjson, "Origin: http://HOST"}, 200, ""},
		{"other host", nil, "/api/ingest", []string{ndjson, "Host: example.com"}, 421, "Host"},
		{"JSON", nil, "/api/ingest", []string{"Content-Type: application/json"}, 415, "Content-Type: want application/x-ndjson"},
		{"no type", nil, "/api/ingest", nil, 415, "Content-Type"},
		{"charset", nil, "/api/ingest", []string{ndjson + "; charset=utf-8"}, 200, ""},
		{"compressed", nil, "/api/ingest", []string{ndjson, "Content-Encoding: gzip"}, 415, "Content-Encoding"},
		{"empty source", nil, "/api/ingest?source=", []string{ndjson}, 400, "source"},
		{"source with spaces", nil, "/api/ingest?source=a%20b", []string{ndjson}, 400, "source"},
		{"unknown parameter", nil, "/api/ingest?sauce=a", []string{ndjson}, 400, "sauce: unknown parameter; did you mean source?"},
		{"forged header", nil, "/api/ingest", []string{ndjson, "X-Ticklane-Open-Body: 5"}, 200, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFeedServer(t, testserver.Stream, c.settings)
			for i := range c.lines {
				c.lines[i] = strings.ReplaceAll(c.lines[i], "HOST", f.Addr)
			}
			if !strings.Contains(strings.Join(c.lines, "\n"), "Host:") {
				c.lines = append(c.lines, "Host: "+f.Addr)
			}
			head := "POST " + c.path + " HTTP/1.1\r\n" + strings.Join(c.lines, "\r\n") + "\r\n"
			small := f.Dial()
			small.Send(head + "Content-Length: 3\r\n\r\n{}\n")
			small.ReadHead()
			if text := small.ReadBody(); small.Status != c.status || !strings.Contains(text, c.detail) {
				t.Errorf("a short body: %d %s", small.Status, text)
			}
			small.Request("GET", "/healthz") // the connection goes on
			for _, body := range []string{
				fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(smuggled), smuggled),
				fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled),
			} {
				long := f.Dial()
				long.Send(head + body)
				long.ReadHead()
				if text := long.ReadBody(); long.Status != c.status || !strings.Contains(text, c.detail) || long.Header.Get("Connection") != "close" {
					t.Errorf("a long body: %d %v %s", long.Status, long.Header, text)
				}
				if b, err := io.ReadAll(long.Reader); len(b) > 0 || err != nil {
					t.Errorf("after the answer: %.100q, %v", b, err)
				}
			}
		})
	}
}

// TestFeedOfAnotherServer: a server whose feed is no ingest says which setting is needed, and other addresses read no long bodies.
func TestFeedOfAnotherServer(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t, testserver.Options{})
	if c, text := srv.Post("/api/ingest", "{}", ndjson); c.Status != 409 || !strings.Contains(text, "feed.source") {
		t.Errorf("%d %s", c.Status, text)
	}
	if c, text := srv.Get("/api/ingest?source=a"); c.Status != 409 {
		t.Errorf("%d %s", c.Status, text)
	}
	long := strings.Repeat(" ", srv.Settings.BodySize+1)
	for path, status := range map[string]int{"/api/ingest": 409, "/api/ingest/": 413, "/api/lab/rate": 413} {
		if c, text := srv.Post(path, long, ndjson); c.Status != status {
			t.Errorf("%s: %d %s", path, c.Status, text)
		}
	}
}

// TestFeedProgress: the place in a client's sequence.
func TestFeedProgress(t *testing.T) {
	t.Parallel()
	f := newFeedServer(t, testserver.Stream, nil)
	f.Post("/api/ingest?source=a", trades("A", 3, 3), ndjson)
	if c, text := f.Get("/api/ingest?source=a"); c.Status != 200 || !strings.Contains(text, `"holes":[{"from":1,"to":2}],"last":3,"more_holes":0,"source":"a"}`) {
		t.Errorf("%d %s", c.Status, text)
	}
	if c, text := f.Get("/api/ingest?source=b"); c.Status != 200 || !strings.Contains(text, `"holes":[],"last":0,`) {
		t.Errorf("%d %s", c.Status, text)
	}
	if c, text := f.Get("/api/ingest"); c.Status != 400 || !strings.Contains(text, "source: missing") {
		t.Errorf("%d %s", c.Status, text)
	}
}

// TestFeedOverAWebSocket: messages of one or more lines, pings and acknowledgements.
func TestFeedOverAWebSocket(t *testing.T) { onEngines(t, testFeedOverAWebSocket) }

func testFeedOverAWebSocket(t *testing.T, engine string) {
	f := newFeedServer(t, engine, nil)
	c, first := f.feedSocket("?source=me")
	if counts(first) != "+0 -0 =0 last 0" {
		t.Errorf("%+v", first)
	}
	stream := f.WS("topics=A")
	stream.Want("snapshot")
	c.SendText(strings.TrimSpace(trades("A", 1, 1)))
	if r := f.acknowledgement(c); counts(r) != "+1 -0 =0 last 1" {
		t.Errorf("%+v", r)
	}
	for n := 2; n <= 101; n++ {
		c.SendText(trades("A", n, n))
	}
	if r := f.acknowledged(c, 101); counts(r) != "+100 -0 =0 last 101" {
		t.Errorf("%+v", r)
	}
	c.SendText(trades("A", 100, 2000) + "x")
	if r := f.acknowledged(c, 2000); counts(r) != "+1899 -1 =2 last 2000" || r.Errors[0].Line != 2003 {
		t.Errorf("%+v", r)
	}
	c.WriteFrame(ws.OpPing, true, "hi")
	if op, payload := f.frame(c); op != ws.OpPong || payload != "hi" {
		t.Errorf("opcode %x %q", op, payload)
	}
	for n := uint64(1); n <= 2000; n++ {
		if m := stream.Want("q"); m.N != n {
			t.Fatalf("n %d, want %d", m.N, n)
		}
	}
	again, first := f.feedSocket("?source=me")
	if counts(first) != "+0 -0 =0 last 2000" {
		t.Errorf("%+v", first)
	}
	again.WriteFrame(ws.OpText, true, strings.Repeat(" ", 1<<20+1))
	again.WantClose(wire.CloseTooBig)
	c.WriteFrame(ws.OpClose, true, string(ws.NewCloseFrameBody(ws.StatusNormalClosure, "")))
	c.WantClose(wire.CloseNormal)
	testkit.Eventually(t, func() bool { return f.Handlers.LiveFeeds() == 0 }, "free slots")
}

// TestEventsOfAFeed: trades and statuses are on the streams with their channels, and only there.
func TestEventsOfAFeed(t *testing.T) {
	t.Parallel()
	f := newFeedServer(t, testserver.Stream, nil)
	all, quotes := f.WS("channels=quotes,trades,status"), f.SSE("")
	for _, s := range []*testserver.Client{all, quotes} {
		s.Want("snapshot")
	}
	f.Post("/api/ingest", `{"T":"trade","S":"A","p":1.25,"s":3,"id":"7","c":["@"],"x":"V","t":1793021400000000}`+"\n"+
		`{"T":"status","S":"A","status":"halted","reason":"news","t":1793021400000001}`, ndjson)
	for _, want := range []string{
		`{"T":"trade","S":"A","p":1.25,"s":3,"id":"7","c":["@"],"x":"V","t":1793021400000000,"n":1,"i":1}`, f.Ticks.JSON(1),
		`{"T":"status","status":"halted","t":1793021400000001,"S":"A","reason":"news","n":2,"i":2}`, f.Ticks.JSON(2),
	} {
		if m := all.Next(); m.Text != want {
			t.Errorf("got %s, want %s", m.Text, want)
		}
		if strings.HasPrefix(want, `{"T":"q"`) {
			if m := quotes.Next(); m.Text != want {
				t.Errorf("got %s, want %s", m.Text, want)
			}
		}
	}
}

// TestShutdownOfFeeds: clients that send get their answer, a socket a close, and their slots are free.
func TestShutdownOfFeeds(t *testing.T) { onEngines(t, testShutdownOfFeeds) }

func testShutdownOfFeeds(t *testing.T, engine string) {
	f := newFeedServer(t, engine, nil)
	open := f.Dial()
	open.Send("POST /api/ingest?source=me HTTP/1.1\r\nHost: " + f.Addr + "\r\n" + ndjson + "\r\nContent-Length: 1000000\r\n\r\n" + trades("A", 1, 5))
	socket, _ := f.feedSocket("?source=other")
	testkit.Eventually(t, func() bool { return f.last("me") == 5 }, "the lines")
	done := make(chan error, 1)
	go func() { done <- f.Stop(testserver.Timeout) }()
	open.ReadHead()
	if text := open.ReadBody(); open.Status != 503 || counts(answer(t, text)) != "+5 -0 =0 last 5" {
		t.Errorf("%d %s", open.Status, text)
	}
	open.NetConn.Close()
	socket.WantClose(wire.CloseGoingAway)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := f.Handlers.LiveFeeds(); n != 0 {
		t.Errorf("%d feeds are open", n)
	}
}

// TestTooManyFeeds: beyond the bound, clients get 503, and a slot that is freed is used again.
func TestTooManyFeeds(t *testing.T) {
	t.Parallel()
	f := newFeedServer(t, testserver.Stream, nil)
	var open []*testserver.Client
	for range 64 {
		c, _ := f.feedSocket("")
		open = append(open, c)
	}
	c := f.Dial()
	c.Request("GET", "/ws/ingest", testserver.Upgrade...)
	if text := c.ReadBody(); c.Status != 503 {
		t.Errorf("%d %s", c.Status, text)
	}
	long := f.Dial()
	long.Send("POST /api/ingest HTTP/1.1\r\nHost: " + f.Addr + "\r\n" + ndjson + "\r\nTransfer-Encoding: chunked\r\n\r\n")
	if long.ReadHead(); long.Status != 503 {
		t.Errorf("%d", long.Status)
	}
	open[0].Cut(true)
	testkit.Eventually(t, func() bool { return f.Handlers.LiveFeeds() == 63 }, "a free slot")
	f.feedSocket("")
}

// TestPagesNameALiveFeed: no page calls it a simulation.
func TestPagesNameALiveFeed(t *testing.T) {
	t.Parallel()
	f := newFeedServer(t, testserver.Stream, nil)
	for _, path := range []string{"/docs", "/sse/home", "/ws/home", "/nothing"} {
		if _, page := f.Get(path, "Accept: text/html"); !strings.Contains(page, "LIVE FEED") || strings.Contains(page, "SIMULATED MARKET") {
			t.Errorf("%s: %.300s", path, page)
		}
	}
}

// TestStaleFeed: /readyz and /api/stats report it.
func TestStaleFeed(t *testing.T) {
	t.Parallel()
	since := time.UnixMicro(1_700_000_000_123_456)
	reason := ""
	srv := newTestServer(t, testserver.Options{Deps: func(d *handlers.Deps) {
		d.Feed = handlers.FeedInfo{Source: "ingest", Stale: func() (time.Time, bool) { return since, true }, StaleReason: func() string { return reason }}
	}})
	if c, text := srv.Get("/readyz"); c.Status != 200 || text != "ready, feed stale\n" {
		t.Errorf("%d %s", c.Status, text)
	}
	reason = "not connected"
	if c, text := srv.Get("/readyz"); c.Status != 200 || text != "ready, feed stale: not connected\n" {
		t.Errorf("%d %s", c.Status, text)
	}
	if _, text := srv.Get("/api/stats"); !strings.Contains(text, `"stale":1700000000123456`) {
		t.Error(text)
	}
}
