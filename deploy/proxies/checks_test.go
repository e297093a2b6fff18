//go:build proxies && linux

package proxies

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// How much later messages may come through the proxy than directly: usual is the median of ticks, delay each of them. A proxy that
// buffers collects 4 KiB or more before it sends them, which takes the streams of these tests ten seconds and longer; on a
// busy machine a message may be late without that.
const (
	usual = time.Second
	delay = 5 * time.Second
)

// heartbeat is the default of stream.heartbeat.
const heartbeat = 15 * time.Second

// visit is a proxy in front of a server, with the ways to reach it.
type visit struct {
	proxy
	t        testing.TB
	backend  *backend
	public   string        // address of the pages
	sites    [2]*site      // through the proxy, by HTTP/1.1 and HTTP/2
	direct   *site         // without it
	streamed []streamOfWay // how streams are opened
}

// streamOfWay is a way to open a stream: a lane and the version of HTTP.
type streamOfWay struct {
	name, lane string
	site       *site
}

// TestProxies runs all checks for each proxy, in parallel.
func TestProxies(t *testing.T) {
	for _, p := range all {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			v := newVisit(t, p)
			v.backend.run("--market.rate", "0.1", "--market.symbols", "5000", "--market.warmup", "0s", "--market.arrivals", "steady")
			v.ready(timeout) // the proxy starts
			v.checkQuiet()
			v.backend.stop()
			v.backend.data = t.TempDir() // of another market

			busy := []string{"--market.rate", "10", "--market.symbols", "5", "--market.arrivals", "steady", "--server.drain_delay", "5s"}
			v.backend.run(append(busy, "--stream.compress", "off")...)
			v.ready(restarted)
			v.checkDelay("")
			v.checkAnswers()
			v.checkAddress()
			v.checkAdministration()
			v.checkTunnel()
			v.checkPage()
			v.checkRestart(append(busy, "--stream.compress", "on"))
			v.checkDelay("gzip")
		})
	}
}

func newVisit(t testing.TB, p proxy) *visit {
	b := newBackend(t, p.base)
	port := freePort(t)
	v := &visit{proxy: p, t: t, backend: b, public: fmt.Sprintf("https://%s:%d%s", host, port, p.base)}
	p.start(t, t.TempDir(), port, b.port)
	v.sites = [2]*site{newSite(t, v.public, false), newSite(t, v.public, true)}
	v.direct = newSite(t, b.url(), false)
	v.streamed = []streamOfWay{{"sse by HTTP/1.1", "sse", v.sites[0]}, {"sse by HTTP/2", "sse", v.sites[1]}, {"ws", "ws", v.sites[0]}}
	return v
}

// restarted is the limit for a proxy to use a server again that was away: less than the minute that Apache waits by default.
const restarted = 30 * time.Second

// ready waits until the server can be reached through the proxy.
func (v *visit) ready(limit time.Duration) {
	v.t.Helper()
	until(v.t, "an answer through the proxy", limit, func() bool {
		status, _, _ := v.sites[1].do(http.MethodGet, "/api/time", "")
		return status == http.StatusOK
	})
}

// checkQuiet: streams without ticks survive, and each heartbeat comes.
func (v *visit) checkQuiet() {
	began := time.Now()
	var open []*stream
	for _, w := range v.streamed {
		open = append(open, w.site.mustOpen(w.lane, "topics="+v.symbol(4999)+"&snapshot=false"))
	}
	time.Sleep(*quiet)
	for i, x := range open {
		all, err := x.messages()
		if err != nil {
			v.t.Errorf("%s: a quiet stream ended: %v", v.streamed[i].name, err)
			continue
		}
		last, beats := began, 0
		for _, m := range all {
			if gap := m.at.Sub(last); gap > heartbeat+5*time.Second {
				v.t.Errorf("%s: nothing came for %s", v.streamed[i].name, gap)
			}
			last = m.at
			if m.T == "hb" {
				beats++
			}
		}
		if want := int(*quiet/heartbeat) - 1; beats < want {
			v.t.Errorf("%s: %d heartbeats, want %d", v.streamed[i].name, beats, want)
		}
		x.checkCommand(v.symbol(4998))
		x.close()
	}
}

// symbol returns a symbol by its index in the list of symbols.
func (v *visit) symbol(i int) string {
	v.t.Helper()
	var list struct{ Symbols []struct{ Symbol string } }
	v.direct.get("/api/symbols", &list)
	return list.Symbols[i].Symbol
}

// checkCommand: a change of topics is answered on the stream at once.
func (x *stream) checkCommand(topic string) {
	x.t.Helper()
	sent := time.Now()
	x.send(fmt.Sprintf(`{"action":"subscribe","topics":[%q],"id":7}`, topic))
	m := x.after(sent, "subscription")
	if took := m.at.Sub(sent); took > delay || len(m.Topics) == 0 {
		x.t.Errorf("%s: subscription to %v after %s", x.lane, m.Topics, took)
	}
}

