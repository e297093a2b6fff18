// Package generator is the load: thousands of subscribers in one epoll loop, each of which must see every tick once and
// in order. It costs some five microseconds for a delivery of one tick, most of it the kernel's, and a fraction of one
// for each where many come together, so that the server beside it on two cores is what is measured. Linux only.
package generator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	ahead = 1 << 20   // room for what a connection has left over, before what was read
	room  = 256 << 10 // what is read at once
)

// Generator holds connections to one server.
type Generator struct {
	poller  int
	mu      sync.Mutex // the loop has it while it works through a batch
	counts  *Counts
	conns   []*conn // by descriptor
	open    []*conn
	stalled []int
	ready   atomic.Int64
	failed  error // of the first handshake that failed
	hello   []byte
	now     int64 // µs, when the newest bytes were read
	buf     []byte
	stop    atomic.Bool
	ended   chan struct{}
}

// conn is one subscriber.
type conn struct {
	g       *Generator
	fd      int
	ws      bool
	up      bool // the handshake is over
	chunked bool
	chunks  dechunker
	z       *inflater
	rest    []byte // what is not a whole message yet
	next    uint64 // the seq that must come
	mark    uint64 // next, as the window began
}

// New returns a generator without connections.
func New() (*Generator, error) {
	files, err := Files()
	if err != nil {
		return nil, err
	}
	poller, err := unix.EpollCreate1(0)
	if err != nil {
		return nil, err
	}
	g := &Generator{poller: poller, counts: newCounts(), conns: make([]*conn, files+1), buf: make([]byte, ahead+room), ended: make(chan struct{})}
	go g.loop()
	return g, nil
}

// Files raises the limit of open files as far as it goes and returns it.
func Files() (int, error) {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 0, err
	}
	l.Cur = l.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 0, err
	}
	return int(min(l.Max, 1<<20)), nil
}

func (g *Generator) loop() {
	runtime.LockOSThread()
	defer close(g.ended)
	got := make([]unix.EpollEvent, 512)
	for !g.stop.Load() {
		n, err := unix.EpollWait(g.poller, got, 20)
		if err != nil && err != unix.EINTR {
			panic(err) // the generator's own descriptor: a bug
		}
		if n <= 0 {
			continue
		}
		g.mu.Lock()
		for _, e := range got[:n] {
			if c := g.conns[e.Fd]; c != nil {
				c.read()
			}
		}
		g.mu.Unlock()
	}
}

// read reads once; what is left makes the next wait return at once, after the others had their turn.
func (c *conn) read() {
	g := c.g
	into := g.buf[ahead:]
	n, errno := rawRead(c.fd, into)
	if errno == unix.EAGAIN || errno == unix.EINTR {
		return
	}
	if errno != 0 || n == 0 {
		g.counts.Closed++
		c.drop()
		return
	}
	g.now = time.Now().UnixMicro()
	g.counts.Bytes += int64(n)
	g.counts.Reads++
	if err := c.take(into[:n]); err != nil {
		g.counts.Broken[err.Error()]++
		if !c.up && g.failed == nil {
			g.failed = err
		}
		c.drop()
	}
}

// rawRead doesn't tell Go's scheduler: it never blocks.
func rawRead(fd int, b []byte) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return int(n), errno
}

// take works through b, which stands in g.buf at ahead.
func (c *conn) take(b []byte) error {
	g := c.g
	if !c.up {
		all := append(c.rest, b...)
		end := bytes.Index(all, []byte("\r\n\r\n"))
		if end < 0 {
			c.rest = all
			return nil
		}
		if err := c.answered(all[:end+4]); err != nil {
			return err
		}
		c.up, c.rest = true, nil
		g.ready.Add(1)
		if b = g.buf[ahead : ahead+copy(g.buf[ahead:], all[end+4:])]; len(b) == 0 {
			return nil
		}
	}
	if c.chunked {
		n, err := c.chunks.strip(b)
		if err != nil {
			return err
		}
		b = b[:n]
	}
	if len(c.rest) > ahead {
		return errors.New("a message of more than a megabyte")
	}
	if n := len(c.rest); n > 0 {
		copy(g.buf[ahead-n:], c.rest)
		b = g.buf[ahead-n : ahead+len(b)]
	}
	done, err := c.parse(b)
	c.rest = append(c.rest[:0], b[done:]...)
	return err
}

func (c *conn) parse(b []byte) (int, error) {
	switch {
	case c.ws:
		c.g.keep(b)
		return frames(b, c, c.z)
	case c.z == nil:
		c.g.keep(b)
		return events(b, c)
	}
	text, done, err := c.z.body(b)
	if err != nil || len(text) == 0 {
		return done, err
	}
	c.g.keep(text)
	// A block ends where an event ends.
	if n, err := events(text, c); err != nil || n != len(text) {
		return done, errors.Join(errTick, err)
	}
	return done, nil
}

// keep keeps the beginning of what came first, for Hello.
func (g *Generator) keep(b []byte) {
	if len(g.hello) < 1024 {
		g.hello = append(g.hello, b[:min(len(b), 1024)]...)
	}
}

func (c *conn) ping(payload []byte) {
	pong := append([]byte{0x8a, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...) // a mask of zeros
	_, _ = unix.Write(c.fd, pong)
}

func (c *conn) ended() {}

func (c *conn) drop() {
	c.g.conns[c.fd] = nil
	_ = unix.Close(c.fd)
	c.fd = -1
}

// Window lets d pass, unless ctx ends before, and returns what came in it.
func (g *Generator) Window(ctx context.Context, d time.Duration) *Counts {
	g.mu.Lock()
	g.counts = newCounts()
	for _, o := range g.open {
		o.mark = o.next
	}
	g.mu.Unlock()
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.counts
	g.counts = newCounts()
	least, most := ^uint64(0), uint64(0)
	for _, o := range g.open {
		if o.next == 0 {
			c.Silent++
			continue
		}
		least, most = min(least, o.next), max(most, o.next)
	}
	if most > 0 {
		c.Behind = most - least
	}
	for _, o := range g.open {
		// One tick may be on its way; a connection that got nothing while others are two further on gets nothing any more.
		if o.fd >= 0 && o.next > 0 && o.next == o.mark && most >= o.next+2 {
			c.Stuck++
		}
	}
	return c
}

// Hello is the beginning of what the server sent first, as text.
func (g *Generator) Hello() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return string(g.hello)
}

// Close closes all connections.
func (g *Generator) Close() {
	g.stop.Store(true)
	<-g.ended
	for _, c := range g.open {
		if c.fd >= 0 {
			_ = unix.Close(c.fd)
		}
	}
	for _, fd := range g.stalled {
		_ = unix.Close(fd)
	}
	_ = unix.Close(g.poller)
}

func (g *Generator) failure() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failed != nil {
		return g.failed
	}
	if g.counts.Closed > 0 {
		return fmt.Errorf("the server closed %d connections", g.counts.Closed)
	}
	return nil
}
