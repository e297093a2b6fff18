package handlers_test

import (
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/handlers"
	"ticklane/internal/market/ingest"
	"ticklane/internal/shard"
	"ticklane/internal/stream"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// filesWithBundles returns the server's files with a bundle for every page.
func filesWithBundles() fs.FS {
	all := maps.Clone(builtFiles().(fstest.MapFS))
	all["public/assets/manifest.json"] = &fstest.MapFile{Data: []byte(`{"dashboard.js":"/assets/dashboard-AAAAAAAA.js","compare.js":"/assets/b.js",` +
		`"reports.js":"/assets/c.js","docs.js":"/assets/d.js","app.css":"/assets/app-BBBB.css","docs.css":"/assets/docs.css"}`)}
	return all
}

// TestRoutesAreDescribed checks that every route is described, and every described operation is a route.
func TestRoutesAreDescribed(t *testing.T) {
	d := newAPIChecker(t, "openapi")
	srv := newCompleteServer(t)
	have := map[string]bool{}
	for _, r := range srv.Handlers.Routes() {
		path := strings.ReplaceAll(r.Path, "*", "{path}")
		for _, part := range r.Params {
			path = strings.ReplaceAll(path, ":"+part, "{"+part+"}")
		}
		have[r.Method+" "+path] = true
	}
	if len(have) < 30 {
		t.Fatalf("only %d routes were found", len(have))
	}
	described := map[string]bool{}
	for _, o := range d.operations() {
		if !have[o.method+" "+o.path] {
			t.Errorf("%s %s is described but isn't a route", o.method, o.path)
		}
		described[o.method+" "+o.path] = true
		if o.method == fiber.MethodGet { // described in the introduction for all
			described[fiber.MethodHead+" "+o.path] = true
		}
	}
	for route := range have {
		if !described[route] {
			t.Errorf("%s isn't described", route)
		}
	}
}

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
		{id: "history", path: "/api/history?symbol=S1&from=0&to=9000000000000000&format=csv"}, {id: "history", path: "/api/history?symbol=S1&from=2026-03-02&to=2026-03-02T14:30:00Z"}, {id: "closes", path: "/api/closes?topics=S1,sector:odd&interval=10s&limit=5"}, {id: "stats", path: "/api/stats"}, {id: "connections", path: "/api/connections"},
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
		{id: "closes", path: "/api/closes?limit=501", status: 400},

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

// checkDrills checks the answers that only a drill causes.
func (d *apiChecker) checkDrills(srv *testserver.Server, all map[string]operation) {
	d.Helper()
	for _, status := range []int{503, 204} {
		for id, path := range map[string]string{"subscribeSSE": "/sse/subscribe?user=drilled", "subscribeWS": "/ws/subscribe?user=drilled"} {
			var c *testserver.Client
			if id == "subscribeSSE" {
				c = srv.SSE("user=drilled")
			} else {
				c = srv.WS("user=drilled")
			}
			d.try(srv, all, attempt{id: "labDrill", path: "/api/lab/drill", status: 200, body: fmt.Sprintf(`{"action":"%d","conns":["%s"]}`, status, c.Hello.Conn)})
			if id == "subscribeWS" {
				d.try(srv, all, attempt{id: id, path: path, status: status, extra: testserver.Upgrade})
				continue
			}
			a := srv.Dial()
			a.Request("GET", path)
			if text := ""; a.Status == 503 {
				text = a.ReadBody() // without Retry-After
				wantProblem(d, a, text, 503)
			} else if a.Status != 204 {
				d.Errorf("%s after a drill: %d", path, a.Status)
			}
		}
	}
	c := srv.SSE("user=late")
	srv.Handlers.RejectPendingFaults()
	d.try(srv, all, attempt{id: "labDrill", path: "/api/lab/drill", status: 429, body: `{"action":"503","conns":["` + c.Hello.Conn + `"]}`})
}

// checkFeeds checks the endpoints by which clients send a feed.
func (d *apiChecker) checkFeeds(all map[string]operation) {
	d.Helper()
	f := newFeedServer(d, testserver.Stream, nil)
	closed := newFeedServer(d, testserver.Stream, func(s *handlers.Settings) { s.IngestToken = "secret" })
	other := newTestServer(d, testserver.Options{})
	line := `{"T":"q","S":"A","p":1.5,"n":1}`
	for id, path := range map[string]string{"ingest": "/api/ingest", "ingestProgress": "/api/ingest", "ingestWS": "/ws/ingest"} {
		extra, status := testserver.Upgrade, 200
		switch id {
		case "ingest":
			extra = []string{ndjson}
		case "ingestWS":
			status = 101
		}
		d.try(f.Server, all, attempt{id: id, path: path + "?source=me", status: status, body: line, extra: extra})
		d.try(f.Server, all, attempt{id: id, path: path + "?source=", status: 400, body: line, extra: extra})
		d.try(f.Server, all, attempt{id: id, path: path + "?source=me", status: 403, body: line, extra: append(slices.Clone(extra), "Origin: https://evil.example")})
		d.try(closed.Server, all, attempt{id: id, path: path + "?source=me", status: 401, body: line, extra: extra})
		d.try(other, all, attempt{id: id, path: path + "?source=me", status: 409, body: line, extra: extra})
	}
	d.try(f.Server, all, attempt{id: "ingestWS", path: "/ws/ingest", status: 426})
	d.try(f.Server, all, attempt{id: "ingestWS", path: "/ws/ingest", status: 426, extra: []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 8"}})
	d.try(f.Server, all, attempt{id: "ingest", path: "/api/ingest", status: 415, body: line})
	f.stop()
	d.try(f.Server, all, attempt{id: "ingest", path: "/api/ingest?source=me", status: 503, body: line, extra: []string{ndjson}})
	for range 64 {
		f.feedSocket("")
	}
	d.try(f.Server, all, attempt{id: "ingestWS", path: "/ws/ingest", status: 503, extra: testserver.Upgrade})
}

// checkOtherSettings checks the answers that depend on other settings.
func (d *apiChecker) checkOtherSettings(all map[string]operation) {
	d.Helper()
	shut := newTestServer(d, testserver.Options{Settings: func(s *handlers.Settings) { s.MaxStreams, s.MessageRate, s.MessageBurst = 1, 1e-6, 1 }}) // no lab, no bundle, one stream
	for id, path := range map[string]string{"dashboard": "/", "compare": "/compare", "reports": "/reports"} {
		d.try(shut, all, attempt{id: id, path: path, status: 503})
	}
	d.try(shut, all, attempt{id: "docs", path: "/docs", status: 200})
	d.try(shut, all, attempt{id: "lab", path: "/api/lab", status: 404})
	for _, id := range []string{"labDrill", "labRate", "labBackground"} {
		d.try(shut, all, attempt{id: id, path: all[id].path, status: 404, body: "{}"})
	}
	c := shut.SSE("")
	d.try(shut, all, attempt{id: "subscribeSSE", path: "/sse/subscribe", status: 503})
	path := "/sse/connections/" + c.Hello.Conn
	d.try(shut, all, attempt{id: "commandSSE", path: path, status: 200, body: `{"action":"time"}`})
	d.try(shut, all, attempt{id: "commandSSE", path: path, status: 429, body: `{"action":"time","id":3}`})
	shut.Handlers.SetReady(false)
	d.try(shut, all, attempt{id: "readyz", path: "/readyz", status: 503})

	replay := newLabServer(d)
	d.try(replay, all, attempt{id: "labRate", path: "/api/lab/rate", status: 409, body: `{"rate":1}`})
	d.try(replay, all, attempt{id: "labBackground", path: "/api/lab/background", status: 409, body: `{"sse":1,"ws":1}`})
}

// checkCommonErrors checks the errors that any address may return.
func (d *apiChecker) checkCommonErrors(srv *testserver.Server, all map[string]operation) {
	d.Helper()
	complete := newCompleteServer(d)
	for id, o := range all {
		path := strings.NewReplacer("{conn}", "x", "{name}", "run.html", "{path}", "x").Replace(o.path)
		srv := srv
		if strings.HasPrefix(path, "/sign-") || slices.Contains(accessOperations, id) {
			srv = complete
		}
		if id != "healthz" && id != "readyz" {
			d.try(srv, all, attempt{id: id, path: path, status: 421, body: "{}", extra: []string{"Host: evil.example"}})
		}
		d.try(srv, all, attempt{id: id, path: path, status: 431, body: "{}", extra: []string{"X-Big: " + strings.Repeat("x", 9000)}})
		if o.method == fiber.MethodHead {
			continue
		}
		c := srv.Dial()
		c.Request("DELETE", path)
		d.checkAnswer(o, c.Status, c.Header, c.ReadBody())
		if c.Status != 405 {
			d.Errorf("DELETE %s: %d", path, c.Status)
		}
		c.NetConn.Close()
	}
	failing := newTestServer(d, testserver.Options{Deps: func(d *handlers.Deps) {
		d.Metrics = func(*handlers.Server) http.Handler {
			return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })
		}
	}})
	d.try(failing, all, attempt{id: "metrics", path: "/metrics", status: 500})
	d.try(srv, all, attempt{id: "labRate", path: "/api/lab/rate", status: 413, body: strings.Repeat(" ", 70_000)})
}

// TestQueryIsAsDescribed checks that the server reads every described parameter, accepts described values, and rejects others
// with the parameter's name.
func TestQueryIsAsDescribed(t *testing.T) {
	d := newAPIChecker(t, "openapi")
	srv := newTestServer(t, testserver.Options{Log: compressing(stream.CompressAuto), Deps: func(d *handlers.Deps) {
		withLab(d)
		d.Ingest, _ = ingest.New(ingest.Options{MaxInstruments: 1})
	}})
	srv.Publish(20)
	checked := 0
	for id, o := range d.operations() {
		extra := []string{}
		switch id {
		case "subscribeSSE":
			continue // HEAD has the same query and ends
		case "subscribeWS", "ingestWS":
			extra = testserver.Upgrade
		}
		for _, p := range o.params {
			if p.in != "query" || p.name == "lang" || p.name == "lastEventId" || strings.HasPrefix(o.path, "/sign-in") { // any value has a meaning
				continue
			}
			checked++
			path := o.path + "?"
			if id == "history" && p.name != "symbol" {
				path += "symbol=S1&"
			}
			junk := strings.Repeat("x", 65)
			c := srv.Dial()
			c.Request(o.method, path+p.name+"="+junk, extra...)
			if c.Status != 400 {
				t.Errorf("%s: %s=%s: status %d", id, p.name, junk, c.Status)
			} else if o.method != fiber.MethodHead {
				if problem := wantProblem(t, c, c.ReadBody(), 400); problem.Parameter != p.name {
					t.Errorf("%s: %s was rejected for %s", id, p.name, problem.Parameter)
				}
			}
			c.NetConn.Close()
			if d.check(p.pointer, junk) == nil && p.name != "topics" && p.name != "symbol" { // the schema doesn't list known values
				t.Errorf("%s: %s=%s conforms to the description but was rejected", id, p.name, junk)
			}
			schema, _ := d.at(p.pointer)
			values, _ := schema["enum"].([]any)
			if v, ok := schema["default"]; ok {
				values = append(slices.Clone(values), v)
			}
			for _, limit := range []string{"minimum", "maximum"} {
				if v, ok := schema[limit]; ok {
					values = append(values, v)
				}
			}
			for _, v := range values {
				if v == testserver.Shard && !shard.Available {
					continue
				}
				c := srv.Dial()
				c.Request(o.method, fmt.Sprintf("%s%s=%v", path, p.name, v), extra...)
				if c.Status >= 400 {
					t.Errorf("%s: %s=%v conforms to the description: status %d", id, p.name, v, c.Status)
				}
				c.NetConn.Close()
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d parameters were found", checked)
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

// TestDocsPage checks that the page shows every operation and message, and that all its links work.
func TestDocsPage(t *testing.T) {
	d, a := newAPIChecker(t, "openapi"), newAPIChecker(t, "asyncapi")
	srv := newTestServer(t, testserver.Options{Deps: func(d *handlers.Deps) { d.Files = filesWithBundles() }})
	answer, page := srv.Get("/docs", "Accept: text/html")
	if answer.Status != 200 || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
		t.Fatalf("%d %v", answer.Status, answer.Header)
	}
	for id := range d.operations() {
		if !strings.Contains(page, `id="op-`+id+`"`) || !strings.Contains(page, `href="#op-`+id+`"`) {
			t.Errorf("%s isn't on the page, or not in its list", id)
		}
	}
	messages, _ := a.at("/components/messages")
	for name := range messages {
		m, _ := a.at("/components/messages/" + name + "/payload")
		if title := m["title"]; !strings.Contains(page, fmt.Sprintf("T is %v<", title)) {
			t.Errorf("%s isn't on the page", name)
		}
	}
	for _, text := range []string{">4008<", "ticklane.v1.protobuf", "application/problem&#43;json", "&#34;T&#34;: &#34;hello&#34;", "event: snapshot"} {
		if !strings.Contains(page, text) {
			t.Errorf("%s isn't on the page", text)
		}
	}
	links := regexp.MustCompile(`href="(#?)([^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(links) < 100 {
		t.Errorf("only %d links", len(links))
	}
	for _, l := range links {
		if l[1] != "" && strings.Count(page, ` id="`+l[2]+`"`) != 1 {
			t.Errorf("#%s exists %d times", l[2], strings.Count(page, ` id="`+l[2]+`"`))
		}
	}
	if strings.Contains(page, "style=") || strings.Contains(page, "onclick") {
		t.Error("inline code, which the Content-Security-Policy forbids")
	}
}
