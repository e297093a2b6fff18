package handlers_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"ticklane/handlers"
	"ticklane/internal/auth"
	"ticklane/internal/market/ingest"
	"ticklane/internal/testkit/testserver"
)

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
	alone := newTestServer(d, testserver.Options{Deps: func(deps *handlers.Deps) {
		deps.Ingest, deps.Relay, deps.Feed = f.source, noWriter{}, handlers.FeedInfo{Source: "ingest"}
		deps.Lab = &handlers.Lab{SetRate: func(float64) error { return handlers.ErrUnavailable }}
	}})
	d.try(alone, all, attempt{id: "ingestProgress", path: "/api/ingest?source=me", status: 503})
	d.try(alone, all, attempt{id: "labRate", path: "/api/lab/rate", status: 503, body: `{"rate":1}`})
}

// noWriter is a relay without a server that publishes.
type noWriter struct{ handlers.IngestRelay }

func (noWriter) Progress(context.Context, string, *auth.Principal) (ingest.Result, error) {
	return ingest.Result{}, ingest.ErrStopped
}

// checkOtherSettings checks the answers that depend on other settings.
func (d *apiChecker) checkOtherSettings(all map[string]operation) {
	d.Helper()
	shut := newTestServer(d, testserver.Options{Settings: func(s *handlers.Settings) { s.MaxStreams, s.MessageRate, s.MessageBurst = 1, 1e-6, 1 }}) // no lab, no bundle, one stream
	for id, path := range map[string]string{"dashboard": "/", "compare": "/compare", "reports": "/reports", "clusterPage": "/cluster"} {
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
