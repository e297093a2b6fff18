package shard

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ticklane/internal/quote"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// patience bounds every wait of a test: reached only by a pool that is broken.
const patience = time.Minute

// house is a pool with a log that the test works by hand.
type house struct {
	testing.TB
	pool   *Pool
	log    *stream.Log
	u      *quote.Universe
	panics atomic.Int32

	mu    sync.Mutex
	bytes [wire.Formats][]byte // every tick, rendered one after the other
}

func open(t testing.TB, opt Options) *house {
	u, err := quote.NewUniverse([]quote.Symbol{{Ticker: "A", Name: "A", Sector: "x"}, {Ticker: "B", Name: "B", Sector: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{TB: t, u: u}
	if h.log, err = stream.New(stream.Config{Universe: u, Epoch: 7, Size: 1 << 16}); err != nil {
		t.Fatal(err)
	}
	opt.Log = h.log
	if opt.WriteTimeout == 0 {
		opt.WriteTimeout = patience
	}
	if opt.CloseWait == 0 {
		opt.CloseWait = patience
	}
	opt.OnPanic = func(string, any) { h.panics.Add(1) }
	if h.pool, err = New(opt); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.pool.Close(); h.log.Close() })
	return h
}

func (h *house) publish(n int) {
	ticks := make([]quote.Tick, n)
	seq := h.log.Head().Seq
	h.mu.Lock()
	for i := range ticks {
		seq++
		ticks[i] = quote.Tick{Seq: seq, N: (seq + 1) / 2, Symbol: quote.ID((seq + 1) % 2), Bid: 10_000, Ask: 10_002, Last: 10_001, Due: int64(seq)}
		json := wire.AppendQuote(nil, h.u.Symbol(ticks[i].Symbol).Ticker, &ticks[i])
		for _, f := range []wire.Format{wire.SSEJSON, wire.WSJSON} {
			h.bytes[f] = f.AppendTick(h.bytes[f], 7, seq, json)
		}
	}
	h.mu.Unlock()
	h.log.Append(ticks)
}

// peer is a protocol without any: it notes what happens.
type peer struct {
	h     *house
	sub   *stream.Subscriber
	reset func()
	open  func()
	feed  func([]byte) bool
	brake Throttle
	bye   string
	after CloseAction
	// answered is what follows once HandleInput asked for the end.
	answered CloseAction
	fed      atomic.Int32 // calls of HandleInput
	ended    atomic.Bool
	closed   chan struct{}
}

func (p *peer) OnOpen() {
	if p.open != nil {
		p.open()
	}
}

func (p *peer) HandleInput(b []byte) bool {
	p.fed.Add(1)
	return p.feed == nil || p.feed(b)
}

func (p *peer) Final(fed bool) ([]byte, CloseAction) {
	if fed && p.after == WaitInput {
		return nil, p.answered
	}
	return []byte(p.bye), p.after
}

func (p *peer) OnEnd(error) {
	if p.ended.Swap(true) {
		p.h.Error("ended twice")
	}
	p.sub.Close()
}

func (p *peer) OnClose() { close(p.closed) }

const (
	// room is what a socket of a small connection holds, for each direction, before the kernel doubles it.
	room = 8 << 10
	// segment is Ethernet's. Loopback's own is larger than room, and with such a window TCP sends next to nothing until its
	// timer for a closed window goes off, some 200 ms for every few KiB: the connection works, but takes minutes.
	segment = 1460
)

// join hands a connection over and returns its client's end, once the stream has its place: it begins at the newest tick, so
// what is published before its hello isn't its own. small gives the socket next to no room.
func (h *house) join(s Handoff, p *peer, small bool) net.Conn {
	h.Helper()
	shrink := func(_, _ string, raw syscall.RawConn) (err error) {
		if small {
			raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, segment) })
		}
		return err
	}
	listen, dial := net.ListenConfig{Control: shrink}, net.Dialer{Control: shrink}
	ln, err := listen.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		h.Fatal(err)
	}
	defer ln.Close()
	client, err := dial.Dial("tcp", ln.Addr().String())
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { client.Close() })
	server, err := ln.Accept()
	if err != nil {
		h.Fatal(err)
	}
	defer server.Close()
	if small {
		client.(*net.TCPConn).SetReadBuffer(room)
		server.(*net.TCPConn).SetWriteBuffer(room)
	}
	raw, _ := server.(*net.TCPConn).SyscallConn()
	raw.Control(func(fd uintptr) { s.FD, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	if err != nil {
		h.Fatal(err)
	}
	p.h, p.closed = h, make(chan struct{})
	s.Protocol = func(sub *stream.Subscriber, reset func()) (Protocol, Throttle) {
		p.sub, p.reset = sub, reset
		return p, p.brake
	}
	if s.Options.Topics.Names() == nil {
		s.Options.Topics = h.topics()
	}
	s.Options.NoSnapshot = true
	if err := h.pool.Add(s); err != nil {
		h.Fatal(err)
	}
	until(h, "the hello", func() bool { return p.sub.Counters().Messages > 0 || !p.isOpen() })
	client.SetDeadline(time.Now().Add(10 * patience))
	return client
}

// topics are all.
func (h *house) topics() quote.Topics {
	all, err := h.u.Topics([]string{quote.All}, 8)
	if err != nil {
		h.Fatal(err)
	}
	return all
}

// want reads exactly this.
func want(t testing.TB, r io.Reader, text string) {
	t.Helper()
	b := make([]byte, len(text))
	if _, err := io.ReadFull(r, b); err != nil || string(b) != text {
		t.Fatalf("%q, %v; want %q", b, err, text)
	}
}

func (p *peer) gone(t testing.TB) {
	t.Helper()
	select {
	case <-p.closed:
		if !p.ended.Load() {
			t.Error("closed, but not ended")
		}
	case <-time.After(patience):
		t.Fatal("the connection wasn't closed")
	}
}

func (p *peer) isOpen() bool {
	select {
	case <-p.closed:
		return false
	default:
		return true
	}
}

// descriptors counts those of this process.
func descriptors(t testing.TB) int {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %s for: %s", patience, what)
		}
	}
}

// first is a Handoff.ResponseHead.
func first(text string) func(*stream.Subscriber) []byte {
	return func(*stream.Subscriber) []byte { return []byte(text) }
}
