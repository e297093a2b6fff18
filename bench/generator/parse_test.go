package generator

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

type found struct {
	seq uint64
	due int64
}

type tape struct {
	ticks []found
	pings int
	ends  int
}

func (t *tape) tick(seq uint64, due int64) { t.ticks = append(t.ticks, found{seq, due}) }
func (t *tape) ping([]byte)                { t.pings++ }
func (t *tape) ended()                     { t.ends++ }

func quote(i int) (string, found) {
	due := int64(1_790_000_000_000_000 + i)
	return fmt.Sprintf(`{"T":"q","S":"AAPL","bp":187.21,"bs":300,"ap":187.24,"as":500,"p":187.22,"v":481500,"t":%d,"n":%d,"i":%d}`, due, i, i*7), found{uint64(i * 7), due}
}

const hello = `{"T":"hello","conn":"0011","lane":"sse","head":12,"t":1790000000000000,"topics":["*"]}`

// pieces cuts b at random places.
func pieces(r *rand.Rand, b []byte) [][]byte {
	var out [][]byte
	for len(b) > 0 {
		n := 1 + r.IntN(min(len(b), 1+r.IntN(400)))
		out, b = append(out, b[:n]), b[n:]
	}
	return out
}

// body is SSE text in chunks that end anywhere, and the ticks in it.
func body(r *rand.Rand, n int) ([]byte, []found) {
	var text []byte
	var want []found
	text = fmt.Appendf(text, ": hello\n\nretry: 1000\nevent: hello\nid: 19c-3\ndata: %s\n\n", hello)
	for i := 1; i <= n; i++ {
		q, f := quote(i)
		text = fmt.Appendf(text, "id: 19c-%d\ndata: %s\n\n", i, q)
		want = append(want, f)
		if r.IntN(5) == 0 {
			text = append(text, "event: hb\ndata: {\"T\":\"hb\",\"t\":1,\"head\":3}\n\n"...)
		}
	}
	return text, want
}

func chunk(r *rand.Rand, text []byte) []byte {
	var out []byte
	for _, p := range pieces(r, text) {
		out = fmt.Appendf(out, "%x\r\n%s\r\n", len(p), p)
	}
	return append(out, "0\r\n\r\n"...)
}

// feed gives pieces to a connection as the loop does.
func feed(t *testing.T, g *Generator, c *conn, all [][]byte) {
	t.Helper()
	for _, p := range all {
		if err := c.take(g.buf[ahead : ahead+copy(g.buf[ahead:], p)]); err != nil {
			t.Fatalf("take: %v", err)
		}
	}
}

func TestEventsCutAnywhere(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		text, want := body(r, 30)
		var d dechunker
		got := &tape{}
		var rest []byte
		for _, p := range pieces(r, chunk(r, text)) {
			n, err := d.strip(p)
			if err != nil {
				t.Fatal(err)
			}
			rest = append(rest, p[:n]...)
			done, err := events(rest, got)
			if err != nil {
				t.Fatal(err)
			}
			rest = rest[done:]
		}
		if !slices.Equal(got.ticks, want) {
			t.Fatalf("seed %d: got %v, want %v", seed, got.ticks, want)
		}
		if d.state != chunkOver {
			t.Fatal("the last chunk wasn't seen")
		}
	}
}