// checkDelay: hello and every tick come as early as directly. encoding is the wanted Content-Encoding of event streams that
// the server sends.
func (v *visit) checkDelay(encoding string) {
	v.checkDelayOf("topics=*", 25, encoding)                    // a snapshot, which a proxy may compress if it is large enough
	v.checkDelayOf("snapshot=false&topics="+v.symbol(0), 6, "") // small messages, which a proxy may collect
}

// checkDelayOf reads so many ticks of a subscription, which takes some three seconds.
func (v *visit) checkDelayOf(query string, ticks int, encoding string) {
	direct := v.direct.mustOpen("ws", query)
	direct.find("hello")
	for _, w := range v.streamed {
		x := w.site.mustOpen(w.lane, query)
		if took := x.find("hello").at.Sub(x.opened); took > delay {
			v.t.Errorf("%s: the hello came after %s", w.name, took)
		}
		if w.lane == "sse" && encoding != "" && x.encoded != encoding {
			v.t.Errorf("%s: Content-Encoding %q, want %q", w.name, x.encoded, encoding)
		}
		until(v.t, w.name+": ticks", timeout, func() bool {
			all, err := x.messages()
			if err != nil {
				v.t.Fatalf("%s: %v", w.name, err)
			}
			return strings.Count(summary(all), "q ") >= ticks
		})
		x.checkCommand(v.symbol(1))
		x.close()
		times, late := map[uint64]time.Time{}, []time.Duration{}
		all, _ := direct.messages()
		for _, m := range all {
			times[m.I] = m.at
		}
		all, _ = x.messages()
		for _, m := range all {
			if at, ok := times[m.I]; ok && m.T == "q" {
				late = append(late, m.at.Sub(at))
			}
		}
		slices.Sort(late)
		if len(late) < ticks/2 || late[len(late)/2] > usual || late[len(late)-1] > delay {
			v.t.Errorf("%s: ticks came so much later than directly: %v", w.name, late)
			continue
		}
		v.t.Logf("%s: ticks came %s later than directly, at most %s", w.name, late[len(late)/2], late[len(late)-1])
	}
}

// checkAnswers: pages and JSON are compressed, Host and scheme are kept, and a foreign Origin is refused.
func (v *visit) checkAnswers() {
	for _, s := range v.sites {
		for _, path := range []string{"/", "/api/symbols", "/docs"} {
			status, header, body := s.do(http.MethodGet, path, "", "Accept-Encoding", "gzip", "Accept", "text/html, application/json")
			if status != http.StatusOK || path != "/api/symbols" && header.Get("Content-Encoding") != "gzip" {
				v.t.Errorf("%s: %d %v %.200q", path, status, header, body)
			}
		}
		if status, _, body := s.do(http.MethodGet, "/readyz", ""); status != http.StatusOK {
			v.t.Errorf("/readyz: %d %s", status, body)
		}
	}
	for origin, want := range map[string]string{v.sites[0].origin(): "", "https://evil.example": "403", strings.Replace(v.sites[0].origin(), "https", "http", 1): "403"} {
		x, err := v.sites[0].open("ws", "topics=*", "Origin", origin)
		switch {
		case err == nil && want == "":
			x.close()
		case err == nil || want == "" || !strings.Contains(err.Error(), want):
			v.t.Errorf("ws from a page of %s: %v, want %q", origin, err, want)
		}
	}
}

// checkAddress: the server knows the client's address, also if the client sends another one.
func (v *visit) checkAddress() {
	for _, w := range v.streamed {
		for _, forged := range [][]string{nil, {"X-Forwarded-For", "203.0.113.9"}, {"X-Forwarded-For", "203.0.113.9, 127.0.0.1"}, {"X-Real-Ip", "203.0.113.9"}, {"Forwarded", "for=203.0.113.9"}} {
			x := w.site.mustOpen(w.lane, "topics=*", forged...)
			var info struct{ Address string }
			v.sites[1].get("/"+w.lane+"/connections/"+x.find("hello").Conn, &info)
			if info.Address != outside {
				v.t.Errorf("%s with %v: the client's address is %q, want %s", w.name, forged, info.Address, outside)
			}
			x.close()
		}
	}
	v.sites[0].mustOpen("ws", "topics=*", "X-Forwarded-Proto", "http").close() // the page's scheme is https
}

// checkAdministration: no form of a path reaches what server.admin_addr serves.
func (v *visit) checkAdministration() {
	for _, path := range []string{
		"/metrics", "//metrics", "/%6detrics", "/./metrics", "/x/../metrics", "/metrics/", "/api/stats", "/api/connections", "/cluster", "/api/cluster", "/api/lab", "/api/revocations", "/debug/pprof/heap",
	} {
		for _, s := range v.sites {
			if status, _, body := s.do(http.MethodGet, path, ""); status != http.StatusNotFound {
				v.t.Errorf("%s: status %d: %.80s", path, status, body)
			}
		}
	}
}
