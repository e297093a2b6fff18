package handlers_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"ticklane/handlers"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

const base = "/desk/quotes"

func belowBase(s *handlers.Settings) { s.BasePath = base }

// TestBasePathOfStreams opens both lanes below the base path, sends commands, and follows the feed.
func TestBasePathOfStreams(t *testing.T) {
	onLanes(t, testserver.Options{Settings: belowBase}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		c := srv.Stream(lane, "topics=S1&snapshot=false")
		if lane == wire.SSE {
			if answer, body := srv.PostCommand(c.Hello.Conn, `{"action":"subscribe","topics":["S2"]}`); answer.Status != 200 {
				t.Fatalf("command: %d %s", answer.Status, body)
			}
		}
		if answer, body := srv.Get(base + "/" + lane.String() + "/connections/" + c.Hello.Conn); answer.Status != 200 {
			t.Errorf("the stream's counters: %d %s", answer.Status, body)
		}
		if answer, body := srv.Get("/" + lane.String() + "/subscribe"); answer.Status != 404 || !strings.Contains(body, base) {
			t.Errorf("outside: %d %s", answer.Status, body)
		}
		srv.PublishSymbols(1)
		for {
			m, err := c.Read()
			if err != nil {
				t.Fatal(err)
			}
			if m.T == "q" {
				break
			}
		}
	})
}

// TestBasePathOfRoutes compares every route with that of a server at the root. Outside of the base path only the probes are
// answered.
func TestBasePathOfRoutes(t *testing.T) {
	options := func(set func(*handlers.Settings)) testserver.Options {
		return testserver.Options{Settings: set, Deps: func(d *handlers.Deps) { d.Files = filesWithBundles(); d.Lab = &handlers.Lab{} }}
	}
	root, below := newTestServer(t, options(nil)), newTestServer(t, options(belowBase))
	parameter := regexp.MustCompile(`:\w+|\*`)
	request := func(srv *testserver.Server, method, path string) (*testserver.Client, string) {
		c := srv.Dial()
		defer c.NetConn.Close()
		if method == http.MethodPost {
			c.Post(path, "{}")
		} else {
			c.Request(method, path)
		}
		if method == http.MethodHead {
			return c, ""
		}
		return c, c.ReadBody()
	}
	routes := 0
	for _, route := range below.Handlers.Routes() {
		path := parameter.ReplaceAllString(route.Path, "theme.js") + "?limit=1&from=oldest"
		if strings.HasSuffix(route.Path, "/subscribe") {
			path = route.Path + "?topics=nothing"
		}
		routes++
		want, wantBody := request(root, route.Method, path)
		have, haveBody := request(below, route.Method, base+path)
		if have.Status != want.Status || have.Header.Get("Content-Type") != want.Header.Get("Content-Type") {
			t.Errorf("%s %s: %d %.200s, at the root %d %.200s", route.Method, base+path, have.Status, haveBody, want.Status, wantBody)
		}
		outside, body := request(below, route.Method, path)
		probe := route.Path == "/healthz" || route.Path == "/readyz"
		if probe != (outside.Status == 200) || !probe && (outside.Status != 404 || route.Method != http.MethodHead && !strings.Contains(body, "server.base_path")) {
			t.Errorf("%s %s: %d %.300s", route.Method, path, outside.Status, body)
		}
	}
	if routes < 30 {
		t.Errorf("only %d routes were found", routes)
	}
	for _, path := range []string{base + "x", base + "x/", "/desk", "/desk/quotesx/api/time", "//desk/quotes/api/time", base + "/../../api/time"} {
		if answer, body := below.Get(path); answer.Status != 404 {
			t.Errorf("%s: %d %.200s", path, answer.Status, body)
		}
	}
	for _, path := range []string{base, base + "/", base + "?sort=last"} {
		if answer, body := below.Get(path); answer.Status != 200 || !strings.Contains(body, "<noscript>") {
			t.Errorf("%s: %d %.200s", path, answer.Status, body)
		}
	}
	c := below.Dial()
	c.Request("GET", "http://localhost"+base+"/api/time")
	if c.Status != 200 {
		t.Errorf("absolute form: %d", c.Status)
	}
}

