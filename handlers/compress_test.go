package handlers

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
	"ticklane/internal/wire"
)

func squeezing(when string) plan {
	return plan{log: stream.Config{Compress: when, MaxSharedEncoders: 16}}
}

const (
	gzipLine    = "Accept-Encoding: gzip, deflate"
	deflateLine = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
)

// offering opens a stream that can inflate.
func (h *house) offering(lane wire.Lane, query string) *client {
	h.Helper()
	if lane == wire.SSE {
		return h.sse(query, gzipLine)
	}
	return h.ws(query, deflateLine)
}

func TestGzipNegotiation(t *testing.T) {
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
		{stream.CompressAuto, "gzip", false, true}, // nobody else reads
	} {
		t.Run(c.when+" "+c.accept, func(t *testing.T) {
			h := open(t, squeezing(c.when))
			for _, method := range []string{"GET", "HEAD"} {
				a := h.dial()
				a.ask(method, "/sse/subscribe", "Accept: text/event-stream", "Accept-Encoding: "+c.accept)
				if got := a.header.Get("Content-Encoding"); (got == "gzip") != c.gzip || got != "" && got != "gzip" {
					t.Errorf("%s: Content-Encoding %q", method, got)
				}
				if got := strings.Contains(a.header.Get("Vary"), "Accept-Encoding"); got != c.vary {
					t.Errorf("%s: Vary %q", method, a.header.Get("Vary"))
				}
			}
		})
	}
}

// TestDeflateNegotiation checks what reaches the client; package websocket has the offers.
func TestDeflateNegotiation(t *testing.T) {
	h := open(t, squeezing(stream.CompressOn))
	const yes = "permessage-deflate; client_no_context_takeover"
	for offer, want := range map[string]string{
		"permessage-deflate; client_max_window_bits":                                                        yes,
		"permessage-deflate; server_no_context_takeover":                                                    yes + "; server_no_context_takeover",
		"x-webkit-deflate-frame\r\nSec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=15": yes + "; server_max_window_bits=15",
		"permessage-deflate; server_max_window_bits=12":                                                     "",
	} {
		c := h.ws("", "Sec-WebSocket-Extensions: "+offer)
		if got := c.header.Get("Sec-Websocket-Extensions"); got != want {
			t.Errorf("%s: %q, want %q", offer, got, want)
		}
		_, body := h.get("/ws/connections/" + c.hello.Conn)
		if used := strings.Contains(body, `"compression":"permessage-deflate"`); used != (want != "") {
			t.Errorf("%s: %s", offer, body)
		}
		c.cut(true)
	}
	answer, body := h.get("/ws/subscribe", append(slices.Clone(upgrade), "Sec-WebSocket-Extensions: a b")...)
	if p := told(t, answer, body, 400); !strings.Contains(p.Detail, "Extensions") {
		t.Errorf("%s", body)
	}
	off := open(t, squeezing(stream.CompressOff))
	if c := off.ws("", deflateLine); c.header.Get("Sec-Websocket-Extensions") != "" {
		t.Errorf("switched off: %v", c.header)
	}
}

// TestAutoCompressesForMany: in auto few readers get their text as it is; from the eighth on it is compressed.
func TestAutoCompressesForMany(t *testing.T) {
	onLanes(t, squeezing(stream.CompressAuto), func(h *house, lane wire.Lane) {
		var all []*client
		for n := range 9 {
			c := h.offering(lane, "snapshot=false")
			all = append(all, c)
			if gzip := c.header.Get("Content-Encoding") == "gzip"; lane == wire.SSE && gzip != (n >= 7) {
				t.Errorf("reader %d: gzip %v", n+1, gzip)
			}
		}
		h.publish(200)
		for _, c := range all {
			h.audit(c, 200)
		}
		if lane == wire.WS && all[0].packed == 0 {
			t.Error("the first reader's frames stay as they are after the eighth came")
		}
		if n := h.log.SharedEncoders(); n != 1 {
			t.Errorf("%d sets", n)
		}
		for _, c := range all {
			c.cut(true)
		}
		until(t, "the set's end", func() bool { h.publish(1); return h.log.SharedEncoders() == 0 })
	})
}

