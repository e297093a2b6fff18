package netconn

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// state determines which code may use a connection.
//
//	state      reads           writes                       closes
//	http       fasthttp        fasthttp                     fasthttp
//	streaming  -               fasthttp, from the stream's  fasthttp
//	                           pipe
//	detached   the new owner   the new owner                the new owner
//	closed     -               -                            -
//
// In every state Listener.CloseAll and Reset may close it, from any goroutine.
//
//	from       to         by
//	http       streaming  StartStream
//	streaming  http       NextRequest or Read, once FinishStream was called
//	streaming  detached   Detach
//	any        closed     Close
type state uint8

const (
	http state = iota
	streaming
	detached
	closed
)

// Conn is a connection of a Listener. It bounds the time of each write, counts what a stream writes, and writes nothing
// after a failed or partial write: the client would read it as the rest of that one.
type Conn struct {
	net.Conn
	listener     *Listener
	writeTimeout time.Duration
	release      func() // frees the slot in the listener's limiter
	onClose      func() // removes it from the listener

	deadlineSet atomic.Int64                            // when the write deadline was set, by the clock of started; 0 for not set
	count       atomic.Pointer[func(bytes, writes int)] // of the stream that is being written
	failure     atomic.Pointer[writeError]              // of the first failed write
	inputLimit  atomic.Int64                            // see LimitInput; 0 for none
	readTimeout atomic.Bool                             // a Read returned the error of TCP_USER_TIMEOUT

	mu          sync.Mutex
	state       state
	onAbort     func() // streaming: called if the connection closes before FinishStream or Detach
	onDone      func() // streaming, after FinishStream
	transferred bool   // by Duplicate: the slot in the limiter is the new descriptor's
}

// writeError is a failed write.
type writeError struct {
	err     error
	timeout bool
}

var errBroken = errors.New("an earlier write to this connection failed")

// Listener returns the listener that accepted the connection.
func (c *Conn) Listener() *Listener { return c.listener }

// Write writes p to the socket. It fails when the socket accepts nothing for Config.WriteTimeout. After a failure every
// Write fails.
func (c *Conn) Write(p []byte) (int, error) {
	if c.failure.Load() != nil {
		return 0, errBroken
	}
	if err := c.extendDeadline(); err != nil {
		c.failure.CompareAndSwap(nil, &writeError{err: err})
		return 0, err
	}
	// Counted before the call: after it, an atomic add would wait for the kernel's stores to complete.
	count := c.count.Load()
	if count != nil {
		(*count)(len(p), 1)
	}
	n, err := c.Conn.Write(p)
	if count != nil && n < len(p) {
		(*count)(n-len(p), 0)
	}
	if err != nil {
		c.failure.CompareAndSwap(nil, &writeError{err, errors.Is(err, os.ErrDeadlineExceeded) || isUserTimeout(err)})
	}
	return n, err
}

// WriteErr returns the error of the first failed write, nil while none has failed. timeout reports whether the cause was
// that the client didn't read. It is exact once nothing reads from the connection any more: the kernel reports
// TCP_USER_TIMEOUT once, to Read or to Write.
func (c *Conn) WriteErr() (err error, timeout bool) {
	if f := c.failure.Load(); f != nil {
		return f.err, f.timeout || c.readTimeout.Load()
	}
	return nil, false
}

var errInput = errors.New("the client has sent too many bytes after its request")

// LimitInput makes Write fail once more than so many received bytes are unread, until the next request. It is checked when
// the write deadline is set, about every tenth of the write timeout; in the meantime the kernel's receive buffer is the bound.
// It has no effect on systems other than Linux.
func (c *Conn) LimitInput(bytes int) { c.inputLimit.Store(int64(bytes)) }

// extendDeadline sets the write deadline when a tenth of the timeout has passed since it was last set. Setting it for each
// write would change a timer each time.
func (c *Conn) extendDeadline() error {
	now, slack := time.Since(started), c.writeTimeout/10
	if set := c.deadlineSet.Load(); set != 0 && now-time.Duration(set) < slack {
		return nil
	}
	c.deadlineSet.Store(int64(now))
	if limit := c.inputLimit.Load(); limit > 0 && int64(unread(c.Conn)) > limit {
		return errInput
	}
	return c.Conn.SetWriteDeadline(time.Now().Add(c.writeTimeout + slack))
}

