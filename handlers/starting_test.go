package handlers_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"ticklane/handlers"
	"ticklane/internal/testkit/testserver"
)

// whileStarting returns the answer to a request with header fields.
func whileStarting(t *testing.T, set handlers.Settings, admin bool, method, target string, fields ...string) *httptest.ResponseRecorder {
	t.Helper()
	h, err := handlers.NewStarting(set, testserver.Files(), func() handlers.Stage { return handlers.Stage{Doing: "being <tested>", Detail: "10.0.0.1"} }, admin)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(method, target, nil)
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestStartingPaths: probes are answered with and without the base path; on the admin address there is nothing outside of it.
func TestStartingPaths(t *testing.T) {
	for _, c := range []struct {
		base   string
		admin  bool
		method string
		path   string
		status int
	}{
		{"", false, "GET", "/healthz", 200},
		{"", false, "HEAD", "/healthz", 200},
		{"", false, "GET", "/readyz", 503},
		{"", false, "POST", "/healthz", 503},
		{"", false, "OPTIONS", "*", 503},
		{"", false, "GET", "/quotes/healthz", 503},
		{"/quotes", false, "GET", "/healthz", 200},
		{"/quotes", false, "GET", "/quotes/healthz", 200},
		{"/quotes", false, "GET", "/quotes", 503},
		{"/quotes", false, "GET", "/quotes/sse/subscribe", 200},
		{"/quotes", false, "GET", "/sse/subscribe", 404},
		{"/quotes", false, "GET", "/quotesx/healthz", 404},
		{"/quotes", true, "GET", "/quotes/healthz", 200},
		{"/quotes", true, "GET", "/metrics", 503},
	} {
		w := whileStarting(t, handlers.Settings{BasePath: c.base}, c.admin, c.method, c.path, "Accept: text/event-stream")
		if w.Code != c.status || w.Header().Get("Cache-Control") == "" {
			t.Errorf("%+v: %d %v", c, w.Code, w.Header())
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if text := whileStarting(t, handlers.Settings{}, false, "GET", path).Body.String(); text != "starting: being <tested> (10.0.0.1)\n" {
			t.Errorf("%s: %q", path, text)
		}
	}
}

// TestStartingPage: the page is in the reader's language, has its style with it, and shows no addresses.
func TestStartingPage(t *testing.T) {
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`)
	for _, c := range []struct{ target, field, lang, title string }{
		{"/", "Accept-Language: en", "en", "<h1>The server is starting</h1>"},
		{"/compare", "Accept-Language: zh-CN", "zh-CN", "<h1>服务器正在启动</h1>"},
		{"/?lang=zh", "Accept-Language: en", "zh-CN", "<h1>服务器正在启动</h1>"},
		{"/", "Cookie: lang=zh-CN", "zh-CN", "<h1>服务器正在启动</h1>"},
	} {
		w := whileStarting(t, handlers.Settings{}, false, "GET", c.target, "Accept: text/html", c.field)
		body := w.Body.String()
		if w.Code != 503 || w.Header().Get("Content-Language") != c.lang || !strings.Contains(body, `<html lang="`+c.lang+`"`) || !strings.Contains(body, c.title) ||
			!strings.Contains(body, "being &lt;tested&gt;") || strings.Contains(body, "10.0.0.1") {
			t.Errorf("%+v: %d %v %s", c, w.Code, w.Header(), body)
		}
		m := style.FindStringSubmatch(body)
		if m == nil || len(m[1]) < 100 {
			t.Fatalf("no style: %s", body)
		}
		sum := sha256.Sum256([]byte(m[1]))
		if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") || !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("the browser doesn't use the style: %s", csp)
		}
	}
}

// TestStartingHeaders: pages of allowed origins may read the answers, as they may those of the server: a browser would otherwise give up an
// EventSource. The documents have security headers.
func TestStartingHeaders(t *testing.T) {
	set := handlers.Settings{Origins: []string{"https://desk.example"}, CORSCredentials: true}
	for _, path := range []string{"/sse/subscribe", "/api/quotes", "/readyz"} {
		for origin, allowed := range map[string]bool{"https://desk.example": true, "https://evil.example": false} {
			head := whileStarting(t, set, false, "GET", path, "Accept: text/event-stream", "Origin: "+origin).Header()
			if got := head.Get("Access-Control-Allow-Origin") == origin && head.Get("Access-Control-Allow-Credentials") == "true" && head.Get("Cross-Origin-Resource-Policy") == "cross-origin"; got != allowed || head.Get("Vary") != "Origin" {
				t.Errorf("%s from %s: %v", path, origin, head)
			}
		}
	}
	w := whileStarting(t, set, false, "OPTIONS", "/ws/connections/x", "Origin: https://desk.example")
	if w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Methods") != "GET, HEAD, POST" {
		t.Errorf("preflight: %d %v", w.Code, w.Header())
	}
	for _, path := range []string{"/", "/api/quotes", "/readyz"} {
		head := whileStarting(t, handlers.Settings{}, false, "GET", path, "Accept: text/html").Header()
		if head.Get("X-Content-Type-Options") != "nosniff" || head.Get("X-Frame-Options") != "DENY" || head.Get("Referrer-Policy") != "no-referrer" || head.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: %v", path, head)
		}
	}
}

// TestStartingStormIsSpread: the clients that are refused reconnect one after the other, at the rate at which streams are opened.
func TestStartingStormIsSpread(t *testing.T) {
	h, err := handlers.NewStarting(handlers.Settings{AcceptRate: 0.1}, testserver.Files(), func() handlers.Stage { return handlers.Stage{} }, false)
	if err != nil {
		t.Fatal(err)
	}
	for k := range 3 {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/sse/subscribe", nil)
		r.Header.Set("Accept", "text/event-stream")
		h.ServeHTTP(w, r)
		var retry int
		if _, err := fmt.Sscanf(w.Body.String(), "retry: %d\n", &retry); err != nil || retry < (2+10*k)*1000-100 || retry > (10+10*k)*1000 {
			t.Errorf("client %d reconnects after %d ms: %v", k, retry, err)
		}
	}
}
