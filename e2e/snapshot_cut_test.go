package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// shortWriter ends a response by closing the connection after so many bytes of its body.
type shortWriter struct {
	http.ResponseWriter
	left int
}

func (w *shortWriter) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		panic(http.ErrAbortHandler)
	}
	return w.ResponseWriter.Write(b)
}

func (w *shortWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// TestBrowserCutInSnapshot cuts the stream of a browser's EventSource within the parts of its first snapshot. It has no id
// then, so the browser's own reconnect gets the whole snapshot.
func TestBrowserCutInSnapshot(t *testing.T) {
	t.Parallel()
	s := serve(t, "--market.symbols", "500", "--stream.snapshot_chunk", "4096")
	to, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var ids []string // Last-Event-ID of each request for a stream
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host }, FlushInterval: -1}
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/sse/subscribe" {
			mu.Lock()
			ids = append(ids, r.Header.Get("Last-Event-ID"))
			if len(ids) <= 2 {
				w = &shortWriter{w, 20_000 * len(ids)}
			}
			mu.Unlock()
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		hs.CloseClientConnections()
		hs.Close()
	})
	b := openTab(t)
	b.inject(`
		self.parts = [];
		self.EventSource = class extends EventSource {
			constructor(url) {
				super(url);
				this.addEventListener('snapshot', (e) => {
					const m = JSON.parse(e.data);
					if (m.part === 1) parts.length = 0;
					parts.push({ part: m.part, parts: m.parts, quotes: m.quotes.length, id: e.lastEventId });
				});
			}
		};`)
	b.visit(hs.URL + "/sse/home?topics=*")
	b.until("a whole snapshot", "parts.length > 10 && parts.length === parts[0].parts")
	if quotes := eval[int](b, "parts.reduce((n, p) => n + p.quotes, 0)"); quotes != 500 {
		t.Errorf("%d quotes, want 500", quotes)
	}
	if wrong := eval[string](b, "JSON.stringify(parts.filter((p) => (p.id !== '') !== (p.part === p.parts)))"); wrong != "[]" {
		t.Errorf("only the last part has an id: %s", wrong)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(ids) != 3 || ids[0]+ids[1]+ids[2] != "" {
		t.Errorf("the requests have Last-Event-ID %q, want three without", ids)
	}
}
