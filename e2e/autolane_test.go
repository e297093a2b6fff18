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

// blockingProxy is an HTTP proxy that blocks one lane, as some companies' proxies do: it refuses WebSocket's upgrade, or
// buffers an event stream until it ends.
type blockingProxy struct {
	url     string
	blocked atomic.Pointer[string] // the lane, or ""
}

// newBlockingProxy starts a proxy in front of a server. It ends with the test.
func newBlockingProxy(t testing.TB, s *server, lane string) *blockingProxy {
	t.Helper()
	p := &blockingProxy{}
	p.block(lane)
	p.url = serveProxy(t, s, func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		switch lane := *p.blocked.Load(); {
		case lane == "ws" && r.URL.Path == "/ws/subscribe":
			http.Error(w, "Upgrade is not allowed here", http.StatusForbidden)
		case lane == "sse" && r.URL.Path == "/sse/subscribe":
			buffer(w, r, s.url)
		default:
			pass.ServeHTTP(w, r)
		}
	})
	return p
}

// serveProxy starts a proxy in front of a server and returns its URL. handle answers each request itself or by pass, which
// forwards it. The proxy ends with the test.
func serveProxy(t testing.TB, s *server, handle func(w http.ResponseWriter, r *http.Request, pass http.Handler)) string {
	t.Helper()
	to, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host }, FlushInterval: -1}
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handle(w, r, pass) }))
	t.Cleanup(func() {
		hs.CloseClientConnections()
		hs.Close()
	})
	return hs.URL
}

// block changes the lane that new connections are blocked on. An event stream that is being buffered stays so.
func (p *blockingProxy) block(lane string) { p.blocked.Store(&lane) }

// buffer sends the response header and keeps the body back until its end, which an endless stream never reaches.
func buffer(w http.ResponseWriter, r *http.Request, server string) {
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
	w.(http.Flusher).Flush() // the browser considers the stream open
	io.Copy(io.Discard, resp.Body)
}

// autoState waits until the connection's panel describes the automatic choice by a text that matches pattern.
func (b *tab) autoState(pattern string) {
	b.t.Helper()
	b.until("automatic lane "+pattern, `!document.querySelector('#lane-auto').hidden && new RegExp('`+pattern+`').test(document.querySelector('#lane-auto').textContent)`)
}

// TestAutoFallsBack blocks either lane: auto changes to the other, gives the reason, and returns once the lane works.
func TestAutoFallsBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ blocked, query, working, reason, event string }{
		{"ws", "/?lane=auto&prefer=ws", "^Auto: WebSocket, or SSE while it is blocked", "^Auto: using SSE, because WebSocket delivered no data. Retrying WebSocket in ", "No data over WebSocket; trying SSE"},
		{"sse", "/?lane=auto", "^Auto: SSE, or WebSocket while it is blocked", "^Auto: using WebSocket, because SSE delivered no data: no data received. Retrying SSE in ", "No data over SSE: no data received; trying WebSocket"},
	} {
		t.Run(c.blocked, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			box := newBlockingProxy(t, s, c.blocked)
			b := openTab(t)
			b.visit(box.url + c.query)
			b.waitLive()
			b.logged(c.event)
			b.autoState(c.reason)
			b.until("Auto pressed and in the address, with the other lane's colour", `document.querySelector('#auto').ariaPressed === 'true' &&
				document.querySelectorAll('.bar [aria-pressed=true]').length === 1 && location.search.includes('lane=auto') && document.querySelector('#app').dataset.lane !== '`+c.blocked+`'`)
			box.block("")
			b.autoState(c.working)
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

// TestAutoByClickAndKey chooses auto: it keeps the current lane, is part of the address, and ends when a lane is chosen.
func TestAutoByClickAndKey(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openLive(t, s.url+"/?lane=ws")
	b.until("no automatic choice", `document.querySelector('#lane-auto').hidden`)
	b.click("#auto")
	b.autoState("^Auto: WebSocket, or SSE while it is blocked")
	b.until("auto in the address", `/lane=auto&prefer=ws/.test(location.search)`)
	s.streams(0, 1)
	b.reload()
	b.waitLive()
	b.autoState("^Auto: WebSocket, or SSE while it is blocked")
	s.streams(0, 1)
	b.press("l")
	s.streams(1, 0)
	b.until("chosen by hand again", `document.querySelector('#lane-auto').hidden && document.querySelector('#auto').ariaPressed === 'false' && !/lane=|prefer=/.test(location.search)`)
	b.clean()
}