// TestCompressedSockets: clients of every kind join, change, ask, end at their limits and come back while ticks come, and
// every byte that they inflate is what was sent.
func TestCompressedSockets(t *testing.T) {
	h := open(t, squeezing(stream.CompressOn))
	h.steady(1500)
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 5))
			from := "latest"
			for range 6 {
				limit := 100 + r.IntN(900)
				query := fmt.Sprintf("limit=%d&from=%s", limit, from)
				var c *client
				switch i % 4 {
				case 0, 1:
					c = h.sse(query, gzipLine)
				case 2:
					c = h.ws(query, deflateLine)
				default:
					c = h.ws(query, deflateLine+"; server_no_context_takeover")
				}
				got, place := 0, c.hello.Head
				if from != "latest" {
					if c.hello.Resume != "complete" {
						t.Errorf("resume %s", c.hello.Resume)
					}
					fmt.Sscanf(from[strings.Index(from, "-")+1:], "%d", &place)
				}
				for m := c.next(); m.T != "bye"; m = c.next() {
					switch m.T {
					case "q":
						if m.I != place+1 || m.text != h.tape.text(m.I) {
							t.Errorf("%s after %d", m.text, place)
							return
						}
						place = m.I
						got++
					case "snapshot":
						if m.I != place {
							t.Errorf("snapshot of %d at %d", m.I, place)
						}
					case "time":
					default:
						t.Errorf("%s", m.text)
					}
					if c.format.Lane() == wire.WS && r.IntN(300) == 0 {
						c.say(`{"action":"time","id":1}`)
					}
				}
				if got != limit {
					t.Errorf("%d ticks of %d", got, limit)
				}
				if c.format.Lane() == wire.SSE {
					if _, err := c.end(); err != io.EOF { // the trailer was right
						t.Error(err)
					}
				}
				c.nc.Close()
				from = fmt.Sprintf("%s-%d", wire.Epoch(h.tape.epoch), place)
			}
		})
	}
	all.Wait()
	until(t, "the streams' end", func() bool { return h.live() == 0 })
	for _, lane := range lanes {
		if s := h.log.Lane(lane); s.CompressOut == 0 || s.CompressIn <= s.CompressOut || s.CompressSeconds == 0 {
			t.Errorf("%s: %+v", lane, s)
		}
	}
}

// TestGoClientGetsItsLimit: what Go does by itself, and so hey: it offers gzip, and a stream that ends is whole.
func TestGoClientGetsItsLimit(t *testing.T) {
	h := open(t, squeezing(stream.CompressOn))
	h.publish(500)
	resp, err := http.Get("http://" + h.addr + "/sse/subscribe?from=oldest&limit=321")
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

// deflated is a message as a client packs it.
func deflated(text string) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 9)
	io.WriteString(w, text)
	w.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xff, 0xff})
}

func packedFrame(op ws.OpCode, fin bool, payload []byte) ws.Frame {
	f := ws.NewFrame(op, fin, payload)
	f.Header.Rsv = ws.Rsv(true, false, false)
	return f
}

func TestCompressedCommands(t *testing.T) {
	ask := deflated(`{"action":"subscribe","topics":["S1"]}`)
	h := open(t, squeezing(stream.CompressOff))
	c := h.ws("", deflateLine)
	if err := ws.WriteFrame(c.nc, ws.MaskFrame(packedFrame(ws.OpText, true, ask))); err != nil {
		t.Fatal(err)
	}
	c.closes(wire.CloseProtocol)
	c = open(t, squeezing(stream.CompressOn)).ws("topics=S2", deflateLine)
	if err := ws.WriteFrame(c.nc, ws.MaskFrame(packedFrame(ws.OpText, true, ask))); err != nil {
		t.Fatal(err)
	}
	if m := c.await("snapshot"); len(m.Quotes) > 0 {
		t.Errorf("%s", m.text)
	}
	if m := c.await("subscription"); strings.Join(m.Topics, " ") != "S2 S1" {
		t.Errorf("%s", m.text)
	}
}
