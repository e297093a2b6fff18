package handlers_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gobwas/ws"

	"ticklane/internal/stream"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

func TestGzipNegotiation(t *testing.T) { onEngines(t, testGzipNegotiation) }

func testGzipNegotiation(t *testing.T, engine string) {
	for _, c := range []struct {
		when, accept string
		gzip, vary   bool
	}{
		{stream.CompressOn, "gzip", true, true},
		{stream.CompressOn, "br, GZIP;q=0.5, *;q=0", true, true},
		{stream.CompressOn, "gzip;q=0", false, true},
		{stream.CompressOn, "gzip;Q=1", true, true},
		{stream.CompressOn, "deflate, br, zstd", false, true},
		{stream.CompressOn, "*;q=0", false, true},
		{stream.CompressOn, "identity;q=0", false, true},
		{stream.CompressOn, "identity;q=0, gzip", true, true},
		{stream.CompressOn, "gzip;q=nonsense", false, true},
		{stream.CompressOn, "", false, true},
		{stream.CompressOff, "gzip", false, false},
		{stream.CompressAuto, "gzip", false, true}, // too few readers
	} {
		t.Run(c.when+" "+c.accept, func(t *testing.T) {
			srv := newTestServer(t, testserver.Options{Engine: engine, Log: compressing(c.when)})
			for _, method := range []string{"GET", "HEAD"} {
				a := srv.Dial()
				a.Request(method, "/sse/subscribe", "Accept: text/event-stream", "Accept-Encoding: "+c.accept)
				if got := a.Header.Get("Content-Encoding"); (got == "gzip") != c.gzip || got != "" && got != "gzip" {
					t.Errorf("%s: Content-Encoding %q", method, got)
				}
				if got := strings.Contains(a.Header.Get("Vary"), "Accept-Encoding"); got != c.vary {
					t.Errorf("%s: Vary %q", method, a.Header.Get("Vary"))
				}
			}
		})
	}
}

// TestDeflateNegotiation checks what reaches the client; package websocket has the offers.
func TestDeflateNegotiation(t *testing.T) { onEngines(t, testDeflateNegotiation) }

func testDeflateNegotiation(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine, Log: compressing(stream.CompressOn)})
	const yes = "permessage-deflate; client_no_context_takeover"
	for offer, want := range map[string]string{
		"permessage-deflate; client_max_window_bits":                                                        yes,
		"permessage-deflate; server_no_context_takeover":                                                    yes + "; server_no_context_takeover",
		"x-webkit-deflate-frame\r\nSec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=15": yes + "; server_max_window_bits=15",
		"permessage-deflate; server_max_window_bits=12":                                                     "",
	} {
		c := srv.WS("", "Sec-WebSocket-Extensions: "+offer)
		if got := c.Header.Get("Sec-Websocket-Extensions"); got != want {
			t.Errorf("%s: %q, want %q", offer, got, want)
		}
		_, body := srv.Get("/ws/connections/" + c.Hello.Conn)
		if used := strings.Contains(body, `"compression":"permessage-deflate"`); used != (want != "") {
			t.Errorf("%s: %s", offer, body)
		}
		c.Cut(true)
	}
	answer, body := srv.Get("/ws/subscribe", append(slices.Clone(testserver.Upgrade), "Sec-WebSocket-Extensions: a b")...)
	if p := wantProblem(t, answer, body, 400); !strings.Contains(p.Detail, "Extensions") {
		t.Errorf("%s", body)
	}
	off := newTestServer(t, testserver.Options{Engine: engine, Log: compressing(stream.CompressOff)})
	if c := off.WS("", testserver.OfferDeflate); c.Header.Get("Sec-Websocket-Extensions") != "" {
		t.Errorf("switched off: %v", c.Header)
	}
}

// TestAutoCompressesForMany checks that with auto a topic group is compressed from its eighth reader on.
func TestAutoCompressesForMany(t *testing.T) {
	onLanes(t, testserver.Options{Log: compressing(stream.CompressAuto)}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		var all []*testserver.Client
		for n := range 9 {
			c := srv.CompressedStream(lane, "snapshot=false")
			all = append(all, c)
			if gzip := c.Header.Get("Content-Encoding") == "gzip"; lane == wire.SSE && gzip != (n >= 7) {
				t.Errorf("reader %d: gzip %v", n+1, gzip)
			}
		}
		srv.Publish(200)
		for _, c := range all {
			c.WantAllTicks(200)
		}
		if lane == wire.WS && all[0].Frames.Compressed == 0 {
			t.Error("the first reader's frames are not compressed after the eighth joined")
		}
		if n := srv.TickLog.SharedEncoders(); n != 1 {
			t.Errorf("%d sets", n)
		}
		for _, c := range all {
			c.Cut(true)
		}
		testkit.Eventually(t, func() bool { srv.Publish(1); return srv.TickLog.SharedEncoders() == 0 }, "the shared encoder to be closed")
	})
}

