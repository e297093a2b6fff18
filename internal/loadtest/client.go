package loadtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"ticklane/internal/wire"
)

// role is what a connection is there for.
type role uint8

const (
	measured role = iota
	slow          // reads slowMost bytes in each slowPause: a load, not measured
	stalled       // stops reading when told to
)

const (
	slowMost  = 512
	slowPause = 125 * time.Millisecond
)

// client is one connection of one lane, and through reconnects its successors. One goroutine owns it; stop, cut and
// stall may be called by any.
type client struct {
	target *target
	side   *Side
	role   role
	check  checker
	rec    *recorder

	body   body
	chunks wire.Dechunker
	events eventScanner
	frames frameReader
	gunzip *inflater // of a compressed event stream
	saved  int64     // bytes that compression took off this connection's stream
	now    int64     // µs since 1970 by the server's clock: when the read came that is being parsed
	tick   tick

	// cutAfter is after how many bytes of a stream the client cuts it; 0 for never.
	cutAfter int64
	bye      note // of the connection that ended; T is empty when there was none

	cutAt  time.Time // zero once the client has what it missed
	opened time.Time // hello
	caught time.Time // everything that was missed has come; zero while it hasn't

	mu   sync.Mutex
	nc   net.Conn
	quit chan struct{} // closed by stop
	hold atomic.Pointer[chan struct{}]
	away atomic.Bool // sent away by churn, and not back yet: its owner brings it back
}

// What ended a connection.
var (
	errStopped = errors.New("stopped")
	errCut     = errors.New("cut by the load tester")
	errEnded   = errors.New("the server ended the stream")
)

func newClient(t *target, side *Side, r role, rec *recorder) *client {
	c := &client{target: t, side: side, role: r, rec: rec, quit: make(chan struct{})}
	c.check = t.checker(side)
	c.events.emit = func(_, id, data []byte) error { return c.message(id, data) }
	c.frames.emit = c.frame
	return c
}

// open connects and reads up to the hello. from is a position to resume from, empty for none.
func (c *client) open(ctx context.Context, from string) error {
	nc, err := c.target.dial(ctx)
	if err != nil {
		return err
	}
	c.mu.Lock()
	select {
	case <-c.quit:
		c.mu.Unlock()
		nc.Close()
		return errStopped
	default:
	}
	c.nc = nc
	c.mu.Unlock()
	if c.role != measured {
		if tcp, ok := nc.(*net.TCPConn); ok {
			tcp.SetReadBuffer(8 << 10) // else the kernel reads on for a reader that doesn't
		}
	}
	c.rec.mu.Lock() // others look at the account
	c.check.reconnect(from != "")
	c.rec.mu.Unlock()
	c.chunks, c.bye, c.opened, c.caught = wire.Dechunker{}, note{}, time.Time{}, time.Time{}
	c.events = eventScanner{emit: c.events.emit}
	c.frames = frameReader{emit: c.frames.emit}
	if err := c.greet(ctx, nc, from); err != nil {
		nc.Close()
		c.forget()
		return c.cause(err)
	}
	return nil
}

// greet does the handshake and reads until the hello has come.
func (c *client) greet(ctx context.Context, nc net.Conn, from string) error {
	deadline, ok := ctx.Deadline()
	if limit := time.Now().Add(openTimeout); !ok || limit.Before(deadline) {
		deadline = limit
	}
	nc.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	rest, body, err := c.side.handshake(nc, c.target, from)
	if err != nil {
		return err
	}
	c.body = body
	c.frames.packed, c.frames.apart = body.packed, body.apart
	if body.packed && c.side.lane == wire.SSE {
		c.gunzip = newGunzip()
	}
	if len(rest) > 0 {
		if err := c.take(rest); err != nil {
			return c.refused(err)
		}
	}
	buf := make([]byte, 4096)
	for c.check.expect == expectHello {
		if c.body.left == 0 {
			return errEnded
		}
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
	return c.side.confirm(c.check.hello)
}

// refused turns the end of a stream that said bye before any hello into its reason.
func (c *client) refused(err error) error {
	if c.bye.T == "" || c.check.expect != expectHello {
		return err
	}
	return &RefusedError{Reason: c.bye.Reason}
}

// RefusedError is a stream that the server ended with a bye before the hello.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string {
	if e.Reason == wire.ByeOverload {
		return "the server refused a stream: overload (its limits.connections or limits.per_address is reached; " +
			"raise it there, or ask for fewer --conns)"
	}
	return "the server refused a stream: " + e.Reason
}

// read takes what comes until the connection ends, and says why it did.
func (c *client) read() error {
	c.mu.Lock()
	nc := c.nc
	c.mu.Unlock()
	defer c.forget()
	defer nc.Close()
	var err error
	if c.role == slow {
		err = c.readSlowly(nc)
	} else {
		err = readAll(nc, c.take)
	}
	if errors.Is(err, errCut) {
		reset(nc)
	}
	return c.cause(err)
}

// forget ends what decodes this connection's stream.
func (c *client) forget() {
	c.frames.close()
	if c.gunzip != nil {
		c.gunzip.stop()
		c.gunzip = nil
	}
}

func (c *client) readSlowly(nc net.Conn) error {
	buf := make([]byte, slowMost)
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
		case <-c.quit:
			return errStopped
		}
	}
}

