package handlers_test

import (
	"compress/gzip"
	"io"
	"strings"
	"sync"
	"testing"

	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
)

// TestCompressedForms checks that large answers are compressed for clients that accept it, that both forms have the same
// content and that each has its own tag.
func TestCompressedForms(t *testing.T) {
	srv := newTestServer(t, testserver.Options{})
	srv.Publish(200)
	for _, path := range []string{"/docs", "/compare", "/reports", "/", "/api/openapi.json", "/api/asyncapi.yaml", "/api/symbols", "/api/quotes", "/api/closes?interval=10s", "/static/theme.js"} {
		plain, body := srv.Get(path)
		zipped, zip := srv.Get(path, testserver.AcceptGzip)
		if plain.Status == 503 || len(body) < 1024 { // the pages need the built scripts
			continue
		}
		r, err := gzip.NewReader(strings.NewReader(zip))
		if err != nil || zipped.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: %v, %v", path, err, zipped.Header)
			continue
		}
		if text, err := io.ReadAll(r); err != nil || string(text) != body {
			t.Errorf("%s: %v, the forms differ", path, err)
		}
		for form, c := range map[string]*testserver.Client{"plain": plain, "gzip": zipped} {
			if !strings.Contains(strings.Join(c.Header["Vary"], ","), "Accept-Encoding") {
				t.Errorf("%s: %s: Vary %q", path, form, c.Header["Vary"])
			}
		}
		tag, zipTag := plain.Header.Get("Etag"), zipped.Header.Get("Etag")
		if plain.Header.Get("Cache-Control") == "no-store" {
			continue
		}
		if tag == "" || zipTag == "" || tag == zipTag {
			t.Errorf("%s: tags %s and %s", path, tag, zipTag)
		}
		for _, c := range []struct {
			tag, accept string
			status      int
		}{{tag, "X-None: 1", 304}, {zipTag, testserver.AcceptGzip, 304}, {zipTag, "X-None: 1", 200}, {tag, testserver.AcceptGzip, 200}} {
			got := srv.Dial()
			if got.Request("GET", path, "If-None-Match: "+c.tag, c.accept); got.Status != c.status {
				t.Errorf("%s, %s, %s: status %d", path, c.tag, c.accept, got.Status)
			}
			got.NetConn.Close()
		}
	}
}

// TestAnswersAreShared checks that an answer is the same one until the log has grown and the answer is old.
func TestAnswersAreShared(t *testing.T) {
	srv := newTestServer(t, testserver.Options{})
	srv.Publish(20)
	position := func(query string) string {
		c, _ := srv.Get("/api/quotes" + query)
		return c.Header.Get("Ticklane-Position")
	}
	first := position("")
	if got := position(""); got != first {
		t.Errorf("position %s, want %s", got, first)
	}
	srv.Publish(1)
	testkit.Eventually(t, func() bool { return position("") == srv.TickLog.Head().String() }, "a new answer")
	if got := position("?topics=S1"); got != srv.TickLog.Head().String() {
		t.Errorf("another query: position %s", got)
	}
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if c, body := srv.Get("/api/closes"); c.Status != 200 || !strings.HasSuffix(body, "}") {
				t.Errorf("%d %s", c.Status, body)
			}
		})
	}
	wait.Wait()
}

// TestDocsAreRenderedOnce checks that the page is made in every language before the first request.
func TestDocsAreRenderedOnce(t *testing.T) {
	srv := newTestServer(t, testserver.Options{})
	if err := srv.Handlers.RenderDocs(); err != nil {
		t.Fatal(err)
	}
	for lang, title := range map[string]string{"en": "<html lang=\"en\"", "zh-CN": "<html lang=\"zh-CN\""} {
		if c, body := srv.Get("/docs?lang=" + lang); c.Status != 200 || !strings.Contains(body, title) {
			t.Errorf("%s: status %d", lang, c.Status)
		}
	}
}
