package generator

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"ticklane/internal/loadtest/client"
	"ticklane/internal/wire"
)

const hello = `{"T":"hello","conn":"0011","lane":"sse","engine":"shard","epoch":"a","head":12,"t":1790000000000000,"topics":["*"]}`

func tickText(seq int) string {
	return fmt.Sprintf(`{"T":"q","S":"AAPL","p":187.22,"t":1790000000000000,"n":1,"i":%d}`, seq)
}

// pieces cuts b at random places.
func pieces(r *rand.Rand, b []byte) [][]byte {
	var all [][]byte
	for len(b) > 0 {
		n := 1 + r.IntN(min(len(b), 1+r.IntN(400)))
		all, b = append(all, b[:n]), b[n:]
	}
	return all
}

// chunked returns b in chunks of random sizes.
func chunked(r *rand.Rand, b []byte) []byte {
	var out []byte
	for _, p := range pieces(r, b) {
		out = fmt.Appendf(out, "%x\r\n%s\r\n", len(p), p)
	}
	return append(out, "0\r\n\r\n"...)
}

// events returns a hello and n ticks as SSE events, with heartbeats between them.
func events(n int) (all [][]byte) {
	all = append(all, []byte(": hello\n\nretry: 1000\nevent: hello\ndata: "+hello+"\nid: a-0\n\n"))
	for i := 1; i <= n; i++ {
		all = append(all, fmt.Appendf(nil, "data: %s\nid: a-%d\n\n", tickText(i), i))
		if i%5 == 0 {
			all = append(all, []byte("event: hb\ndata: {\"T\":\"hb\",\"t\":1,\"head\":3}\n\n"))
		}
	}
	return all
}

// sseResponse returns a response with n ticks.
func sseResponse(r *rand.Rand, n int, compress, chunk bool) []byte {
	head, body := "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n", bytes.Join(events(n), nil)
	if compress {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		for _, e := range events(n) {
			_, _ = z.Write(e)
			_ = z.Flush()
		}
		head, body = head+"Content-Encoding: gzip\r\n", out.Bytes()
	}
	if chunk {
		head, body = head+"transfer-encoding: chunked\r\n", chunked(r, body)
	}
	return append([]byte(head+"\r\n"), body...)
}

// wsResponse returns a ping, a hello and n ticks behind the head of an upgrade.
func wsResponse(n int, compress bool) []byte {
	head := "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + acceptKey + "\r\n"
	var out bytes.Buffer
	z, _ := flate.NewWriter(&out, 6)
	if compress {
		head += "Sec-WebSocket-Extensions: permessage-deflate\r\n"
	}
	b := append([]byte(head+"\r\n"), 0x89, 2, 'h', 'i')
	message := func(text string) {
		payload := []byte(text)
		if compress {
			out.Reset()
			_, _ = z.Write(payload)
			_ = z.Flush()
			payload = bytes.TrimSuffix(slices.Clone(out.Bytes()), []byte{0, 0, 0xff, 0xff})
		}
		at := len(b)
		b = append(wire.AppendFrameHeader(b, wire.OpText, len(payload)), payload...)
		if compress {
			b[at] |= wire.RSV1
		}
	}
	message(hello)
	for i := 1; i <= n; i++ {
		message(tickText(i))
	}
	return b
}

// newTestConn returns a connection without a socket.
func newTestConn(lane wire.Lane) *conn {
	return &conn{g: &Generator{counts: newCounts(), now: 1_790_000_000_100_000}, lane: lane, fd: -1}
}

func TestConnDecodes(t *testing.T) {
	const n = 40
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 2))
		for name, c := range map[string]struct {
			lane       wire.Lane
			response   []byte
			compressed bool
		}{
			"sse": {wire.SSE, sseResponse(r, n, false, true), false}, "sse, not chunked": {wire.SSE, sseResponse(r, n, false, false), false},
			"gzip": {wire.SSE, sseResponse(r, n, true, true), true}, "ws": {wire.WS, wsResponse(n, false), false}, "deflate": {wire.WS, wsResponse(n, true), true},
		} {
			conn := newTestConn(c.lane)
			for _, p := range pieces(r, c.response) {
				if err := conn.take(bytes.Clone(p)); err != nil {
					t.Fatalf("%s, seed %d: %v", name, seed, err)
				}
			}
			g := conn.g
			if g.counts.Ticks != n || g.counts.Lost != 0 || g.counts.Repeated != 0 || conn.next != n+1 || g.ready.Load() != 1 ||
				g.engine != "shard" || conn.format.Compressed != c.compressed {
				t.Fatalf("%s, seed %d: %+v, next %d, engine %q", name, seed, g.counts, conn.next, g.engine)
			}
			if p := g.counts.Quantile(.5); p < 99_000 || p > 101_000 {
				t.Fatalf("%s: p50 %d µs, want 100,000", name, p)
			}
			conn.decoder.Close()
		}
	}
}

func TestConnRejects(t *testing.T) {
	for name, c := range map[string]struct {
		lane wire.Lane
		head string
	}{
		"a status":           {wire.SSE, "HTTP/1.1 503 Service Unavailable\r\n\r\n"},
		"no upgrade":         {wire.WS, "HTTP/1.1 200 OK\r\n\r\n"},
		"another key":        {wire.WS, "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n\r\n"},
		"no key":             {wire.WS, "HTTP/1.1 101 Switching Protocols\r\n\r\n"},
		"brotli":             {wire.SSE, "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n"},
		"another extension":  {wire.WS, "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + acceptKey + "\r\nSec-WebSocket-Extensions: x\r\n\r\n"},
		"another protocol":   {wire.SSE, "220 smtp.example.com\r\n\r\n"},
		"an endless head":    {wire.SSE, "HTTP/1.1 200 OK\r\nX: " + string(bytes.Repeat([]byte{'x'}, maxHead))},
		"an invalid message": {wire.SSE, "HTTP/1.1 200 OK\r\n\r\ndata: {\"T\":\"q\",\"i\":1}\n\n"},
	} {
		if err := newTestConn(c.lane).take([]byte(c.head)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestConnCounts(t *testing.T) {
	for name, c := range map[string]struct {
		seqs           []uint64
		lost, repeated int64
	}{
		"complete":            {[]uint64{5, 6, 7}, 0, 0},
		"a hole":              {[]uint64{5, 6, 9, 10}, 2, 0},
		"a duplicate":         {[]uint64{5, 6, 6, 7}, 0, 1},
		"out of order":        {[]uint64{5, 7, 6, 8}, 1, 1},
		"a hole at the start": {[]uint64{1, 3}, 1, 0},
		"one tick":            {[]uint64{100}, 0, 0},
	} {
		conn := newTestConn(wire.SSE)
		for _, s := range c.seqs {
			_ = conn.Tick(&client.Tick{Seq: s, Due: 5}, nil)
		}
		n := conn.g.counts
		if n.Lost != c.lost || n.Repeated != c.repeated || n.Ticks != int64(len(c.seqs)) {
			t.Errorf("%s: %+v", name, n)
		}
		if got := n.Complete(); got != (c.lost+c.repeated == 0) {
			t.Errorf("%s: Complete() is %v", name, got)
		}
	}
}

func BenchmarkTake(b *testing.B) {
	const n = 100
	text := bytes.Join(events(n), nil)
	conn := newTestConn(wire.SSE)
	if err := conn.take([]byte("HTTP/1.1 200 OK\r\n\r\n")); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		_ = conn.take(text)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/tick")
}
