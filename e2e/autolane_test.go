package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
)

// middlebox is a proxy that stands in one lane's way, as some companies' do: it refuses WebSocket's upgrade, or keeps an
// event stream back until it ends.
type blockingProxy struct {
	url     string
	blocked atomic.Pointer[string] // a lane
}

func newBlockingProxy(t testing.TB, s *server, lane string) *blockingProxy {
	t.Helper()
	to, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	m := &blockingProxy{}
	m.blocked.Store(&lane)
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host }, FlushInterval: -1}
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch lane := *m.blocked.Load(); {
		case lane == "ws" && r.URL.Path == "/ws/subscribe":
			http.Error(w, "Upgrade is not allowed here", http.StatusForbidden)
		case lane == "sse" && r.URL.Path == "/sse/subscribe":
			holdBack(w, r, s.url)
		default:
			pass.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		hs.CloseClientConnections()
		hs.Close()
	})
	m.url = hs.URL
	return m
}

func (m *blockingProxy) block(lane string) { m.blocked.Store(&lane) }

// keepBack reads a stream and passes nothing on until it ends, which an endless one never does.
func holdBack(w http.ResponseWriter, r *http.Request, server string) {
	out, err := http.NewRequestWithContext(r.Context(), http.MethodGet, server+r.URL.RequestURI(), nil)
	if err != nil {
		return
	}
	resp, err := http.DefaultClient.Do(out)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
	w.(http.Flusher).Flush() // so the browser takes it for open
	io.Copy(io.Discard, resp.Body)
}

// auto is what the lane's panel says of the automatic choice.
func (b *tab) autoState(text string) {
	b.t.Helper()
	b.until("the panel says "+text, `!document.querySelector('#lane-auto').hidden && new RegExp('`+text+`').test(document.querySelector('#lane-auto').textContent)`)
}

// Whichever lane is blocked, auto comes to the other, says why, and returns once the way is free.
func TestAutoFallsBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ blocked, query, fine, why, turned string }{
		{"ws", "/?lane=auto&prefer=ws", "^Auto: WebSocket, or SSE while it is blocked", "^Auto: using SSE, because WebSocket delivered no data. Retrying WebSocket in ", "No data over WebSocket; trying SSE"},
		{"sse", "/?lane=auto", "^Auto: SSE, or WebSocket while it is blocked", "^Auto: using WebSocket, because SSE delivered no data: no data received. Retrying SSE in ", "No data over SSE: no data received; trying WebSocket"},
	} {
		t.Run(c.blocked, func(t *testing.T) {
			t.Parallel()
			s := serve(t, "--market.rate", "300")
			box := newBlockingProxy(t, s, c.blocked)
			b := openTab(t)
			b.visit(box.url + c.query)
			b.waitLive()
			b.logged(c.turned)
			b.autoState(c.why)
			b.until("Auto is pressed, the address holds it, and the other lane has its colour", `document.querySelector('#auto').ariaPressed === 'true' &&
				document.querySelectorAll('.bar [aria-pressed=true]').length === 1 && location.search.includes('lane=auto') && document.querySelector('#app').dataset.lane !== '`+c.blocked+`'`)
			box.block("")
			b.autoState(c.fine)
			if c.blocked == "ws" {
				b.logged("Switched SSE → WebSocket")
				s.streams(0, 1)
			} else {
				b.logged("Switched WebSocket → SSE")
				s.streams(1, 0)
			}
			b.counters(map[string]int{"switches": 1, "lost": 0, "doubled": 0, "gaps": 0, "reconnects": 0})
		})
	}
}

// Auto is a choice beside the lanes, made by click or key; it keeps what is in use, and a lane chosen by hand ends it.
func TestAutoIsChosen(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.visit(s.url + "/?lane=ws")
	b.waitLive()
	b.until("by hand there is nothing to say of it", `document.querySelector('#lane-auto').hidden`)
	b.click("#auto")
	b.autoState("^Auto: WebSocket, or SSE while it is blocked")
	b.until("the address tells", `/lane=auto&prefer=ws/.test(location.search)`)
	s.streams(0, 1)
	b.reload()
	b.waitLive()
	b.autoState("^Auto: WebSocket, or SSE while it is blocked")
	s.streams(0, 1)
	b.press("l")
	s.streams(1, 0)
	b.until("by hand again", `document.querySelector('#lane-auto').hidden && document.querySelector('#auto').ariaPressed === 'false' && !/lane=|prefer=/.test(location.search)`)
	b.clean()
}
