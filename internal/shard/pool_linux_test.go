package shard

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http/httputil"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// TestTails: a client whose socket is always full gets every byte in its place, whatever the kernel takes of a write. Not
// chunked is WebSocket's way, and that of SSE to a client of HTTP/1.0.
func TestTails(t *testing.T) {
	for _, chunked := range []bool{false, true} {
		for _, writers := range []int{1, 4} {
			t.Run(fmt.Sprintf("chunked=%v, writers=%d", chunked, writers), func(t *testing.T) {
				h := open(t, Options{Writers: writers})
				p := &peer{bye: "0\r\n\r\n", after: WaitEOF}
				if !chunked {
					p.bye = "bye"
				}
				meter := new(stream.Meter)
				nc := h.join(Handoff{ResponseHead: first("head\n"), Chunked: chunked,
					Options: stream.Options{Format: wire.SSEJSON, Limit: 20_000, Meter: meter}}, p, true)
				for range 200 {
					h.publish(100)
				}
				want(t, nc, "head\n")
				got := slowly(t, nc, chunked)
				if !chunked {
					got = bytes.TrimSuffix(got, []byte("bye"))
				}
				_, got, _ = bytes.Cut(got, []byte("\n\n")) // the hello
				at := bytes.Index(got, []byte("event: bye"))
				if at < 0 || !bytes.Equal(got[:at], h.bytes[wire.SSEJSON]) {
					t.Errorf("%d bytes differ from %d that were rendered", at, len(h.bytes[wire.SSEJSON]))
				}
				// Had the socket taken everything, a write would have carried up to maxRead.
				if writes := meter.Writes.Load(); writes < 3*uint64(len(got)/maxRead) {
					t.Errorf("%d writes: the socket was never full", writes)
				}
				nc.Close()
				p.gone(t)
			})
		}
	}
}

