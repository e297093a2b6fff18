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
	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

// timeout bounds every wait of a test. Only a defective pool reaches it.
const timeout = time.Minute

// fixture is a pool, and a log that the test appends to.
type fixture struct {
	testing.TB
	pool   *Pool
	log    *stream.Log
	u      *quote.Universe
	panics atomic.Int32

	mu    sync.Mutex
	bytes [wire.Formats][]byte // all ticks, rendered one after the other
}

func newFixture(t testing.TB, opt Options) *fixture {
	u, err := quote.NewUniverse([]quote.Instrument{{Symbol: "A", Decimals: 2, Name: "A", Sector: "x"}, {Symbol: "B", Decimals: 2, Name: "B", Sector: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	h := &fixture{TB: t, u: u}
	if h.log, err = stream.New(stream.Config{Universe: u, Epoch: 7, Size: 1 << 16}); err != nil {
		t.Fatal(err)
	}
	opt.Log = h.log
	if opt.WriteTimeout == 0 {
		opt.WriteTimeout = timeout
	}
	if opt.CloseWait == 0 {
		opt.CloseWait = timeout
	}
	opt.OnPanic = func(string, any) { h.panics.Add(1) }
	if h.pool, err = New(opt); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.pool.Close(); h.log.Close() })
	return h
}

func (h *fixture) publish(n int) {
	ticks := make([]quote.Tick, n)
	seq := h.log.Head().Seq
	h.mu.Lock()
	for i := range ticks {
		seq++
		ticks[i] = quote.Tick{Seq: seq, N: (seq + 1) / 2, Symbol: quote.ID((seq + 1) % 2), Bid: 10_000, Ask: 10_002, Last: 10_001, Due: int64(seq)}
		json := wire.AppendQuote(nil, h.u.Instrument(ticks[i].Symbol), &ticks[i])
		for _, f := range []wire.Format{wire.SSEJSON, wire.WSJSON} {
			h.bytes[f] = f.AppendTick(h.bytes[f], 7, seq, json)
		}
	}
	h.mu.Unlock()
	h.log.Append(ticks)
}

// fakeProtocol is a Protocol that does what its fields say, and records its calls.
type fakeProtocol struct {
	h            *fixture
	sub          *stream.Subscriber
	reset        func()
	onOpen       func()
	handleInput  func([]byte) bool
	throttle     Throttle
	final        string
	action       CloseAction // with final
	secondAction CloseAction // after WaitInput
	inputs       atomic.Int32
	ended        atomic.Bool
	closed       chan struct{}
}

func (p *fakeProtocol) OnOpen() {
	if p.onOpen != nil {
		p.onOpen()
	}
}

func (p *fakeProtocol) HandleInput(b []byte) bool {
	p.inputs.Add(1)
	return p.handleInput == nil || p.handleInput(b)
}

func (p *fakeProtocol) Final(inputEnded bool) ([]byte, CloseAction) {
	if inputEnded && p.action == WaitInput {
		return nil, p.secondAction
	}
	return []byte(p.final), p.action
}

func (p *fakeProtocol) OnEnd(error) {
	if p.ended.Swap(true) {
		p.h.Error("OnEnd was called twice")
	}
	p.sub.Close()
}

func (p *fakeProtocol) OnClose() { close(p.closed) }

const (
	// smallBuffer is the size of a small connection's socket buffers, in each direction, before the kernel doubles it.
	smallBuffer = 8 << 10
	// segmentSize is Ethernet's. Loopback's is larger than smallBuffer: with such a window TCP sends next to nothing until its
	// persist timer fires, about 200 ms for every few KiB, so that a test would take minutes.
	segmentSize = 1460
)

// connect hands a connection over, waits for the stream's hello and returns the client's side. small makes the socket's
// buffers as small as possible.
func (h *fixture) connect(s Handoff, p *fakeProtocol, small bool) net.Conn {
	h.Helper()
	shrink := func(_, _ string, raw syscall.RawConn) (err error) {
		if small {
			raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, segmentSize) })
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
		client.(*net.TCPConn).SetReadBuffer(smallBuffer)
		server.(*net.TCPConn).SetWriteBuffer(smallBuffer)
	}
	raw, _ := server.(*net.TCPConn).SyscallConn()
	raw.Control(func(fd uintptr) { s.FD, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	if err != nil {
		h.Fatal(err)
	}
	p.h, p.closed = h, make(chan struct{})
	s.Protocol = func(sub *stream.Subscriber, reset func()) (Protocol, Throttle) {
		p.sub, p.reset = sub, reset
		return p, p.throttle
	}
	if s.Options.Topics.Names() == nil {
		s.Options.Topics = h.topics()
	}
	s.Options.NoSnapshot = true
	if err := h.pool.Add(s); err != nil {
		h.Fatal(err)
	}
	testkit.Eventually(h, func() bool { return p.sub.Counters().Messages > 0 || !p.isOpen() }, "the hello")
	client.SetDeadline(time.Now().Add(10 * timeout))
	return client
}

// topics returns the topic of all symbols.
func (h *fixture) topics() quote.Topics {
	all, err := h.u.Topics([]string{quote.All}, 8)
	if err != nil {
		h.Fatal(err)
	}
	return all
}

// expect reads exactly this text.
func expect(t testing.TB, r io.Reader, text string) {
	t.Helper()
	b := make([]byte, len(text))
	if _, err := io.ReadFull(r, b); err != nil || string(b) != text {
		t.Fatalf("%q, %v; want %q", b, err, text)
	}
}

// awaitClose waits until the connection is closed.
func (p *fakeProtocol) awaitClose(t testing.TB) {
	t.Helper()
	select {
	case <-p.closed:
		if !p.ended.Load() {
			t.Error("OnClose was called without OnEnd")
		}
	case <-time.After(timeout):
		t.Fatal("the connection wasn't closed")
	}
}

func (p *fakeProtocol) isOpen() bool {
	select {
	case <-p.closed:
		return false
	default:
		return true
	}
}

// descriptors returns the number of open descriptors of this process.
func descriptors(t testing.TB) int {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// responseHead returns a Handoff.ResponseHead.
func responseHead(text string) func(*stream.Subscriber) []byte {
	return func(*stream.Subscriber) []byte { return []byte(text) }
}