// started is the zero time of Conn.deadlineSet, a little in the past so that no set deadline has the value 0.
var started = time.Now().Add(-time.Second)

// SetDeadline sets both deadlines, the write deadline until the next Write. fasthttp calls it before it passes on a
// hijacked connection.
func (c *Conn) SetDeadline(t time.Time) error {
	c.deadlineSet.Store(0)
	return c.Conn.SetDeadline(t)
}

// SetWriteDeadline sets the write deadline until the next Write.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.deadlineSet.Store(0)
	return c.Conn.SetWriteDeadline(t)
}

// Read reads from the socket. fasthttp reads only when the response before is complete, so it completes a stream.
func (c *Conn) Read(p []byte) (int, error) {
	c.NextRequest()
	n, err := c.Conn.Read(p)
	if err != nil && isUserTimeout(err) {
		c.readTimeout.Store(true)
	}
	return n, err
}

// StartStream begins a response that is a stream. count is called for each write, in the writing goroutine: with its size
// before it, and with the bytes that it didn't write, as a negative number, after it failed.
// onAbort is called once if the connection closes before FinishStream or Detach; it is called at once if the connection is
// closed already. It may be nil.
func (c *Conn) StartStream(count func(bytes, writes int), onAbort func()) {
	c.count.Store(&count)
	c.mu.Lock()
	open := c.state != closed
	if open {
		c.state, c.onAbort = streaming, onAbort
	}
	c.mu.Unlock()
	if !open && onAbort != nil {
		onAbort()
	}
}

// FinishStream reports that the stream's writer has returned. onDone is called once, when the socket has accepted
// everything or the connection is closed. That may be later: the last bytes and the end of the chunked coding are still
// in fasthttp's buffers.
func (c *Conn) FinishStream(onDone func()) {
	c.mu.Lock()
	open := c.state != closed
	c.onAbort = nil
	if open {
		c.onDone = onDone
	}
	c.mu.Unlock()
	if !open {
		onDone()
	}
}

// NextRequest reports that the response before is complete: what is written from now on is no longer counted. It has no
// effect while a stream is being written or after Detach.
func (c *Conn) NextRequest() {
	c.mu.Lock()
	onDone := c.onDone
	if onDone != nil {
		c.state, c.onDone = http, nil
		c.count.Store(nil)
		c.inputLimit.Store(0)
	}
	c.mu.Unlock()
	if onDone != nil {
		onDone()
	}
}

// CloseWrite sends FIN if the connection can; reading goes on.
func (c *Conn) CloseWrite() error { return closeWrite(c.Conn) }

func closeWrite(nc net.Conn) error {
	if half, ok := nc.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Reset closes the connection with RST instead of FIN.
func (c *Conn) Reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	c.Close()
}

// Close closes the socket and ends the stream on the connection: it calls the onAbort of StartStream or the onDone of
// FinishStream. Further calls return the socket's error.
func (c *Conn) Close() error {
	c.onClose()
	c.mu.Lock()
	// Set before the socket is closed: a Duplicate that fails because of that must return net.ErrClosed.
	first := c.state != closed
	c.state = closed
	end := c.onAbort
	if end == nil {
		end = c.onDone
	}
	c.onAbort, c.onDone = nil, nil
	slot := first && !c.transferred
	c.mu.Unlock()
	err := c.Conn.Close()
	if slot {
		c.release()
	}
	if end != nil {
		end()
	}
	return err
}

// Of returns the Conn below what TLS and fasthttp put on top of it. It panics if there is none.
func Of(nc net.Conn) *Conn {
	for {
		switch c := nc.(type) {
		case *Conn:
			return c
		case interface{ NetConn() net.Conn }:
			nc = c.NetConn()
		case interface{ UnsafeConn() net.Conn }:
			nc = c.UnsafeConn()
		default:
			panic("netconn: the connection is not of a Listener")
		}
	}
}
