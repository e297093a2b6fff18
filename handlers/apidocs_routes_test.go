package handlers_test

import (
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gofiber/fiber/v2"

	"ticklane/handlers"
	"ticklane/internal/testkit/testserver"
)

// filesWithBundles returns the server's files with a bundle for every page.
func filesWithBundles() fs.FS {
	all := maps.Clone(builtFiles().(fstest.MapFS))
	all["public/assets/manifest.json"] = &fstest.MapFile{Data: []byte(`{"dashboard.js":"/assets/dashboard-AAAAAAAA.js","compare.js":"/assets/b.js",` +
		`"reports.js":"/assets/c.js","cluster.js":"/assets/e.js","docs.js":"/assets/d.js","app.css":"/assets/app-BBBB.css","docs.css":"/assets/docs.css"}`)}
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