// readCopied is the way for connections that can't be read with a borrowed buffer: TLS, and systems without read(2).
func readCopied(nc net.Conn, take func([]byte) error) error {
	buf := make([]byte, 16<<10)
	for {
		n, err := nc.Read(buf)
		if n > 0 {
			if err := take(buf[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}

// cause is errStopped for every end that stop brought about.
func (c *client) cause(err error) error {
	select {
	case <-c.quit:
		return errStopped
	default:
	}
	if errors.Is(err, io.EOF) {
		return errEnded
	}
	return err
}

// take parses one read.
func (c *client) take(b []byte) error {
	now := time.Now()
	if err := c.wait(); err != nil {
		return err
	}
	cut := false
	if c.cutAfter > 0 {
		if cut = int64(len(b)) >= c.cutAfter; cut {
			b = b[:c.cutAfter]
		}
		c.cutAfter -= int64(len(b))
	}
	c.rec.mu.Lock()
	defer c.rec.mu.Unlock()
	if c.rec.on {
		c.rec.reads++
		c.rec.bytes += uint64(len(b))
	}
	c.now = now.UnixMicro() + c.target.clock.Offset
	err := c.parse(b)
	if c.rec.on {
		c.rec.saved += c.saved + c.frames.saved
	}
	c.saved, c.frames.saved = 0, 0
	if err != nil {
		return err
	}
	if cut {
		return errCut
	}
	return nil
}

func (c *client) parse(b []byte) error {
	switch {
	case c.side.lane == wire.WS:
		return c.frames.feed(b)
	case c.body.chunked:
		done, err := c.chunks.Feed(b, c.text)
		if done && err == nil {
			err = errEnded
		}
		return err
	case c.body.left >= 0:
		b = b[:min(int64(len(b)), c.body.left)]
		c.body.left -= int64(len(b))
	}
	return c.text(b)
}

// text takes the next bytes of an event stream.
func (c *client) text(b []byte) error {
	if c.gunzip == nil {
		return c.events.feed(b)
	}
	c.saved -= int64(len(b))
	return c.gunzip.feed(b, func(plain []byte) error {
		c.saved += int64(len(plain))
		return c.events.feed(plain)
	})
}

// frame takes one WebSocket message or control frame.
func (c *client) frame(op byte, payload []byte) error {
	switch op {
	case wire.OpText:
		if c.side.Encoding == encodingJSON {
			return c.message(nil, payload)
		}
	case wire.OpBinary:
		if c.side.Encoding == encodingProtobuf {
			return c.binary(payload)
		}
	case wire.OpPing:
		return writeFrame(c.nc, wire.OpPong, payload)
	case wire.OpPong:
		return nil
	case wire.OpClose:
		return errEnded
	}
	return fmt.Errorf("websocket: a message of opcode %d: %w", op, errMalformed)
}

// message takes one message in JSON.
func (c *client) message(id, data []byte) error {
	if c.rec.on {
		c.rec.messages++
	}
	if isTick(data) {
		if !c.tick.scan(data) {
			return fmt.Errorf("tick: %w", errMalformed)
		}
		return c.ticked(id)
	}
	n, err := c.check.message(data)
	return c.noted(n, err)
}

// binary takes one message in protobuf.
func (c *client) binary(data []byte) error {
	if c.rec.on {
		c.rec.messages++
	}
	kind, body, ok := scanKind(data)
	if !ok {
		return fmt.Errorf("protobuf: %w", errMalformed)
	}
	if kind == protoQuote {
		if !c.tick.scanProto(body) {
			return fmt.Errorf("tick: %w", errMalformed)
		}
		return c.ticked(nil)
	}
	n, err := c.check.binary(kind, body)
	return c.noted(n, err)
}

// ticked accounts for the tick that was read.
func (c *client) ticked(id []byte) error {
	live, err := c.check.tick(&c.tick, id)
	if err != nil {
		return err
	}
	c.rec.record(live, c.now-c.tick.due)
	if c.caught.IsZero() && (live || c.check.every && c.check.log.last >= c.check.replay) {
		c.caught = time.Now()
	}
	return nil
}

// noted looks at any other message; err is what was wrong with it.
func (c *client) noted(n note, err error) error {
	switch n.T {
	case "hello":
		c.opened = time.Now()
		if c.check.every && c.check.log.last >= c.check.replay {
			c.caught = c.opened
		}
	case "bye":
		c.bye = n
		if c.check.expect == expectHello {
			return errEnded // refused; over HTTP the connection may stay open for another request
		}
	}
	return err
}

// position is where to resume.
func (c *client) position() string { return c.check.position() }

// stop ends the connection for good. The owner's open or read returns errStopped.
func (c *client) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.quit:
		return
	default:
	}
	close(c.quit)
	if c.nc != nil {
		c.nc.Close()
	}
}

// cut ends the connection by a reset, as a broken network does; the owner's read returns an error.
func (c *client) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nc != nil {
		reset(c.nc)
	}
}

// leave ends the connection as a polite client does; the owner's read returns an error.
func (c *client) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nc == nil {
		return
	}
	if c.side.lane == wire.WS {
		c.nc.SetWriteDeadline(time.Now().Add(time.Second))
		writeFrame(c.nc, wire.OpClose, closeFrame) // lost on a connection that is gone already
	}
	c.nc.Close()
}

// reset closes with RST instead of FIN.
func reset(nc net.Conn) {
	if tcp, ok := nc.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	nc.Close()
}

// stall stops reading until the returned function is called.
func (c *client) stall() (release func()) {
	hold := make(chan struct{})
	c.hold.Store(&hold)
	return sync.OnceFunc(func() {
		c.hold.Store(nil)
		close(hold)
	})
}

func (c *client) wait() error {
	hold := c.hold.Load()
	if hold == nil {
		return nil
	}
	select {
	case <-*hold:
		return nil
	case <-c.quit:
		return errStopped
	}
}