// address matches the addresses in a page.
var address = regexp.MustCompile(`(?:href|src|action)="([^"]*)"`)

// TestBasePathOfLinks follows every link of the pages, the error page included.
func TestBasePathOfLinks(t *testing.T) {
	built := newTestServer(t, testserver.Options{Settings: belowBase, Deps: func(d *handlers.Deps) { d.Files = filesWithBundles() }})
	unbuilt := newTestServer(t, testserver.Options{Settings: belowBase})
	for _, srv := range []*testserver.Server{built, unbuilt} {
		links, missing := map[string]bool{}, map[string]bool{}
		for _, asset := range []string{"/assets/b.js", "/assets/c.js", "/assets/d.js", "/assets/docs.css"} { // not in the files of the test
			missing[base+asset] = true
		}
		for _, path := range []string{"/", "/?sector=x&sort=last", "/compare", "/reports", "/docs", "/sse/home", "/ws/home", "/nothing"} {
			_, page := srv.Get(base+path, "Accept: text/html")
			for _, m := range address.FindAllStringSubmatch(page, -1) {
				u, err := url.Parse(strings.ReplaceAll(m[1], "&amp;", "&"))
				if err != nil {
					t.Fatalf("%s: %s: %v", path, m[1], err)
				}
				if u.Host == "" && u.Path != "" {
					links[u.RequestURI()] = true
				}
			}
		}
		if len(links) < 20 {
			t.Errorf("only %d links were found: %v", len(links), links)
		}
		for link := range links {
			if !strings.HasPrefix(link, base+"/") {
				t.Errorf("a page refers to %s", link)
				continue
			}
			if answer, body := srv.Get(link); answer.Status >= 400 && answer.Status != 503 && !missing[link] {
				t.Errorf("%s: %d %.200s", link, answer.Status, body)
			}
		}
	}
	if answer, _ := built.Get(base + "/favicon.ico"); !strings.HasSuffix(answer.Header.Get("Location"), base+"/static/favicon.svg") {
		t.Errorf("Location %q", answer.Header.Get("Location"))
	}
	if _, page := built.Get(base+"/docs", "Accept-Language: en"); !strings.Contains(page, "<code>"+base+"</code>") {
		t.Error("/docs doesn't name the base path")
	}
}

// TestBasePathOfDescriptions checks the servers in the OpenAPI and AsyncAPI documents.
func TestBasePathOfDescriptions(t *testing.T) {
	srv := newTestServer(t, testserver.Options{Settings: belowBase})
	var open struct{ Servers []struct{ URL string } }
	var async struct {
		Servers map[string]struct{ Pathname string }
	}
	for path, into := range map[string]any{"/api/openapi.json": &open, "/api/asyncapi.json": &async} {
		_, body := srv.Get(base + path)
		if err := json.Unmarshal([]byte(body), into); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	if len(open.Servers) != 1 || open.Servers[0].URL != base {
		t.Errorf("OpenAPI: %+v", open.Servers)
	}
	if len(async.Servers) != 1 || async.Servers["here"].Pathname != base {
		t.Errorf("AsyncAPI: %+v", async.Servers)
	}
	for _, path := range []string{"/api/openapi.yaml", "/api/asyncapi.yaml"} {
		if _, body := srv.Get(base + path); !strings.Contains(body, ": "+base+"\n") {
			t.Errorf("%s doesn't name the base path", path)
		}
	}
}

// TestBasePathOfFeed sends a body above limits.body_size, which only feeds may do.
func TestBasePathOfFeed(t *testing.T) {
	onEngines(t, func(t *testing.T, engine string) {
		srv := newFeedServer(t, engine, belowBase)
		body := trades("A", 1, 3000)
		if len(body) <= srv.Settings.BodySize {
			t.Fatalf("the body has only %d bytes", len(body))
		}
		if answer, text := srv.Post(base+"/api/ingest?source=me", body, ndjson); answer.Status != 200 {
			t.Errorf("%d %s", answer.Status, text)
		}
	})
}