// TestCompressedSockets has clients of every kind join, send commands, end at their limits and resume while ticks are
// published. Every byte that they inflate must be what was published.
func TestCompressedSockets(t *testing.T) { onEngines(t, testCompressedSockets) }

func testCompressedSockets(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine, Log: compressing(stream.CompressOn)})
	srv.PublishRate(1500)
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 5))
			from := "latest"
			for range testkit.Rounds(2, 6) {
				limit := 100 + r.IntN(900)
				query := fmt.Sprintf("limit=%d&from=%s", limit, from)
				var c *testserver.Client
				switch i % 4 {
				case 0, 1:
					c = srv.SSE(query, testserver.AcceptGzip)
				case 2:
					c = srv.WS(query, testserver.OfferDeflate)
				default:
					c = srv.WS(query, testserver.OfferDeflate+"; server_no_context_takeover")
				}
				got, place := 0, c.Hello.Head
				if from != "latest" {
					if c.Hello.Resume != "complete" {
						t.Errorf("resume %s", c.Hello.Resume)
					}
					fmt.Sscanf(from[strings.Index(from, "-")+1:], "%d", &place)
				}
				for m := c.Next(); m.T != "bye"; m = c.Next() {
					switch m.T {
					case "q":
						if m.I != place+1 || m.Text != srv.Ticks.JSON(m.I) {
							t.Errorf("%s after %d", m.Text, place)
							return
						}
						place = m.I
						got++
					case "snapshot":
						if c.Hello.Resume != "none" {
							t.Errorf("snapshot after a complete resume: %.200s", m.Text)
						}
						place = m.I // ticks may have come since the hello
					case "time":
					default:
						t.Errorf("%s", m.Text)
					}
					if c.Format.Lane() == wire.WS && r.IntN(300) == 0 {
						c.SendText(`{"action":"time","id":1}`)
					}
				}
				if got != limit {
					t.Errorf("%d ticks of %d", got, limit)
				}
				if c.Format.Lane() == wire.SSE {
					if _, err := c.ReadAll(); err != io.EOF { // io.EOF: the gzip trailer was right
						t.Error(err)
					}
				}
				c.NetConn.Close()
				from = fmt.Sprintf("%s-%d", wire.Epoch(srv.Ticks.Epoch), place)
			}
		})
	}
	all.Wait()
	testkit.Eventually(t, func() bool { return liveStreams(srv) == 0 }, "the streams' end")
	for _, lane := range lanes {
		if s := srv.TickLog.Lane(lane); s.CompressOut == 0 || s.CompressIn <= s.CompressOut || s.CompressSeconds == 0 {
			t.Errorf("%s: %+v", lane, s)
		}
	}
}

// TestGoClientGetsItsLimit checks Go's HTTP client, and so hey: it offers gzip by default, and the stream must
// end without an error.
func TestGoClientGetsItsLimit(t *testing.T) { onEngines(t, testGoClientGetsItsLimit) }

func testGoClientGetsItsLimit(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine, Log: compressing(stream.CompressOn)})
	srv.Publish(500)
	resp, err := http.Get("http://" + srv.Addr + "/sse/subscribe?from=oldest&limit=321")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || !resp.Uncompressed {
		t.Fatalf("%v, inflated %v", err, resp.Uncompressed)
	}
	if n := bytes.Count(body, []byte(`{"T":"q"`)); n != 321 {
		t.Errorf("%d ticks", n)
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestCompressedCommands checks that compressed messages are accepted if that was negotiated; they are a protocol error
// otherwise.
func TestCompressedCommands(t *testing.T) { onEngines(t, testCompressedCommands) }

func testCompressedCommands(t *testing.T, engine string) {
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, 9)
	io.WriteString(w, `{"action":"subscribe","topics":["S1"]}`)
	w.Flush()
	frame := ws.NewTextFrame(bytes.TrimSuffix(packed.Bytes(), []byte{0, 0, 0xff, 0xff}))
	frame.Header.Rsv = ws.Rsv(true, false, false)
	srv := newTestServer(t, testserver.Options{Engine: engine, Log: compressing(stream.CompressOff)})
	c := srv.WS("", testserver.OfferDeflate)
	if err := ws.WriteFrame(c.NetConn, ws.MaskFrame(frame)); err != nil {
		t.Fatal(err)
	}
	c.WantClose(wire.CloseProtocol)
	c = newTestServer(t, testserver.Options{Engine: engine, Log: compressing(stream.CompressOn)}).WS("topics=S2", testserver.OfferDeflate)
	if err := ws.WriteFrame(c.NetConn, ws.MaskFrame(frame)); err != nil {
		t.Fatal(err)
	}
	if m := c.WaitFor("snapshot"); len(m.Quotes) > 0 {
		t.Errorf("%s", m.Text)
	}
	if m := c.WaitFor("subscription"); strings.Join(m.Topics, " ") != "S2 S1" {
		t.Errorf("%s", m.Text)
	}
}
