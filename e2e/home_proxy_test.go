package e2e

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"ticklane/internal/testkit"
)

// restartedProxy is an HTTP proxy that is restarted after the first stream has begun: it cuts that stream and answers the
// next two requests for a stream with 503, as a proxy without a server behind it does. A path that is in pages is answered
// with that page.
type restartedProxy struct {
	url     string
	streams atomic.Int32 // requests for a stream so far
	cut     chan struct{}
}

func newRestartedProxy(t testing.TB, s *server, pages map[string]string) *restartedProxy {
	t.Helper()
	p := &restartedProxy{cut: make(chan struct{})}
	p.url = serveProxy(t, s, func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if page, ok := pages[r.URL.Path]; ok {
			w.Header().Set("Content-Type", "text/html")
			w.Write([]byte(page))
			return
		}
		if r.URL.Path != "/sse/subscribe" {
			pass.ServeHTTP(w, r)
			return
		}
		switch p.streams.Add(1) {
		case 1:
			ctx, cancel := context.WithCancel(r.Context())
			go func() {
				select {
				case <-p.cut:
				case <-ctx.Done():
				}
				cancel()
			}()
			pass.ServeHTTP(w, r.WithContext(ctx))
		case 2, 3:
			http.Error(w, "no server is available", http.StatusServiceUnavailable)
		default:
			pass.ServeHTTP(w, r)
		}
	})
	return p
}

// recordNumbers makes a page keep the numbers of each symbol's ticks.
const recordNumbers = `
	self.numbers = {};
	self.EventSource = class extends EventSource {
		constructor(url) {
			super(url);
			this.addEventListener('message', (e) => { const q = JSON.parse(e.data); (numbers[q.S] ??= []).push(q.n); });
		}
	};`

// eventSourceExample returns the HTML example of a document.
func eventSourceExample(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range fenced.FindAllStringSubmatch(string(text), -1) {
		if block[1] == "html" && strings.Contains(block[2], "EventSource") {
			return block[2]
		}
	}
	t.Fatalf("%s: no example with an EventSource", name)
	return ""
}

// TestSmallestClientsSurviveProxyRestart opens the SSE home page and the README's example. An EventSource is closed for good
// by an error status: both must open another one, and lose nothing.
func TestSmallestClientsSurviveProxyRestart(t *testing.T) {
	t.Parallel()
	example := eventSourceExample(t, "README.md")
	if eventSourceExample(t, "docs/clients.md") != example {
		t.Error("docs/clients.md and the README have different examples")
	}
	s := serve(t, "--market.rate", "200")
	for name, path := range map[string]string{"home": "/sse/home?topics=*", "README": "/readme"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newRestartedProxy(t, s, map[string]string{"/readme": "<!doctype html><title>example</title>" + example})
			b := openTab(t)
			b.inject(recordNumbers)
			b.visit(p.url + path)
			b.until("ticks", "Object.values(numbers).flat().length > 5")
			close(p.cut)
			testkit.Eventually(t, func() bool { return p.streams.Load() == 4 }, "a fourth request for a stream")
			before := eval[int](b, "Object.values(numbers).flat().length")
			b.until("more ticks", "Object.values(numbers).flat().length > "+strconv.Itoa(before+20))
			if gaps := eval[string](b, "JSON.stringify(Object.entries(numbers).filter(([, n]) => n.some((v, k) => k > 0 && v !== n[k - 1] + 1)))"); gaps != "[]" {
				t.Errorf("ticks are lost or doubled: %s", gaps)
			}
			if name == "home" {
				b.until("the state", `document.querySelector('#state').textContent === 'connected'`)
			}
		})
	}
}
