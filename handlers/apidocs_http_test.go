package handlers_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/handlers"
	"ticklane/internal/stream"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// attempt is a request with the expected status.
type attempt struct {
	id, path string
	status   int
	body     string // of a POST
	extra    []string
}

func (d *apiChecker) try(srv *testserver.Server, all map[string]operation, x attempt) string {
	d.Helper()
	o, ok := all[x.id]
	if !ok {
		d.Fatalf("%s isn't described", x.id)
	}
	c := srv.Dial()
	defer c.NetConn.Close()
	extra := x.extra
	if o.method == fiber.MethodPost {
		typed := slices.ContainsFunc(extra, func(l string) bool { return strings.HasPrefix(l, "Content-Type:") })
		if !typed {
			extra = append(slices.Clone(extra), "Content-Type: application/json")
		}
		extra = append(extra, fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(x.body), x.body))
	}
	c.Request(o.method, x.path, extra...)
	text := ""
	if o.method != fiber.MethodHead && c.Status != 101 && c.Status != 204 && c.Status != 304 {
		text = c.ReadBody()
	}
	if c.Status != x.status {
		d.Errorf("%s %s: status %d, want %d: %.300s", o.method, x.path, c.Status, x.status, text)
	}
	d.checkAnswer(o, c.Status, c.Header, text)
	if c.Status >= 400 {
		return text
	}
	d.checkRequest(o, x.path)
	if o.method == fiber.MethodPost {
		schema := o.pointer + "/requestBody/content/application~1json/schema"
		if slices.Contains(extra, ndjson) {
			schema = strings.Replace(schema, "json", "x-ndjson", 1)
		}
		v, err := value(x.body)
		if schema, _ := d.at(o.pointer + "/requestBody"); schema == nil || slices.Contains(extra, form) {
			return text // no body, or one that isn't JSON
		}
		if err == nil {
			err = d.check(schema, v)
		}
		if err != nil {
			d.Errorf("%s accepted %s: %v", o.id, x.body, err)
		}
	}
	return text
}

// TestHTTPIsAsDescribed makes every operation return every answer that is described.
func TestHTTPIsAsDescribed(t *testing.T) { onEngines(t, testHTTPIsAsDescribed) }

