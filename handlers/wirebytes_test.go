package handlers_test

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

	"ticklane/handlers"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// certificate returns a configuration with a self-signed certificate.
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

// TestWireBytes checks that the counted bytes are those that the client's socket received: with the response header and the
// lane's framing, and without what the connection carried before and after the stream.
func TestWireBytes(t *testing.T) {
	onLanes(t, testserver.Options{}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		srv.Publish(3000)
		c := srv.Dial()
		c.Request("GET", "/healthz")
		c.ReadBody()
		before := c.Received.Load()
		if lane == wire.SSE {
			c.RequestSSE("limit=2500&from=oldest")
		} else {
			c.RequestWS("limit=2500&from=oldest")
		}
		c.ReadHello()
		for c.Next().T != "bye" {
		}
		if lane == wire.WS {
			c.WantClose(1000)
		} else if _, err := c.ReadAll(); err != io.EOF {
			t.Fatal(err)
		}
		first := c
		if lane == wire.SSE {
			c = c.NextRequest()
		}
		got := uint64(first.Received.Load() - before)
		testkit.Eventually(t, func() bool { return liveStreams(srv) == 0 }, "the stream's end")
		stats := srv.TickLog.Lane(lane)
		if stats.Wire != got {
			t.Errorf("wire_bytes %d, received %d", stats.Wire, got)
		}
		if stats.Ticks != 2500 || stats.Payload >= stats.Wire || stats.Writes == 0 {
			t.Errorf("%+v", stats)
		}
		if lane == wire.SSE && stats.Writes > stats.Wire/4096+20 { // chunks of 4 KiB, each in one write
			t.Errorf("%d writes for %d bytes", stats.Writes, stats.Wire)
		}
		if lane == wire.WS {
			return
		}
		// Bytes of other responses on the same connection are not counted.
		c.Request("GET", "/api/symbols")
		c.ReadBody()
		if again := srv.TickLog.Lane(lane).Wire; again != got {
			t.Errorf("after another answer wire_bytes is %d, was %d", again, got)
		}
		before = c.Received.Load()
		c.RequestSSE("limit=1&from=oldest")
		c.ReadHello()
		c.Want("q")
		wantEnd(c, "limit", 0)
		c.NextRequest()
		testkit.Eventually(t, func() bool { return liveStreams(srv) == 0 }, "the stream's end")
		if both := srv.TickLog.Lane(lane).Wire; both != got+uint64(c.Received.Load()-before) {
			t.Errorf("after a second stream wire_bytes is %d, received %d", both, got+uint64(c.Received.Load()-before))
		}
	})
}

// TestPipelined checks that a request sent together with the one for a stream is answered after it, and not counted for it.
func TestPipelined(t *testing.T) { onEngines(t, testPipelined) }

func testPipelined(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine})
	srv.Publish(50)
	c := srv.Dial()
	c.Format = wire.SSEJSON
	c.Send("GET /sse/subscribe?limit=20&from=oldest HTTP/1.1\r\nHost: " + srv.Addr + "\r\n\r\nGET /healthz HTTP/1.1\r\nHost: " + srv.Addr + "\r\n\r\n")
	c.ReadHead()
	c.Body = bufio.NewReader(httputil.NewChunkedReader(c.Reader))
	c.ReadHello()
	wantEnd(c, "limit", 0)
	if engine == testserver.Shard { // it sends Connection: close, so later requests have no response (RFC 9112 §9.6)
		c.NextRequest()
		testkit.Eventually(t, func() bool { return liveStreams(srv) == 0 }, "the stream's end")
		if got, want := srv.TickLog.Lane(wire.SSE).Wire, uint64(c.Received.Load()); got != want {
			t.Errorf("wire_bytes %d, received %d", got, want)
		}
		return
	}
	c.NextRequest()
	c.ReadHead()
	head := 0
	for name, values := range c.Header {
		head += len(name) + len(": \r\n") + len(values[0])
	}
	head += len("HTTP/1.1 200 OK\r\n\r\n")
	if body := c.ReadBody(); body != "ok\n" {
		t.Fatalf("%q", body)
	}
	testkit.Eventually(t, func() bool { return liveStreams(srv) == 0 }, "the stream's end")
	if got, want := srv.TickLog.Lane(wire.SSE).Wire, uint64(c.Received.Load())-uint64(head+3); got != want {
		t.Errorf("wire_bytes %d, want %d", got, want)
	}
}

func TestOverTLS(t *testing.T) {
	onLanes(t, testserver.Options{Settings: func(s *handlers.Settings) { s.TLS = certificate(t) }}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		srv.Publish(500)
		c := srv.Stream(lane, "limit=400&from=oldest")
		for c.Next().T != "bye" {
		}
		if lane == wire.WS {
			c.WantClose(1000)
		} else if _, err := c.ReadAll(); err != io.EOF {
			t.Fatal(err)
		}
		c.NetConn.Close()
		testkit.Eventually(t, func() bool { return liveStreams(srv) == 0 }, "the stream's end")
		// The bytes are counted from the request on; the TLS handshake before it has 1 to 4 KB.
		got := srv.TickLog.Lane(lane).Wire
		if all := uint64(c.Received.Load()); got <= srv.TickLog.Lane(lane).Payload || got > all || all-got > 4096 {
			t.Errorf("wire_bytes %d, received %d", got, all)
		}
		answer, _ := srv.Get("/")
		if answer.Header.Get("Strict-Transport-Security") == "" {
			t.Error("no Strict-Transport-Security")
		}
	})
}

// TestStatsAgree checks that /api/stats and /metrics agree with what clients did.
func TestStatsAgree(t *testing.T) { onEngines(t, testStatsAgree) }

func testStatsAgree(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine})
	srv.Publish(100)
	for _, lane := range lanes {
		wantEnd(srv.Stream(lane, "from=oldest&limit=60"), "limit", 1000)
		c := srv.Stream(lane, "from="+srv.TickLog.Head().String())
		c.Cut(true)
	}
	testkit.Eventually(t, func() bool { srv.Publish(1); return liveStreams(srv) == 0 }, "the streams' end")
	srv.Get("/nothing")
	_, body := srv.Get("/api/stats")
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
	if stats.Log.Epoch != wire.Epoch(srv.Ticks.Epoch) || stats.Log.Head != srv.TickLog.Head().Seq || stats.Log.Oldest != 1 {
		t.Errorf("log %+v", stats.Log)
	}
	answer, scrape := srv.Get("/metrics")
	if !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/plain") {
		t.Errorf("Content-Type %q", answer.Header.Get("Content-Type"))
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
	// Four streams, /nothing and /api/stats; this request is counted when it ends.
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
