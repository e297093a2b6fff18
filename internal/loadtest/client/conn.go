package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"ticklane/internal/wire"
)

// Recorder receives the measurements of connections. Several connections may share one: each holds its lock while it
// decodes what one read returned, and calls Tick and Read only then.
type Recorder interface {
	sync.Locker
	// Tick receives each tick. latency is the time from due to received, in µs; live is false for a replayed tick, whose
	// latency means nothing.
	Tick(live bool, latency int64)
	// Read receives the totals of one read: bytes from the socket, messages in them, bytes saved by compression.
	Read(bytes, messages int, saved int64)
}

// Options vary how a client reads. The zero value reads everything as soon as it arrives.
type Options struct {
	SmallBuffer bool       // a receive buffer of 8 KiB, so that a client that stops reading is soon noticed by the server
	Slow        bool       // reads at most 512 bytes each 125 ms
	From        netip.Addr // local address; the zero Addr for the system's choice
}

const (
	smallBuffer = 8 << 10
	slowBytes   = 512
	slowPause   = 125 * time.Millisecond
)

// Reasons for which a connection ends.
var (
	ErrStopped = errors.New("stopped")
	ErrCut     = errors.New("cut by the load tester")
)

// RefusedError is a stream that the server ended with a bye before the hello.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string {
	if e.Reason == wire.ByeOverload {
		return "the server refused a stream: overload (limits.connections, limits.per_address or limits.accept_rate is reached: " +
			"raise it on the server, or use fewer --conns)"
	}
	return "the server refused a stream: " + e.Reason
}

// Conn is one client: a connection, and after a reconnect the next. One goroutine owns it: it calls Open, then Read, then
// Open again to resume. Stop, Cut, Leave, Stall, Counts and Behind may be called by any goroutine, the other methods by
// the owner, or by anyone once the owner has ended.
type Conn struct {
	server  *Server
	request *Request
	options Options
	rec     Recorder
	check   checker // guarded by rec while the connection is open
	decoder *Decoder
	now     int64 // when the read that is being decoded returned, by the server's clock, µs since 1970

	cutAfter   int64 // cut after so many bytes; 0: never
	cutOpening bool  // the bytes before the first position count, too
	bye        note  // of the connection; T is empty if there was none
	opened     time.Time
	caughtUp   time.Time

	mu   sync.Mutex
	nc   net.Conn
	done chan struct{} // closed by Stop
	hold atomic.Pointer[chan struct{}]
}

// New returns a client that isn't connected yet.
func New(s *Server, r *Request, rec Recorder, o Options) *Conn {
	return &Conn{server: s, request: r, options: o, rec: rec, check: newChecker(r, s.Symbols), done: make(chan struct{})}
}

// Open connects, asks for the stream and reads until the hello, for at most OpenTimeout. from is a position to resume
// from, empty for none. The error is ErrStopped, ErrCut, a *RefusedError, or describes what failed.
func (c *Conn) Open(ctx context.Context, from string) error {
	nc, err := c.server.dial(ctx, c.options.From)
	if err != nil {
		return err
	}
	c.mu.Lock()
	select {
	case <-c.done:
		c.mu.Unlock()
		nc.Close()
		return ErrStopped
	default:
	}
	c.nc = nc
	c.mu.Unlock()
	if c.options.SmallBuffer || c.options.Slow {
		if tcp, ok := nc.(*net.TCPConn); ok {
			_ = tcp.SetReadBuffer(smallBuffer)
		}
	}
	c.rec.Lock()
	c.check.reconnect(from != "")
	c.rec.Unlock()
	c.bye, c.opened, c.caughtUp = note{}, time.Time{}, time.Time{}
	if err := c.awaitHello(ctx, nc, from); err != nil {
		nc.Close()
		c.closeDecoder()
		return c.reason(err)
	}
	return nil
}