// slowly reads to the end in pieces of any size.
func slowly(t *testing.T, nc net.Conn, chunked bool) (got []byte) {
	var r io.Reader = nc
	if chunked {
		r = httputil.NewChunkedReader(bufio.NewReaderSize(nc, 16))
	}
	chance := rand.New(rand.NewPCG(1, 2))
	for b := make([]byte, 5000); ; {
		n, err := r.Read(b[:1+chance.IntN(len(b))])
		got = append(got, b[:n]...)
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestBlockedClients: whatever a client does that doesn't read, its connection ends, and another one gets its ticks.
func TestBlockedClients(t *testing.T) {
	for what, leave := range map[string]func(nc *net.TCPConn, p *peer){
		"timeout": func(*net.TCPConn, *peer) {},
		"FIN":     func(nc *net.TCPConn, _ *peer) { nc.CloseWrite() },
		"RST":     func(nc *net.TCPConn, _ *peer) { nc.SetLinger(0); nc.Close() },
		"reset":   func(_ *net.TCPConn, p *peer) { p.reset() },
	} {
		t.Run(what, func(t *testing.T) {
			timeout := patience
			if what == "timeout" {
				timeout = 200 * time.Millisecond
			}
			h := open(t, Options{Writers: 1, WriteTimeout: timeout})
			p, other := &peer{}, &peer{}
			nc := h.join(Handoff{Options: stream.Options{Format: wire.WSJSON}}, p, true)
			meter, read := new(stream.Meter), new(tally)
			reads := h.join(Handoff{Options: stream.Options{Format: wire.WSJSON, Meter: meter}}, other, false)
			go io.Copy(read, reads)
			until(t, "the socket to be full", func() bool {
				// The other one has read all before more comes: its socket is never full, however slowly it reads.
				if other.sub.Counters().Ticks < h.log.Head().Seq || uint64(read.Load()) < meter.Bytes.Load() {
					return false
				}
				h.publish(500)
				return h.log.Head().Seq-p.sub.Info().Position > 5000
			})
			leave(nc.(*net.TCPConn), p)
			p.gone(t)
			if slow := p.sub.Info().Slow; slow != (what == "timeout") {
				t.Errorf("slow: %v", slow)
			}
			until(t, "the other's ticks", func() bool { return other.sub.Counters().Ticks == h.log.Head().Seq })
			if !other.isOpen() {
				t.Error("the other one was closed, too")
			}
		})
	}
}

// tally counts what is written to it.
type tally struct{ atomic.Int64 }

func (n *tally) Write(b []byte) (int, error) {
	n.Add(int64(len(b)))
	return len(b), nil
}

// TestDescriptorsAreReused: connections that come and go by the thousand while ticks flow never meet another one's
// bytes or events, and leave nothing behind.
func TestDescriptorsAreReused(t *testing.T) {
	open(t, Options{}).pool.Close() // Go's own poller has descriptors, once something waits in it
	for _, writers := range []int{1, 4} {
		before := descriptors(t)
		h := open(t, Options{Writers: writers})
		quit := make(chan struct{})
		var market, clients sync.WaitGroup
		market.Go(func() {
			for {
				select {
				case <-quit:
					return
				case <-time.After(time.Millisecond):
					h.publish(3)
				}
			}
		})
		for k := range 8 {
			clients.Go(func() {
				for i := range 150 {
					mark := string([]byte{byte('a' + k), byte('a' + i%26), '\n'})
					echo := make(chan string, 1)
					p := &peer{feed: func(b []byte) bool { echo <- string(b); return false }, after: CloseNow, bye: mark}
					nc := h.join(Handoff{ResponseHead: first(mark), Options: stream.Options{Format: wire.WSJSON}}, p, false)
					want(t, nc, mark)
					switch i % 3 {
					case 0:
						nc.(*net.TCPConn).SetLinger(0)
						nc.Close()
					case 1:
						nc.Close()
					default:
						io.WriteString(nc, mark)
						if got := <-echo; got != mark {
							t.Errorf("%q came to %q", got, mark)
						}
						if all, err := io.ReadAll(nc); err == nil && !bytes.HasSuffix(all, []byte(mark)) {
							t.Errorf("it ends with %q", all[max(0, len(all)-20):])
						}
						nc.Close()
					}
					p.gone(t)
				}
			})
		}
		clients.Wait()
		close(quit)
		market.Wait()
		if n := h.log.Lane(wire.WS).Connections; n != 0 {
			t.Errorf("%d streams left", n)
		}
		h.pool.Close()
		until(t, "the descriptors to be given back", func() bool { return descriptors(t) <= before })
	}
}

// TestPanicsAreContained: at one connection, which is closed; its writer goes on.
func TestPanicsAreContained(t *testing.T) {
	h := open(t, Options{Writers: 1})
	other := &peer{}
	reads := h.join(Handoff{Options: stream.Options{Format: wire.WSJSON}}, other, false)
	bombs := []*peer{{open: func() { panic("open") }}, {feed: func([]byte) bool { panic("feed") }}}
	for i, p := range bombs {
		nc := h.join(Handoff{ResponseHead: first("head"), Options: stream.Options{Format: wire.WSJSON}}, p, false)
		want(t, nc, "head")
		nc.Write([]byte("x"))
		p.gone(t)
		if n := h.panics.Load(); n != int32(i+1) {
			t.Errorf("%d panics", n)
		}
	}
	h.publish(1)
	until(t, "the other's tick", func() bool { return other.sub.Counters().Ticks == 1 })
	reads.Close()
	other.gone(t)
}

// TestPanicAtTheHandOver: the connection stays the caller's, its place is given back, and a stop waits for nobody.
func TestPanicAtTheHandOver(t *testing.T) {
	for what, bomb := range map[string]Handoff{
		"head": {ResponseHead: func(*stream.Subscriber) []byte { panic("head") }},
		"peer": {Protocol: func(*stream.Subscriber, func()) (Protocol, Throttle) { panic("peer") }},
	} {
		t.Run(what, func(t *testing.T) {
			h := open(t, Options{Writers: 1})
			fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
			if err != nil {
				t.Fatal(err)
			}
			bomb.FD, bomb.Options.Topics = fds[0], h.topics()
			if err := h.pool.Add(bomb); err != ErrPanicked || h.panics.Load() != 1 {
				t.Errorf("%v, %d panics", err, h.panics.Load())
			}
			if n := h.log.Lane(wire.SSE).Connections; n != 0 {
				t.Errorf("%d streams left", n)
			}
			for _, fd := range fds {
				if err := unix.Close(fd); err != nil {
					t.Error(err)
				}
			}
			done := make(chan struct{})
			go func() { h.pool.Close(); close(done) }()
			select {
			case <-done:
			case <-time.After(patience):
				t.Fatal("the stop hangs")
			}
		})
	}
}

// waits is a brake that takes its time before bytes are gathered, and notes when it was asked for them.
type waits struct{ idle, release atomic.Int64 }

func (b *waits) Idle(time.Time) bool {
	time.Sleep(5 * time.Millisecond)
	b.idle.CompareAndSwap(0, int64(time.Since(begun)))
	return false
}

func (b *waits) Release(now time.Time, held int, _ bool) (int, time.Time, bool) {
	b.release.CompareAndSwap(0, int64(now.Sub(begun)))
	return held, now, false
}

// TestBrakeCountsFromTheBytes: a brake's clock starts when bytes are held, not when the turn began before them.
func TestBrakeCountsFromTheBytes(t *testing.T) {
	h := open(t, Options{Writers: 1})
	b := &waits{}
	p := &peer{brake: b}
	nc := h.join(Handoff{Options: stream.Options{Format: wire.WSJSON}}, p, false)
	until(t, "the release", func() bool { return b.release.Load() != 0 })
	if b.release.Load() < b.idle.Load() {
		t.Errorf("released at %d, held only after %d", b.release.Load(), b.idle.Load())
	}
	nc.Close()
	p.gone(t)
}

// TestFramesAreTheirOwn: one connection's frame serves the next one only for bytes that both share. A heartbeat's stand in
// the same place as the one before, in the same length, and differ.
func TestFramesAreTheirOwn(t *testing.T) {
	w, mine, yours := &writer{}, &conn{chunked: true}, &conn{chunked: true}
	b := []byte("one")
	w.source, w.framer = b, mine
	if w.framed(mine, b) {
		t.Error("a connection's own bytes may have changed")
	}
	if !w.framed(yours, b) {
		t.Error("shared bytes are framed again")
	}
	for what, other := range map[string][]byte{"shorter": b[:2], "elsewhere": []byte("one"), "none": nil} {
		if w.framed(yours, other) {
			t.Errorf("%s: taken for the same", what)
		}
	}
	yours.head = []byte("head")
	if w.framed(yours, b) {
		t.Error("the head would be lost")
	}
}

// TestCloseWithBlockedClients: nobody holds a stop up, and a closed pool takes nobody.
func TestCloseWithBlockedClients(t *testing.T) {
	h := open(t, Options{Writers: 2})
	var all []*peer
	for range 6 {
		p := &peer{}
		all = append(all, p)
		h.join(Handoff{Options: stream.Options{Format: wire.WSJSON}}, p, true)
	}
	until(t, "the sockets to be full", func() bool {
		h.publish(500)
		return h.log.Head().Seq-all[0].sub.Info().Position > 5000
	})
	h.pool.Close()
	for _, p := range all {
		p.gone(t)
	}
	if err := h.pool.Add(Handoff{}); err != ErrClosed {
		t.Errorf("Add: %v", err)
	}
}

// TestEarlyBytes: what came before the connection was handed over is fed first, and whatever follows after it.
func TestEarlyBytes(t *testing.T) {
	h := open(t, Options{Writers: 1})
	var mu sync.Mutex
	var fed []byte
	p := &peer{after: WaitEOF, bye: "done", feed: func(b []byte) bool {
		mu.Lock()
		defer mu.Unlock()
		fed = append(fed, b...)
		return !bytes.HasSuffix(fed, []byte("."))
	}}
	nc := h.join(Handoff{Received: []byte("early "), Options: stream.Options{Format: wire.WSJSON}}, p, false)
	for _, piece := range []string{"in ", "pieces", "."} {
		io.WriteString(nc, piece)
	}
	all, err := io.ReadAll(nc)
	if err != nil || !bytes.HasSuffix(all, []byte("done")) {
		t.Errorf("%q, %v", all, err)
	}
	nc.Close()
	p.gone(t)
	if string(fed) != "early in pieces." {
		t.Errorf("fed %q", fed)
	}
}
