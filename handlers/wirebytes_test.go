package handlers

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"math/big"
	"net/http/httputil"
	"strings"
	"testing"
	"time"

	"ticklane/internal/wire"
)

// certificate is signed by itself.
func certificate(t testing.TB) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
}

// TestWireBytes: what the server says it wrote is what a client's socket got, the answer's headers and the lane's framing
// included, and what goes over the connection before and after the stream not.
func TestWireBytes(t *testing.T) {
	onLanes(t, plan{}, func(h *house, lane wire.Lane) {
		h.publish(3000)
		c := h.dial()
		c.ask("GET", "/healthz")
		c.all()
		before := c.received.Load()
		if lane == wire.SSE {
			c.events("limit=2500&from=oldest")
		} else {
			c.upgrade("limit=2500&from=oldest")
		}
		c.greet()
		for c.next().T != "bye" {
		}
		if lane == wire.WS {
			c.closes(1000)
		} else if _, err := c.end(); err != io.EOF {
			t.Fatal(err)
		}
		first := c
		if lane == wire.SSE {
			c = c.again()
		}
		got := uint64(first.received.Load() - before)
		until(t, "the stream's end", func() bool { return h.live() == 0 })
		stats := h.log.Lane(lane)
		if stats.Wire != got {
			t.Errorf("wire_bytes %d, received %d", stats.Wire, got)
		}
		if stats.Ticks != 2500 || stats.Payload >= stats.Wire || stats.Writes == 0 {
			t.Errorf("%+v", stats)
		}
		if lane == wire.WS {
			return
		}
		// A connection that goes on has bytes that belong to nobody.
		c.ask("GET", "/api/symbols")
		c.all()
		if again := h.log.Lane(lane).Wire; again != got {
			t.Errorf("after another answer wire_bytes is %d, was %d", again, got)
		}
		before = c.received.Load()
		c.events("limit=1&from=oldest")
		c.greet()
		c.want("q")
		ended(c, "limit", 0)
		c.again()
		until(t, "the stream's end", func() bool { return h.live() == 0 })
		if both := h.log.Lane(lane).Wire; both != got+uint64(c.received.Load()-before) {
			t.Errorf("after a second stream wire_bytes is %d, received %d", both, got+uint64(c.received.Load()-before))
		}
	})
}

// TestPipelined: a request that came together with that for a stream is answered after it, and not counted to it.
func TestPipelined(t *testing.T) {
	h := open(t, plan{})
	h.publish(50)
	c := h.dial()
	c.format = wire.SSEJSON
	c.send("GET /sse/subscribe?limit=20&from=oldest HTTP/1.1\r\nHost: " + h.addr + "\r\n\r\nGET /healthz HTTP/1.1\r\nHost: " + h.addr + "\r\n\r\n")
	c.head()
	c.body = bufio.NewReader(httputil.NewChunkedReader(c.r))
	c.greet()
	ended(c, "limit", 0)
	if under == engineShard { // it said Connection: close, so what was asked after that has no answer (RFC 9112 §9.6)
		c.again()
		until(t, "the stream's end", func() bool { return h.live() == 0 })
		if got, want := h.log.Lane(wire.SSE).Wire, uint64(c.received.Load()); got != want {
			t.Errorf("wire_bytes %d, received %d", got, want)
		}
		return
	}
	c.again()
	c.head()
	head := 0
	for name, values := range c.header {
		head += len(name) + len(": \r\n") + len(values[0])
	}
	head += len("HTTP/1.1 200 OK\r\n\r\n")
	if body := c.all(); body != "ok\n" {
		t.Fatalf("%q", body)
	}
	until(t, "the stream's end", func() bool { return h.live() == 0 })
	if got, want := h.log.Lane(wire.SSE).Wire, uint64(c.received.Load())-uint64(head+3); got != want {
		t.Errorf("wire_bytes %d, want %d", got, want)
	}
}