// awaitHello does the handshake and reads until the hello has arrived.
func (c *Conn) awaitHello(ctx context.Context, nc net.Conn, from string) error {
	deadline := time.Now().Add(OpenTimeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	nc.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	format, rest, err := c.request.handshake(nc, c.server, from)
	if err != nil {
		return err
	}
	c.decoder = NewDecoder(format, (*handler)(c))
	if len(rest) > 0 || format.Length == 0 {
		if err := c.take(rest); err != nil {
			return c.refused(err)
		}
	}
	buf := make([]byte, 4096)
	for !c.Greeted() {
		n, err := nc.Read(buf)
		if n > 0 {
			if err := c.take(buf[:n]); err != nil {
				return c.refused(err)
			}
		}
		if err != nil {
			return c.refused(fmt.Errorf("no hello: %w", err))
		}
	}
	if !stop() {
		return ctx.Err()
	}
	nc.SetDeadline(time.Time{})
	return c.request.verify(c.check.hello)
}

// refused returns the error of a stream that ended with err during Open.
func (c *Conn) refused(err error) error {
	if c.bye.T == "" || c.Greeted() {
		return err
	}
	return &RefusedError{Reason: c.bye.Reason}
}

// Read decodes what arrives until the connection ends, closes it, and returns why it ended: ErrStopped, ErrCut, ErrEnded,
// an error of the connection, or what is invalid in the stream.
func (c *Conn) Read() error {
	c.mu.Lock()
	nc := c.nc
	c.mu.Unlock()
	defer c.closeDecoder()
	defer nc.Close()
	var err error
	if c.options.Slow {
		err = c.readSlowly(nc)
	} else {
		err = readAll(nc, c.take)
	}
	if errors.Is(err, ErrCut) {
		reset(nc)
	}
	return c.reason(err)
}

func (c *Conn) closeDecoder() {
	if c.decoder != nil {
		c.decoder.Close()
		c.decoder = nil
	}
}

func (c *Conn) readSlowly(nc net.Conn) error {
	buf := make([]byte, slowBytes)
	pause := time.NewTicker(slowPause)
	defer pause.Stop()
	for {
		n, err := nc.Read(buf)
		if n > 0 {
			if err := c.take(buf[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
		select {
		case <-pause.C:
		case <-c.done:
			return ErrStopped
		}
	}
}

// take handles what one read returned.
func (c *Conn) take(b []byte) error {
	now := time.Now()
	if err := c.wait(); err != nil {
		return err
	}
	cut := false
	if c.cutAfter > 0 && (c.cutOpening || c.check.hasPosition()) {
		if cut = int64(len(b)) >= c.cutAfter; cut {
			b = b[:c.cutAfter]
		}
		c.cutAfter -= int64(len(b))
	}
	c.rec.Lock()
	defer c.rec.Unlock()
	c.now = now.UnixMicro() + c.server.ClockOffset
	err := c.decoder.Feed(b)
	messages, saved := c.decoder.takeTotals()
	c.rec.Read(len(b), messages, saved)
	switch {
	case cut && err == nil:
		err = ErrCut
	case cut:
		c.cutAfter = 1 // the stream has ended with these bytes: cut the next one
	}
	return err
}

// handler is a Conn as the Handler of its decoder.
type handler Conn

func (h *handler) Tick(t *Tick, id []byte) error {
	live, err := h.check.tick(t, id)
	if err != nil {
		return err
	}
	h.rec.Tick(live, h.now-t.latencyStart())
	if h.caughtUp.IsZero() && (live || h.check.caughtUp()) {
		h.caughtUp = time.Now()
	}
	return nil
}

func (h *handler) Message(m Message) error {
	n, err := h.check.message(m)
	if n.T == "hello" {
		h.opened = time.Now()
	}
	if h.caughtUp.IsZero() && n.T != "bye" && h.check.caughtUp() {
		h.caughtUp = time.Now()
	}
	if n.T == "bye" {
		h.bye = n
		if h.check.expect == expectHello {
			return ErrEnded // refused; the connection may stay open for another request
		}
	}
	return err
}

func (h *handler) Ping(payload []byte) error { return writeFrame(h.nc, wire.OpPong, payload) }

// Greeted reports whether the hello of the current connection has arrived.
func (c *Conn) Greeted() bool { return c.check.expect != expectHello }

// Hello returns the newest hello.
func (c *Conn) Hello() Hello { return c.check.hello }

// Position returns the position to resume from, empty before the first snapshot is complete.
func (c *Conn) Position() string { return c.check.position() }

// ByeReason returns the reason of the bye that ended the connection, empty if there was none.
func (c *Conn) ByeReason() string { return c.bye.Reason }

// OpenedAt returns when the current hello arrived.
func (c *Conn) OpenedAt() time.Time { return c.opened }

// CaughtUpAt returns when everything that was due before the current connection had arrived, zero if it hasn't.
func (c *Conn) CaughtUpAt() time.Time { return c.caughtUp }

// Counts returns the deviations of all connections so far.
func (c *Conn) Counts() Counts {
	c.rec.Lock()
	defer c.rec.Unlock()
	return c.check.counts
}

// Behind returns how many of the ticks up to h have not arrived.
func (c *Conn) Behind(h Heads) uint64 {
	c.rec.Lock()
	defer c.rec.Unlock()
	return c.check.behind(h)
}

// CutAfter makes the client cut its next connection by a reset after so many bytes of the stream; 0 for never. The bytes
// that arrive before the client has a position to resume from count only with opening.
func (c *Conn) CutAfter(bytes int64, opening bool) { c.cutAfter, c.cutOpening = bytes, opening }

// Stopped is closed by Stop.
func (c *Conn) Stopped() <-chan struct{} { return c.done }

// Stop ends the client for good, by a reset, so that its port is free at once: Open and Read return ErrStopped. It may be
// called more than once.
func (c *Conn) Stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.done:
		return
	default:
	}
	close(c.done)
	if c.nc != nil {
		reset(c.nc)
	}
}

// Cut ends the connection by a reset, as a network failure does. The owner's Read returns an error.
func (c *Conn) Cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nc != nil {
		reset(c.nc)
	}
}

// Leave ends the connection as a well-behaved client does, on WebSocket with a close frame. The owner's Read returns an
// error.
func (c *Conn) Leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nc == nil {
		return
	}
	if c.request.Lane == wire.WS {
		c.nc.SetWriteDeadline(time.Now().Add(time.Second))
		_ = writeFrame(c.nc, wire.OpClose, normalClose) // fails on a connection that is closed already
	}
	c.nc.Close()
}

