package netconn

import (
	"errors"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Config configures a Listener.
type Config struct {
	// WriteTimeout is how long a write may block before it fails and the connection is broken. It may take up to a
	// tenth longer.
	WriteTimeout time.Duration
	WriteBuffer  int // size of the kernel's send buffer in bytes; 0 for its default
	// Limiter bounds the open connections.
	Limiter *Limiter
	// OnAcceptError is called with each transient error of Accept. May be nil.
	OnAcceptError func(error)
}

// Listener accepts connections as Conns.
type Listener struct {
	net.Listener
	cfg Config

	pacer pacer

	mu    sync.Mutex
	conns map[*Conn]struct{}
}

// NewListener returns a listener on top of ln.
func NewListener(ln net.Listener, cfg Config) *Listener {
	return &Listener{Listener: ln, cfg: cfg, pacer: newPacer(), conns: make(map[*Conn]struct{})}
}

// Accept waits for the next connection. It closes connections over the limit without a response: an EventSource
// reconnects after that, but not after an error status. It retries after transient errors, since
// an error of Accept ends a server. Only one goroutine may call it.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		l.pacer.pace()
		nc, err := l.Listener.Accept()
		if isTransient(err) {
			if l.cfg.OnAcceptError != nil {
				l.cfg.OnAcceptError(err)
			}
			time.Sleep(acceptRetry)
			continue
		}
		if err != nil {
			return nil, err
		}
		peer, _, _ := net.SplitHostPort(nc.RemoteAddr().String())
		if l.cfg.Limiter.Acquire(peer) != Admitted {
			nc.Close()
			continue
		}
		return l.open(nc, peer), nil
	}
}

func (l *Listener) open(nc net.Conn, peer string) *Conn {
	if tcp, ok := nc.(*net.TCPConn); ok {
		if l.cfg.WriteBuffer > 0 {
			_ = tcp.SetWriteBuffer(l.cfg.WriteBuffer)
		}
		// Without its timeout, a connection whose link is cut stays open for minutes.
		setOptions(tcp, l.cfg.WriteTimeout)
	}
	c := &Conn{Conn: nc, listener: l, writeTimeout: l.cfg.WriteTimeout, release: func() { l.cfg.Limiter.Release(peer) }}
	c.onClose = func() { l.remove(c) }
	l.mu.Lock()
	l.conns[c] = struct{}{}
	l.mu.Unlock()
	return c
}

// Open returns the number of open connections, including those that were transferred by Conn.Duplicate.
func (l *Listener) Open() int { return l.cfg.Limiter.Open() }

// CloseAll closes the open connections, except those that were transferred by Conn.Duplicate.
func (l *Listener) CloseAll() {
	l.mu.Lock()
	open := make([]*Conn, 0, len(l.conns))
	for c := range l.conns {
		open = append(open, c)
	}
	l.mu.Unlock()
	for _, c := range open {
		c.Close()
	}
}

func (l *Listener) remove(c *Conn) {
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
}

// acceptRetry is the pause after a transient error of Accept.
const acceptRetry = 50 * time.Millisecond

// isTransient reports whether a later Accept may succeed: the system lacks descriptors or memory for the moment, or a
// connection failed before it was accepted (accept(2), "Error handling").
func isTransient(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno) && slices.Contains([]syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.ECONNABORTED, syscall.EPERM, syscall.EPROTO, syscall.ENOPROTOOPT, syscall.EOPNOTSUPP,
		syscall.ENETDOWN, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.EHOSTUNREACH,
	}, errno)
}