func TestConnectionReadsWhatTheServerSends(t *testing.T) {
	for seed := range uint64(50) {
		for _, kind := range []string{"sse", "sse plain", "ws", "gzip", "deflate"} {
			r := rand.New(rand.NewPCG(seed, 2))
			g := &Generator{buf: make([]byte, ahead+room), counts: newCounts(), now: 1_790_000_000_100_000}
			c := &conn{g: g, next: 0}
			var all []byte
			const n = 40
			switch kind {
			case "sse", "sse plain":
				all = []byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
				text, _ := sequence(n)
				if kind == "sse" {
					all = []byte("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
					text = chunk(r, text)
				}
				all = append(all, text...)
			case "gzip":
				var out bytes.Buffer
				z := gzip.NewWriter(&out)
				all = []byte("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
				_, events := sequence(n)
				for _, e := range events {
					_, _ = z.Write(e)
					_ = z.Flush()
				}
				all = append(all, chunk(r, out.Bytes())...)
			default:
				c.ws = true
				head := "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + accept + "\r\n"
				var z *flate.Writer
				var out bytes.Buffer
				if kind == "deflate" {
					head += "Sec-WebSocket-Extensions: permessage-deflate\r\n"
					z, _ = flate.NewWriter(&out, 6)
				}
				all = []byte(head + "\r\n")
				all = append(all, 0x89, 2, 'h', 'i', 0x81, byte(len(hello)))
				all = append(all, hello...)
				for i := 1; i <= n; i++ {
					q := []byte(fmt.Sprintf(`{"t":1790000000000000,"n":1,"i":%d}`, i))
					op := byte(0x81)
					if z != nil {
						out.Reset()
						_, _ = z.Write(q)
						_ = z.Flush()
						q, op = bytes.TrimSuffix(slices.Clone(out.Bytes()), flushed), 0xc1
					}
					if i%7 == 0 {
						q = append(q, bytes.Repeat([]byte(" "), 200*(1-int(op>>6&1)))...) // a longer header
					}
					all = append(all, op)
					if len(q) < 126 {
						all = append(all, byte(len(q)))
					} else {
						all = binary.BigEndian.AppendUint16(append(all, 126), uint16(len(q)))
					}
					all = append(all, q...)
				}
			}
			c.fd = -1 // a pong goes nowhere
			feed(t, g, c, pieces(r, all))
			if g.counts.Ticks != n || g.counts.Lost != 0 || g.counts.Repeated != 0 || c.next != n+1 || g.ready.Load() != 1 {
				t.Fatalf("%s, seed %d: %+v, next %d", kind, seed, g.counts, c.next)
			}
			if p := g.counts.Quantile(.5); p < 99_000 || p > 101_000 {
				t.Fatalf("%s: p50 %d µs, want 100,000", kind, p)
			}
		}
	}
}

// sequence is n events with consecutive seqs, together and one by one.
func sequence(n int) (text []byte, each [][]byte) {
	for i := 1; i <= n; i++ {
		e := fmt.Appendf(nil, "id: a-%d\ndata: {\"t\":1790000000000000,\"n\":1,\"i\":%d}\n\n", i, i)
		text, each = append(text, e...), append(each, e)
	}
	return text, each
}

func TestRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		ws   bool
		head string
	}{
		"status":      {false, "HTTP/1.1 503 Service Unavailable\r\n\r\n"},
		"no upgrade":  {true, "HTTP/1.1 200 OK\r\n\r\n"},
		"wrong key":   {true, "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n\r\n"},
		"no accept":   {true, "HTTP/1.1 101 Switching Protocols\r\n\r\n"},
		"brotli":      {false, "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n"},
		"other frame": {true, "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + accept + "\r\nSec-WebSocket-Extensions: x\r\n\r\n"},
	} {
		g := &Generator{buf: make([]byte, ahead+room), counts: newCounts()}
		c := &conn{g: g, ws: tt.ws, fd: -1}
		if err := c.take(g.buf[ahead : ahead+copy(g.buf[ahead:], tt.head)]); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestSequence(t *testing.T) {
	for name, tt := range map[string]struct {
		seqs           []uint64
		lost, repeated int64
	}{
		"whole":              {[]uint64{5, 6, 7}, 0, 0},
		"a hole":             {[]uint64{5, 6, 9, 10}, 2, 0},
		"again":              {[]uint64{5, 6, 6, 7}, 0, 1},
		"late":               {[]uint64{5, 7, 6, 8}, 1, 1},
		"hole at the start":  {[]uint64{1, 3}, 1, 0},
		"joined in midstrea": {[]uint64{100}, 0, 0},
	} {
		g := &Generator{counts: newCounts(), now: 10}
		c := &conn{g: g}
		for _, s := range tt.seqs {
			c.tick(s, 5)
		}
		if g.counts.Lost != tt.lost || g.counts.Repeated != tt.repeated || g.counts.Ticks != int64(len(tt.seqs)) {
			t.Errorf("%s: %+v", name, g.counts)
		}
		if got := g.counts.Whole(); got != (tt.lost+tt.repeated == 0) {
			t.Errorf("%s: Whole() is %v", name, got)
		}
	}
}

func FuzzBody(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	text, _ := body(r, 3)
	f.Add(chunk(r, text), uint64(3))
	f.Add([]byte("5\r\n\"i\":1"), uint64(1))
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		read := func(all [][]byte) ([]found, bool) {
			var d dechunker
			got := &tape{}
			var rest []byte
			for _, p := range all {
				p = slices.Clone(p)
				n, err := d.strip(p)
				rest = append(rest, p[:n]...)
				done, parse := events(rest, got)
				if err != nil || parse != nil {
					return nil, false
				}
				rest = rest[done:]
			}
			return got.ticks, true
		}
		whole, ok1 := read([][]byte{b})
		cut, ok2 := read(pieces(rand.New(rand.NewPCG(seed, 1)), b))
		// Where the text is what it should be, cuts change nothing.
		if ok1 && ok2 && len(whole) > len(cut) {
			t.Fatalf("whole %v, in pieces %v", whole, cut)
		}
	})
}

func FuzzFrames(f *testing.F) {
	q, _ := quote(1)
	f.Add(append([]byte{0x81, byte(len(q))}, q...), uint64(1))
	f.Add([]byte{0x82, 4, 0x0a, 2, 0x48, 1}, uint64(1))
	f.Add([]byte{0xc1, 3, 1, 2, 3}, uint64(2))
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		read := func(all [][]byte) (*tape, bool) {
			got := &tape{}
			var rest []byte
			z := &inflater{}
			for _, p := range all {
				rest = append(rest, p...)
				done, err := frames(rest, got, z)
				if err != nil {
					return got, false
				}
				rest = rest[done:]
			}
			return got, true
		}
		whole, ok1 := read([][]byte{b})
		cut, ok2 := read(pieces(rand.New(rand.NewPCG(seed, 1)), b))
		if ok1 != ok2 || !slices.Equal(whole.ticks, cut.ticks) || whole.pings != cut.pings {
			t.Fatalf("whole %v %v, in pieces %v %v", whole, ok1, cut, ok2)
		}
	})
}

func BenchmarkEvents(b *testing.B) {
	text, each := sequence(100)
	for b.Loop() {
		_, _ = events(text, &tape{})
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(each)), "ns/tick")
}

func TestProtobuf(t *testing.T) {
	// quote{symbol "AB", t 300, n 1, i 7}; heartbeat{t 1}; a fixed64 and a fixed32 that nobody knows.
	m := []byte{0x0a, 11, 0x0a, 2, 'A', 'B', 0x40, 0xac, 0x02, 0x48, 1, 0x50, 7}
	m = append(m, 0x2a, 2, 0x08, 1)
	m = append(m, 0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7d, 1, 2, 3, 4)
	got := &tape{}
	if err := protobuf(m, got); err != nil || !slices.Equal(got.ticks, []found{{7, 300}}) {
		t.Errorf("%v, %v", got.ticks, err)
	}
	for name, b := range map[string][]byte{
		"cut":         m[:9],
		"no seq":      {0x0a, 2, 0x40, 1},
		"field 0":     {0x02, 0},
		"wrong type":  {0x0b},
		"long length": {0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f},
	} {
		if err := protobuf(b, &tape{}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