func TestOverTLS(t *testing.T) {
	onLanes(t, plan{settings: func(s *Settings) { s.TLS = certificate(t) }}, func(h *house, lane wire.Lane) {
		h.publish(500)
		c := h.stream(lane, "limit=400&from=oldest")
		for c.next().T != "bye" {
		}
		if lane == wire.WS {
			c.closes(1000)
		} else if _, err := c.end(); err != io.EOF {
			t.Fatal(err)
		}
		c.nc.Close()
		until(t, "the stream's end", func() bool { return h.live() == 0 })
		// Ours begin with the request: the handshake before it is the client's, 1 to 4 KB.
		got := h.log.Lane(lane).Wire
		if all := uint64(c.received.Load()); got <= h.log.Lane(lane).Payload || got > all || all-got > 4096 {
			t.Errorf("wire_bytes %d, received %d", got, all)
		}
		answer, _ := h.get("/")
		if answer.header.Get("Strict-Transport-Security") == "" {
			t.Error("no Strict-Transport-Security")
		}
	})
}

// TestStatsAgree: /api/stats, /metrics and what clients did say the same.
func TestStatsAgree(t *testing.T) {
	h := open(t, plan{})
	h.publish(100)
	for _, lane := range lanes {
		ended(h.stream(lane, "from=oldest&limit=60"), "limit", 1000)
		c := h.stream(lane, "from="+h.log.Head().String())
		c.cut(true)
	}
	until(t, "the streams' end", func() bool { h.publish(1); return h.live() == 0 })
	h.get("/nothing")
	_, body := h.get("/api/stats")
	var stats struct {
		Process map[string]float64
		Log     struct {
			Epoch        string
			Head, Oldest uint64
		}
		Lanes map[string]map[string]float64
	}
	if err := json.Unmarshal([]byte(body), &stats); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	for _, name := range []string{"cpu_seconds", "rss_bytes", "goroutines", "uptime_seconds"} {
		if stats.Process[name] <= 0 {
			t.Errorf("process.%s is %v", name, stats.Process[name])
		}
	}
	if stats.Log.Epoch != wire.Epoch(h.tape.epoch) || stats.Log.Head != h.log.Head().Seq || stats.Log.Oldest != 1 {
		t.Errorf("log %+v", stats.Log)
	}
	answer, scrape := h.get("/metrics")
	if !strings.HasPrefix(answer.header.Get("Content-Type"), "text/plain") {
		t.Errorf("Content-Type %q", answer.header.Get("Content-Type"))
	}
	for lane, of := range stats.Lanes {
		for stat, metric := range map[string]string{
			"connections": "connections", "ticks": "ticks_total", "writes": "writes_total", "payload_bytes": "payload_bytes_total",
			"wire_bytes": "wire_bytes_total", "gaps": "gaps_total", "conflated": "conflated_total", "slow": "slow_total", "resumes": "resumes_total",
		} {
			value, ok := of[stat]
			if got := scraped(t, scrape, `ticklane_`+metric+`{lane="`+lane+`"}`); !ok || got != value {
				t.Errorf("%s.%s is %v (%v) in /api/stats, %v in /metrics", lane, stat, value, ok, got)
			}
		}
		if of["resumes"] != 1 || of["ticks"] < 60 || of["connections"] != 0 {
			t.Errorf("%s: %v", lane, of)
		}
	}
	if got := scraped(t, scrape, "ticklane_log_head"); got != float64(stats.Log.Head) {
		t.Errorf("log_head %v", got)
	}
	// Four streams, /nothing, /api/stats; this request is counted at its end.
	if got := scraped(t, scrape, "ticklane_http_requests_total"); got != 6 {
		t.Errorf("http_requests_total %v", got)
	}
}

func scraped(t testing.TB, scrape, name string) float64 {
	t.Helper()
	for line := range strings.SplitSeq(scrape, "\n") {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			var f float64
			if err := json.Unmarshal([]byte(value), &f); err != nil {
				t.Errorf("%s: %v", line, err)
			}
			return f
		}
	}
	t.Errorf("no %s", name)
	return -1
}
