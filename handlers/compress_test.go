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

func TestDeflateNegotiation(t *testing.T) {
	h := open(t, squeezing(stream.CompressOn))
	const yes = "permessage-deflate; client_no_context_takeover"
	for offer, want := range map[string]string{
		"permessage-deflate":                                                         yes,
		"permessage-deflate; client_max_window_bits":                                 yes,
		"permessage-deflate; client_max_window_bits=9; client_no_context_takeover":   yes,
		`permessage-deflate; client_max_window_bits="10"`:                            yes,
		"permessage-deflate; server_no_context_takeover":                             yes + "; server_no_context_takeover",
		"permessage-deflate; server_max_window_bits=15":                              yes + "; server_max_window_bits=15",
		"permessage-deflate; server_max_window_bits=12, permessage-deflate":          yes,
		"x-webkit-deflate-frame, permessage-deflate":                                 yes,
		"permessage-deflate; server_max_window_bits=12":                              "",
		"permessage-deflate; server_max_window_bits=8":                               "",
		"permessage-deflate; server_max_window_bits=15; server_max_window_bits=15":   "",
		"permessage-deflate; server_max_window_bits":                                 "",
		"permessage-deflate; server_no_context_takeover=1":                           "",
		"permessage-deflate; client_max_window_bits=16":                              "",
		"permessage-deflate; client_max_window_bits=08":                              "",
		"permessage-deflate; mystery":                                                "",
		"permessage-deflate; client_no_context_takeover; client_no_context_takeover": "",
		"permessage-bzip2": "",
	} {
		c := h.ws("", "Sec-WebSocket-Extensions: "+offer)
		if got := c.header.Get("Sec-Websocket-Extensions"); got != want {
			t.Errorf("%s: %q, want %q", offer, got, want)
		}
		_, body := h.get("/ws/connections/" + c.hello.Conn)
		if told := strings.Contains(body, `"compression":"permessage-deflate"`); told != (want != "") {
			t.Errorf("%s: %s", offer, body)
		}
		c.cut(true)
	}
	for _, offer := range []string{"permessage-deflate;", "permessage-deflate; =", ";", "a b", `permessage-deflate; client_max_window_bits="1`, ","} {
		answer, body := h.get("/ws/subscribe", append(slices.Clone(upgrade), "Sec-WebSocket-Extensions: "+offer)...)
		if p := told(t, answer, body, 400); !strings.Contains(p.Detail, "Extensions") {
			t.Errorf("%s: %s", offer, body)
		}
	}
	off := open(t, squeezing(stream.CompressOff))
	if c := off.ws("", deflateLine); c.header.Get("Sec-Websocket-Extensions") != "" {
		t.Errorf("switched off: %v", c.header)
	}
}

func FuzzExtensions(f *testing.F) {
	f.Add("permessage-deflate; client_max_window_bits, permessage-deflate")
	f.Add(`a;b="c\d";e=f,,g`)
	f.Fuzz(func(t *testing.T, list string) {
		all, ok := parseExtensions(list)
		if !ok {
			return
		}
		var again []string
		for _, e := range all {
			s := e.name
			for _, p := range e.params {
				s += "; " + p.name
				if p.valued {
					s += "=" + p.value
				}
			}
			again = append(again, s)
			if kind, answer := e.meet(); (kind == stream.CompressNone) != (answer == "") {
				t.Errorf("%v: %v %q", e, kind, answer)
			}
		}
		text := strings.Join(again, ", ")
		same, ok := parseExtensions(text)
		if !ok || fmt.Sprint(same) != fmt.Sprint(all) {
			t.Errorf("%q is %v, and as %q %v", list, all, text, same)
		}
	})
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

// finished is text packed in a block that calls itself the last.
func finished(text string) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 9)
	io.WriteString(w, text)
	w.Close()
	return b.Bytes()
}

func packedFrame(op ws.OpCode, fin bool, payload []byte) ws.Frame {
	f := ws.NewFrame(op, fin, payload)
	f.Header.Rsv = rsv1
	return f
}

func TestInboundPacked(t *testing.T) {
	ask := deflated(`{"action":"subscribe","topics":["S1"]}`)
	for name, c := range map[string]struct {
		sent []byte
		code uint16
		said int
	}{
		"whole":           {frames(packedFrame(ws.OpText, true, ask), packedFrame(ws.OpText, true, ask)), 0, 2},
		"in pieces":       {frames(packedFrame(ws.OpText, false, ask[:5]), ws.NewPingFrame(nil), ws.NewFrame(ws.OpContinuation, true, ask[5:])), 0, 2},
		"and plain ones":  {frames(packedFrame(ws.OpText, true, ask), ws.NewTextFrame([]byte("{}")), packedFrame(ws.OpText, true, ask)), 0, 3},
		"as large as may": {frames(packedFrame(ws.OpText, true, deflated(strings.Repeat("x", 300)))), 0, 1},
		"a bomb":          {frames(packedFrame(ws.OpText, true, deflated(strings.Repeat("x", 301)))), wire.CloseTooBig, 0},
		"a huge bomb":     {frames(packedFrame(ws.OpText, true, deflated(strings.Repeat("x", 200_000)))), wire.CloseTooBig, 0},
		"not deflate":     {frames(packedFrame(ws.OpText, true, []byte("\xff\xff\xff"))), wire.CloseInvalidData, 0},
		"cut":             {frames(packedFrame(ws.OpText, true, ask[:20])), wire.CloseInvalidData, 0},
		"after a last":    {frames(packedFrame(ws.OpText, true, append([]byte{3, 0}, ask...))), 0, 1},
		"the last block":  {frames(packedFrame(ws.OpText, true, []byte("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"))), 0, 1}, // RFC 7692 §7.2.3.4
		"rest of a block": {frames(packedFrame(ws.OpText, true, append([]byte{3, 0}, ask[:20]...))), wire.CloseInvalidData, 0},
		"last ones only":  {frames(packedFrame(ws.OpText, true, bytes.Repeat([]byte{3, 0}, 100))), 0, 1},
		"too many":        {frames(packedFrame(ws.OpText, true, bytes.Repeat([]byte{3, 0}, 150))), wire.CloseInvalidData, 0},
		"a bomb in parts": {frames(packedFrame(ws.OpText, true, append(finished(strings.Repeat("x", 200)), finished(strings.Repeat("x", 200))...))), wire.CloseTooBig, 0},
		"not UTF-8":       {frames(packedFrame(ws.OpText, true, deflated("\xff"))), wire.CloseInvalidData, 0},
		"a packed ping":   {frames(packedFrame(ws.OpPing, true, nil)), wire.CloseProtocol, 0},
		"in mid-message":  {frames(packedFrame(ws.OpText, false, ask[:5]), packedFrame(ws.OpContinuation, true, ask[5:])), wire.CloseProtocol, 0},
		"binary":          {frames(packedFrame(ws.OpBinary, true, ask)), wire.CloseUnsupported, 0},
	} {
		in, said := heard(c.sent, func(left int) int { return left })
		if in.code != c.code || len(said) != c.said {
			t.Errorf("%s: code %d %s, %q", name, in.code, in.reason, said)
		}
	}
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