// Stall makes the client stop reading until the returned function is called.
func (c *Conn) Stall() (release func()) {
	hold := make(chan struct{})
	c.hold.Store(&hold)
	return sync.OnceFunc(func() {
		c.hold.Store(nil)
		close(hold)
	})
}

// wait blocks while the client is stalled.
func (c *Conn) wait() error {
	hold := c.hold.Load()
	if hold == nil {
		return nil
	}
	select {
	case <-*hold:
		return nil
	case <-c.done:
		return ErrStopped
	}
}

// reset closes with RST instead of FIN, without a close_notify of TLS.
func reset(nc net.Conn) {
	if secure, ok := nc.(*tls.Conn); ok {
		nc = secure.NetConn()
	}
	if tcp, ok := nc.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	nc.Close()
}

// Broken reports whether an error of Read is the end of a connection by the server or the network, after which the stream can be
// resumed, rather than an invalid stream.
func Broken(err error) bool {
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, ErrEnded)
}

// reason returns why a connection ended: ErrStopped for every error that Stop caused, ErrEnded for the end of the
// connection.
func (c *Conn) reason(err error) error {
	select {
	case <-c.done:
		return ErrStopped
	default:
	}
	if errors.Is(err, io.EOF) {
		return ErrEnded
	}
	return err
}