func testHTTPIsAsDescribed(t *testing.T, engine string) {
	d := newAPIChecker(t, "openapi")
	all := d.operations()
	reports := t.TempDir()
	for _, name := range []string{"run.html", "run.json"} {
		if err := os.WriteFile(filepath.Join(reports, name), []byte(`{"a":1}`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	now := 100.0
	srv := newTestServer(t, testserver.Options{Engine: engine, Log: compressing(stream.CompressAuto), Settings: func(s *handlers.Settings) { s.Reports = reports }, Deps: func(d *handlers.Deps) {
		d.Files = filesWithBundles()
		d.Lab = &handlers.Lab{Rate: func() float64 { return now }, SetRate: func(r float64) error {
			if r <= 0 {
				return fmt.Errorf("want a rate above 0")
			}
			now = r
			return nil
		}, Background: func(_, _ int) error { return nil }, Clients: func() (int, int) { return 1, 2 }}
	}})
	srv.Publish(100)
	c, w := srv.SSE("topics=S1&snapshot=false&user=mine"), srv.WS("snapshot=false&user=mine")
	sse, ws := "/sse/connections/"+c.Hello.Conn, "/ws/connections/"+w.Hello.Conn
	big := `{"action":"time","id":1` + strings.Repeat(" ", 5000) + "}"
	cut := `{"action":"cut","conns":["none"]}`
	handshake := func(more ...string) []string { return append(slices.Clone(testserver.Upgrade), more...) }
	ok := []attempt{
		{id: "dashboard", path: "/?lang=zh-CN"}, {id: "compare", path: "/compare"}, {id: "reports", path: "/reports"}, {id: "docs", path: "/docs"},
		{id: "report", path: "/reports/run.html"}, {id: "report", path: "/reports/run.json"},
		{id: "homeSSE", path: "/sse/home?user=me&topics=S1"}, {id: "homeWS", path: "/ws/home?user=me&topics=S1"},
		{id: "assets", path: "/assets/dashboard-AAAAAAAA.js"}, {id: "static", path: "/static/favicon.svg"},
		{id: "symbols", path: "/api/symbols"}, {id: "quotes", path: "/api/quotes?topics=S1,sector:odd"}, {id: "time", path: "/api/time"},
		{id: "history", path: "/api/history?symbol=S1&interval=10s&before=9000000000000000&limit=5"},
		{id: "history", path: "/api/history?symbol=S1&from=0&to=9000000000000000&format=csv"}, {id: "history", path: "/api/history?symbol=S1&from=2026-03-02&to=2026-03-02T14:30:00Z"}, {id: "closes", path: "/api/closes?topics=S1,sector:odd&interval=10s&limit=5"}, {id: "stats", path: "/api/stats"}, {id: "cluster", path: "/api/cluster?since=0"}, {id: "clusterPage", path: "/cluster?lang=zh-CN"}, {id: "connections", path: "/api/connections"},
		{id: "listReports", path: "/api/reports"}, {id: "healthz", path: "/healthz"}, {id: "readyz", path: "/readyz"}, {id: "metrics", path: "/metrics"},
		{id: "openapiYAML", path: "/api/openapi.yaml"}, {id: "openapiJSON", path: "/api/openapi.json"},
		{id: "asyncapiYAML", path: "/api/asyncapi.yaml"}, {id: "asyncapiJSON", path: "/api/asyncapi.json"},
		{id: "readSSE", path: sse}, {id: "readWS", path: ws}, {id: "lab", path: "/api/lab"},
	}
	for _, x := range ok {
		x.status = 200
		d.try(srv, all, x)
		// HEAD has the same head and no body.
		head := srv.Dial()
		head.Request("HEAD", x.path)
		if head.Status != 200 || head.Reader.Buffered() > 0 {
			t.Errorf("HEAD %s: %d with %d bytes", x.path, head.Status, head.Reader.Buffered())
		}
		tag := head.Header.Get("ETag")
		if (tag != "") != (head.Header.Get("Cache-Control") != "no-store") && x.id != "healthz" && x.id != "readyz" && x.id != "metrics" {
			t.Errorf("%s: Cache-Control %q with the tag %s", x.path, head.Header.Get("Cache-Control"), tag)
		}
		if tag != "" {
			x.status, x.extra = 304, []string{"If-None-Match: " + tag}
			d.try(srv, all, x)
		}
		head.NetConn.Close()
	}
	for _, x := range []attempt{
		{id: "favicon", path: "/favicon.ico", status: 301},
		{id: "assets", path: "/assets/dashboard-AAAAAAAA.js", status: 304, extra: []string{"If-None-Match: *"}},
		{id: "static", path: "/static/none", status: 404}, {id: "assets", path: "/assets/none", status: 404}, {id: "report", path: "/reports/none.html", status: 404},
		{id: "homeSSE", path: "/sse/home?topics=NONE", status: 400}, {id: "homeWS", path: "/ws/home?topics=NONE", status: 400},
		{id: "quotes", path: "/api/quotes?topics=NONE", status: 400}, {id: "history", path: "/api/history", status: 400},
		{id: "closes", path: "/api/closes?limit=501", status: 400}, {id: "cluster", path: "/api/cluster?since=now", status: 400},

		{id: "probeSSE", path: "/sse/subscribe?limit=5&duration=1m30s&mode=latest&interval=250ms&snapshot=true&from=oldest&delay=2ms&engine=stream&compress=off", status: 200},
		{id: "probeSSE", path: "/sse/subscribe", status: 204, extra: []string{"Last-Event-ID: end"}}, {id: "probeSSE", path: "/sse/subscribe?limit=0", status: 400},
		{id: "probeSSE", path: "/sse/subscribe", status: 421, extra: []string{"Host: evil.example"}},
		{id: "subscribeSSE", path: "/sse/subscribe", status: 204, extra: []string{"Last-Event-ID: end"}},
		{id: "subscribeSSE", path: "/sse/subscribe?limit=0&mode=fast", status: 400},

		{id: "subscribeWS", path: "/ws/subscribe?limit=5&duration=1m30s&mode=latest&interval=0&snapshot=false&from=latest&delay=0&engine=stream&compress=on", status: 101, extra: handshake(testserver.OfferDeflate)},
		{id: "subscribeWS", path: "/ws/subscribe", status: 101, extra: handshake("Sec-WebSocket-Protocol: other, ticklane.v1.protobuf, ticklane.v1.json")},
		{id: "subscribeWS", path: "/ws/subscribe?from=here", status: 400, extra: testserver.Upgrade},
		{id: "subscribeWS", path: "/ws/subscribe", status: 400, extra: handshake("Sec-WebSocket-Protocol: other")},
		{id: "subscribeWS", path: "/ws/subscribe", status: 403, extra: handshake("Origin: https://evil.example")},
		{id: "subscribeWS", path: "/ws/subscribe", status: 426},
		{id: "subscribeWS", path: "/ws/subscribe", status: 426, extra: []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 8"}},

		{id: "readSSE", path: "/sse/connections/" + w.Hello.Conn, status: 404}, {id: "readWS", path: "/ws/connections/x", status: 404},
		{id: "commandSSE", path: sse, status: 200, body: `{"action":"subscribe","topics":["S2"],"id":1}`},
		{id: "commandSSE", path: sse, status: 200, body: `{"action":"unsubscribe","topics":["S2"]}`},
		{id: "commandSSE", path: sse, status: 200, body: `{"action":"time","id":-2}`},
		{id: "commandSSE", path: sse, status: 400, body: `{"action":"subscribe","topics":["NONE"],"id":1}`},
		{id: "commandSSE", path: sse, status: 400, body: `[]`},
		{id: "commandSSE", path: sse, status: 403, body: `{"action":"time"}`, extra: []string{"Origin: https://evil.example"}},
		{id: "commandSSE", path: "/sse/connections/x", status: 404, body: `{"action":"time"}`},
		{id: "commandSSE", path: sse, status: 413, body: big},
		{id: "commandSSE", path: sse, status: 415, body: `{"action":"time"}`, extra: []string{"Content-Type: text/plain"}},

		{id: "labRate", path: "/api/lab/rate", status: 200, body: `{"rate":5.5}`}, {id: "labRate", path: "/api/lab/rate", status: 400, body: `{"rate":-1}`},
		{id: "labBackground", path: "/api/lab/background", status: 200, body: `{"sse":1,"ws":0}`},
		{id: "labBackground", path: "/api/lab/background", status: 400, body: `{"sse":2001,"ws":-1}`},
		{id: "labDrill", path: "/api/lab/drill", status: 400, body: `{"action":"unknown"}`}, {id: "labDrill", path: "/api/lab/drill", status: 404, body: cut},
		{id: "labDrill", path: "/api/lab/drill", status: 400, body: `{`},
	} {
		d.try(srv, all, x)
	}
	for _, id := range []string{"labDrill", "labRate", "labBackground"} {
		path := all[id].path
		d.try(srv, all, attempt{id: id, path: path, status: 403, body: cut, extra: []string{"Origin: null"}})
		d.try(srv, all, attempt{id: id, path: path, status: 413, body: big})
		d.try(srv, all, attempt{id: id, path: path, status: 415, body: cut, extra: []string{"Content-Type: text/plain"}})
	}
	d.checkDrills(srv, all)
	d.checkFeeds(all)
	d.checkOtherSettings(all)
	d.checkAccess(all)
	d.checkRenewalByPost(engine)
	d.checkCommonErrors(srv, all)

	for id, o := range all {
		for _, status := range o.statuses {
			// Streams and blocked streams are covered by other tests.
			if key := id + " " + status; !d.seen[key] && key != "subscribeSSE 200" && key != "commandSSE 503" && key != "commandWS 503" {
				t.Errorf("%s is described, but no request returned it", key)
			}
		}
	}
}

// TestCommandToABlockedStreamIsAsDescribed checks the answer to a command that a blocked stream can't execute.
func TestCommandToABlockedStreamIsAsDescribed(t *testing.T) {
	onEngines(t, testCommandToABlockedStreamIsAsDescribed)
}

func testCommandToABlockedStreamIsAsDescribed(t *testing.T, engine string) {
	d := newAPIChecker(t, "openapi")
	srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) {
		s.WriteBuffer, s.CommandWait, s.MessageRate, s.MessageBurst = 4096, time.Second, 1e6, 1e6
	}})
	c := srv.SmallStream(wire.SSE, "snapshot=false")
	srv.Publish(50_000) // more than the buffers of the connection hold
	o, deadline := d.operations()["commandSSE"], time.Now().Add(testserver.Timeout)
	for time.Now().Before(deadline) { // until the buffers are full
		a, text := srv.PostCommand(c.Hello.Conn, `{"action":"subscribe","topics":["S1"]}`) // unlike time, it needs the stream
		d.checkAnswer(o, a.Status, a.Header, text)
		if a.Status == 503 {
			c.Cut(true)
			return
		}
	}
	t.Errorf("the stream never blocked")
}
