package handlers_test

import (
	"testing"
	"testing/fstest"

	"ticklane/handlers"
	"ticklane/internal/testkit/testserver"
)

// TestCachingWithCredentials: files are for everyone, so a server that requires credentials lets caches keep them as any server does.
// What depends on rights it keeps out of shared caches.
func TestCachingWithCredentials(t *testing.T) {
	t.Parallel()
	withFiles := func(d *handlers.Deps) {
		files := filesWithBundles().(fstest.MapFS)
		files["public/assets/dashboard-AAAAAAAA.js"] = &fstest.MapFile{Data: []byte("1")}
		d.Files = files
	}
	open, restricted := newTestServer(t, testserver.Options{Deps: withFiles}), newAuthServer(t, testserver.Options{Deps: withFiles})
	const immutable = "public, max-age=31536000, immutable"
	for _, c := range []struct{ path, open, restricted string }{
		{"/assets/dashboard-AAAAAAAA.js", immutable, immutable},
		{"/assets/manifest.json", "no-cache", "no-cache"},
		{"/static/theme.js", "no-cache", "no-cache"},
		{"/static/favicon.svg", "no-cache", "no-cache"},
		{"/static/assets/dashboard-AAAAAAAA.js", "no-cache", "no-cache"},
		{"/favicon.ico", "", ""},
		{"/", "no-cache", "private, no-cache"},
		{"/docs", "no-cache", "private, no-cache"},
		{"/api/symbols", "no-cache", "private, no-cache"},
		{"/api/openapi.json", "no-cache", "private, no-cache"},
		{"/api/quotes", "no-store", "no-store"},
	} {
		for _, s := range []struct {
			srv    *testserver.Server
			lines  []string
			want   string
			public bool
		}{
			{open, nil, c.open, true},
			{restricted, []string{withToken("reader")}, c.restricted, true},
			{restricted, nil, c.open, c.open == c.restricted && c.path != "/api/quotes"}, // others answer 401
		} {
			answer, body := s.srv.Get(c.path, s.lines...)
			if got := answer.Header.Get("Cache-Control"); s.public && (answer.Status >= 400 || got != s.want) {
				t.Errorf("%s %v: status %d, Cache-Control %q, want %q: %.100s", c.path, s.lines, answer.Status, got, s.want, body)
			}
		}
	}
}
