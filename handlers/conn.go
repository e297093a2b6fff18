package handlers

import (
	"errors"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"ticklane/internal/stream"
)

// listener wraps every accepted connection. Write deadlines live here, because a stream's writer can't know when
// its bytes reach the socket: with fasthttp's stream writer a flush returns when they are in a pipe.
type listener struct {
	net.Listener
	timeout time.Duration // of one Write
	buffer  int           // bytes of the kernel's send buffer; 0 for its own choice
	sockets *gate         // connections, with or without a stream on them

	mu    sync.Mutex
	conns map[*conn]struct{}
}

func newListener(ln net.Listener, set Settings, allLoopback bool) *listener {
	each := 2 * set.MaxPerAddress // each stream, and a page or a command beside it
	if !allLoopback {
		each = maxConns(set) // behind a proxy all connections are the proxy's
	}
	return &listener{Listener: ln, timeout: set.WriteTimeout, buffer: set.WriteBuffer,
		sockets: newGate(maxConns(set), each, allLoopback), conns: make(map[*conn]struct{})}
}

// maxConns is how many connections are open at the most: one for each stream, and some for pages and API beside them.
func maxConns(set Settings) int { return set.MaxStreams + 1024 }

// Accept waits for the next connection and sets its socket options. One that is too many is closed without an answer:
// a browser's EventSource tries again after that, but not after an error status.
func (l *listener) Accept() (net.Conn, error) {
	var nc net.Conn
	var peer string
	for {
		var err error
		nc, err = l.Listener.Accept()
		if passes(err) { // fasthttp would end at that, and the process with it
			time.Sleep(acceptAgain)
			continue
		}
		if err != nil {
			return nil, err
		}
		peer, _, _ = net.SplitHostPort(nc.RemoteAddr().String())
		if l.sockets.enter(peer) == admitted {
			break
		}
		nc.Close()
	}
	if tcp, ok := nc.(*net.TCPConn); ok {
		if l.buffer > 0 {
			tcp.SetWriteBuffer(l.buffer)
		}
		// A cut link would stay 'open' for minutes: give up on unacknowledged data as a blocked write does.
		setUserTimeout(tcp, l.timeout)
	}
	c := &conn{Conn: nc, listener: l, peer: peer}
	l.mu.Lock()
	l.conns[c] = struct{}{}
	l.mu.Unlock()
	return c, nil
}

// closeAll ends the connections that are still open.
func (l *listener) closeAll() {
	l.mu.Lock()
	open := make([]*conn, 0, len(l.conns))
	for c := range l.conns {
		open = append(open, c)
	}
	l.mu.Unlock()
	for _, c := range open {
		c.Close()
	}
}

// acceptAgain is how long a process waits that couldn't accept.
const acceptAgain = 50 * time.Millisecond

// passes tells whether an accept failed of something that passes. Descriptors and memory come back as clients go, and until
// then the backlog waits; the others are one connection's own, which Linux tells here (accept(2), "Error handling").
func passes(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno) && slices.Contains([]syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.ECONNABORTED, syscall.EPERM, syscall.EPROTO, syscall.ENOPROTOOPT, syscall.EOPNOTSUPP,
		syscall.ENETDOWN, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.EHOSTUNREACH,
	}, errno)
}

// conn sees to it that a Write that blocks longer than the listener's timeout fails, counts what went into the socket,
// and writes nothing more after a failed or partial write: what followed would be read at the wrong place.
type conn struct {
	net.Conn
	listener *listener
	armed    atomic.Int64                 // when the write deadline was set, by the clock of began; 0 for never
	meter    atomic.Pointer[stream.Meter] // of the stream on it, nil for none
	broken   atomic.Bool
	slow     atomic.Bool // a write ran into its deadline

	mu     sync.Mutex
	abort  func() // called when the connection closes before the stream on it has ended
	after  func() // due when the stream's last bytes are out
	closed bool
	handed bool // to engine shard, with its place in listener.sockets

	peer string // its place in listener.sockets
}

var errBroken = errors.New("an earlier write to this connection failed")

