package e2e

import (
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestBrowserEnvironments opens the pages where addresses and languages are unusual: behind a proxy that demands credentials,
// which are in the page's address, and in a browser whose language Intl rejects. Each page must show its data.
func TestBrowserEnvironments(t *testing.T) {
	t.Parallel()
	reports, err := filepath.Abs(filepath.Join(root, "docs/reports"))
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, "--load.reports", reports)
	proxy := serveProxy(t, s, func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if user, password, ok := r.BasicAuth(); !ok || user != "reader" || password != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="quotes"`)
			http.Error(w, "credentials are missing", http.StatusUnauthorized)
			return
		}
		r.Header.Del("Authorization")
		pass.ServeHTTP(w, r)
	})
	const posix = `for (const [name, value] of Object.entries({ language: 'en-US@posix', languages: ['en-US@posix', 'en'] }))
		Object.defineProperty(Navigator.prototype, name, { get: () => value });`
	for name, env := range map[string]struct{ url, script string }{
		"credentials": {url: strings.Replace(proxy, "http://", "http://reader:secret@", 1)},
		"language":    {url: s.url, script: posix},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openTab(t)
			if env.script != "" {
				b.inject(env.script)
			}
			for _, lane := range []string{"sse", "ws"} {
				b.visit(env.url + "/?lane=" + lane)
				b.waitLive()
				b.until("a drawn chart", drawn)
				b.until("sparklines", `document.querySelectorAll('.rows .sparkcol path[d^=M]').length > 5`)
				b.click("[data-sector=financials]") // a command, which the address of the stream begins
				b.until("the address follows", `location.search.includes('sector=financials')`)
				b.until("bytes of the connection", `/\d/.test(document.querySelector('#n-wire').textContent)`)
			}
			b.visit(env.url + "/compare")
			b.until("both sides run and pairs arrive", `/[1-9][\d\s]* pairs/.test(document.querySelector('#running').textContent)`)
			b.until("plots", `document.querySelectorAll('.uplot canvas').length > 1`)
			b.visit(env.url + "/reports?a=standard&b=resume")
			b.until("two reports side by side", `document.querySelectorAll('#pair-table tr').length > 5`)
			b.until("times in the page's format", `[...document.querySelectorAll('time')].every((e) => /20\d\d, \d/.test(e.textContent))`)
			b.clean()
		})
	}
}

// TestListOfSymbolsIsLate: while the list of symbols can't be loaded, the page says so beside the live stream, with the time of
// the next try, which is the server's. Then the list is filled.
func TestListOfSymbolsIsLate(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	first := sync.OnceValue(time.Now)
	proxy := serveProxy(t, serve(t), func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if r.URL.Path == "/api/symbols" && requests.Add(1) > 0 && time.Since(first()) < 2*time.Second {
			w.Header().Set("Retry-After", "3")
			http.Error(w, "too many requests", http.StatusTooManyRequests)
			return
		}
		pass.ServeHTTP(w, r)
	})
	b := openTab(t)
	b.visit(proxy)
	b.until("the next try", `/^The list of symbols could not be loaded\. Retrying in [23]\s+s\.$/.test(document.querySelector('#banner-text').textContent) &&
		document.querySelector('#app').dataset.state === 'live'`)
	b.waitLive()
	b.until("nothing more to say", `document.querySelector('#banner').hidden`)
	if n := requests.Load(); n < 2 || n > 4 {
		t.Errorf("%d requests for the symbols, want 1 and a repetition by the page, and by its worker", n)
	}
}
