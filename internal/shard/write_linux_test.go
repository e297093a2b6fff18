package shard

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http/httputil"
	"testing"

	"golang.org/x/sys/unix"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// TestPartialWrites: a client whose socket is always full gets every byte in order, however much of a write the kernel
// accepts. Not chunked stands for WebSocket, and for SSE over HTTP/1.0.
func TestPartialWrites(t *testing.T) {
	for _, chunked := range []bool{false, true} {
		for _, writers := range []int{1, 4} {
			t.Run(fmt.Sprintf("chunked=%v, writers=%d", chunked, writers), func(t *testing.T) {
				h := newFixture(t, Options{Writers: writers})
				p := &fakeProtocol{final: "0\r\n\r\n", action: WaitEOF}
				if !chunked {
					p.final = "bye"
				}
				meter := new(stream.Meter)
				nc := h.connect(Handoff{ResponseHead: responseHead("head\n"), Chunked: chunked,
					Options: stream.Options{Format: wire.SSEJSON, Limit: 20_000, Meter: meter}}, p, true)
				for range 200 {
					h.publish(100)
				}
				expect(t, nc, "head\n")
				got := readSlowly(t, nc, chunked)
				if !chunked {
					got = bytes.TrimSuffix(got, []byte("bye"))
				}
				_, got, _ = bytes.Cut(got, []byte("\n\n")) // the hello
				at := bytes.Index(got, []byte("retry: 86400000\nevent: bye"))
				if at < 0 || !bytes.Equal(got[:at], h.bytes[wire.SSEJSON]) {
					t.Errorf("got %d bytes that differ from the %d rendered", at, len(h.bytes[wire.SSEJSON]))
				}
				// Had the socket accepted everything, a write would have carried up to maxWrite.
				if writes := meter.Writes.Load(); writes < 3*uint64(len(got)/maxWrite) {
					t.Errorf("%d writes: the socket was never full", writes)
				}
				nc.Close()
				p.awaitClose(t)
			})
		}
	}
}

// readSlowly reads to the end in pieces of random size.
func readSlowly(t *testing.T, nc net.Conn, chunked bool) (got []byte) {
	var r io.Reader = nc
	if chunked {
		r = httputil.NewChunkedReader(bufio.NewReaderSize(nc, 16))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for b := make([]byte, 5000); ; {
		n, err := r.Read(b[:1+rng.IntN(len(b))])
		got = append(got, b[:n]...)
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestWriteCount: a write of which the socket accepts nothing isn't counted.
func TestWriteCount(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[1])
	defer unix.Close(fds[0])
	c := &conn{fd: fds[0], meter: new(stream.Meter)}
	w := &writer{pool: &Pool{}}
	b := make([]byte, 10_000)
	whole := 0
	for w.write(c, [3][]byte{nil, b}, b) {
		whole++
	}
	had, sent := c.meter.Writes.Load(), c.meter.Bytes.Load()
	for range 5 {
		if w.resumeWrite(c) {
			t.Fatal("a full socket accepted bytes")
		}
	}
	if got := c.meter.Writes.Load(); got != had || had > uint64(whole)+1 || sent > uint64(whole+1)*uint64(len(b)) {
		t.Errorf("%d writes after %d whole ones, then %d; %d bytes", had, whole, got, sent)
	}
	full := make([]byte, len(b))
	c.pending = nil
	if w.write(c, [3][]byte{nil, full}, full) || c.meter.Writes.Load() != had || c.meter.Bytes.Load() != sent {
		t.Errorf("a write of nothing counts: %d writes, %d bytes", c.meter.Writes.Load()-had, c.meter.Bytes.Load()-sent)
	}
}

// TestFrameCache: a framed chunk is shared only between connections that have the very same bytes. One connection's
// heartbeats have the same address and length, and differ.
func TestFrameCache(t *testing.T) {
	mine, yours := &conn{chunked: true}, &conn{chunked: true}
	b := []byte("one")
	cache := frameCache{source: b, owner: mine}
	if cache.holds(mine, b) {
		t.Error("shared with the same connection, whose bytes may have changed")
	}
	if !cache.holds(yours, b) {
		t.Error("not shared with another connection")
	}
	for name, other := range map[string][]byte{"shorter": b[:2], "elsewhere": []byte("one"), "none": nil} {
		if cache.holds(yours, other) {
			t.Errorf("%s: taken for the same bytes", name)
		}
	}
	yours.responseHead = []byte("head")
	if cache.holds(yours, b) {
		t.Error("shared although a response head is due")
	}
}