// Write writes p to the socket within the listener's timeout.
func (c *conn) Write(p []byte) (int, error) {
	if c.broken.Load() {
		return 0, errBroken
	}
	if err := c.arm(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	if m := c.meter.Load(); m != nil {
		m.Bytes.Add(uint64(n))
		m.Writes.Add(1)
	}
	if err != nil {
		c.broken.Store(true)
		if errors.Is(err, os.ErrDeadlineExceeded) || isUserTimeout(err) {
			c.slow.Store(true)
		}
	}
	return n, err
}

// arm sets the write deadline. A deadline for each Write would cost a timer's change each: one holds for the writes of
// the next tenth of the timeout, and is that much later. So a blocked write fails after one to 1.1 timeouts.
func (c *conn) arm() error {
	now, slack := time.Since(began), c.listener.timeout/10
	if set := c.armed.Load(); set != 0 && now-time.Duration(set) < slack {
		return nil
	}
	c.armed.Store(int64(now))
	return c.Conn.SetWriteDeadline(time.Now().Add(c.listener.timeout + slack))
}

// began is where the clock of conn.armed stands at 0.
var began = time.Now().Add(-time.Second)

// SetDeadline is fasthttp's, which takes deadlines off a connection that it hands over.
func (c *conn) SetDeadline(t time.Time) error {
	c.armed.Store(0)
	return c.Conn.SetDeadline(t)
}

// SetWriteDeadline holds until the next Write.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.armed.Store(0)
	return c.Conn.SetWriteDeadline(t)
}

// Read says that the answer before is out, since fasthttp reads a connection again only then.
func (c *conn) Read(p []byte) (int, error) {
	c.settle()
	return c.Conn.Read(p)
}

// onAbort calls f when the connection closes before afterwards is called. A stream behind fasthttp's pipe learns of a
// failed write this way; its next flush may be a heartbeat away.
func (c *conn) onAbort(f func()) {
	c.mu.Lock()
	closed := c.closed
	if !closed {
		c.abort = f
	}
	c.mu.Unlock()
	if closed {
		f()
	}
}

// afterwards calls f when everything of the stream on this connection is in the socket, or never will be. The end
// of a stream's writer isn't that moment: its last bytes, and those of the chunked coding, are still on their way.
func (c *conn) afterwards(f func()) {
	c.mu.Lock()
	closed := c.closed
	c.abort = nil
	if !closed {
		c.after = f
	}
	c.mu.Unlock()
	if closed {
		f()
	}
}

// settle ends the stream's time on this connection: what is written from now on belongs to somebody else.
func (c *conn) settle() {
	c.mu.Lock()
	f := c.after
	c.after = nil
	c.mu.Unlock()
	if f != nil {
		c.meter.Store(nil)
		f()
	}
}

// claim takes over what was due afterwards. It is false when the connection is closed, and nothing is due any more.
func (c *conn) claim() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.after = nil
	}
	return !c.closed
}

// hand gives the socket away under a new descriptor. From then on Close closes no more than the old one, and what was due
// afterwards is the new owner's.
func (c *conn) hand() (fd int, err error) {
	fd, err = duplicate(c.Conn)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		if err == nil {
			closeDescriptor(fd)
		}
		return -1, net.ErrClosed
	}
	c.handed, c.after = true, nil
	return fd, err
}

// takeBack undoes hand, when the socket found no owner.
func (c *conn) takeBack() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handed = false
}

// CloseWrite sends FIN where the connection can; reading goes on.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

func (c *conn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.conns, c)
	c.listener.mu.Unlock()
	c.mu.Lock()
	first, abort := !c.closed, c.abort
	c.abort = nil
	c.closed = true // before the socket is: a hand that fails of that must know that settle comes
	handed := c.handed
	c.mu.Unlock()
	err := c.Conn.Close()
	if first && !handed {
		c.listener.sockets.leave(c.peer)
	}
	if abort != nil {
		abort()
	}
	c.settle()
	return err
}

// unwrap finds our connection under what TLS and fasthttp put around it; nil when there is none.
func unwrap(nc net.Conn) *conn {
	for {
		switch c := nc.(type) {
		case *conn:
			return c
		case interface{ NetConn() net.Conn }:
			nc = c.NetConn()
		case interface{ UnsafeConn() net.Conn }:
			nc = c.UnsafeConn()
		default:
			return nil
		}
	}
}
