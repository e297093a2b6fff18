// Package generator is the load: thousands of subscribers in one epoll loop, each of which must receive every tick once
// and in order. It costs some five microseconds per delivered tick, most of it the kernel's, and a fraction of one if
// many ticks arrive together, so that on two cores the server is what is measured. It decodes with the load tester's
// client. Linux only.
package generator

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// readSize is the most bytes of one read.
const readSize = 256 << 10

// Generator has connections to one server. One goroutine reads them all.
type Generator struct {
	epoll   int
	mu      sync.Mutex // guards what follows and the connections; the loop holds it while it handles a batch of events
	counts  *Counts
	byFD    []*conn
	all     []*conn
	stalled []int // descriptors of connections that are never read
	failed  error // of the first handshake that failed
	engine  string
	now     int64 // when the newest bytes were read, µs since 1970
	ready   atomic.Int64
	closing atomic.Bool
	ended   chan struct{} // closed when the loop has ended
}

// New returns a generator without connections. Close must be called.
func New() (*Generator, error) {
	files, err := Files()
	if err != nil {
		return nil, err
	}
	epoll, err := unix.EpollCreate1(0)
	if err != nil {
		return nil, err
	}
	g := &Generator{epoll: epoll, counts: newCounts(), byFD: make([]*conn, files+1), ended: make(chan struct{})}
	go g.loop()
	return g, nil
}

// Files raises the limit of open files to its maximum and returns it.
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

// loop reads the connections until Close. It stays on one thread, and it alone opens and closes decoders, which are bound
// to that thread.
func (g *Generator) loop() {
	runtime.LockOSThread()
	defer close(g.ended)
	defer g.closeConns()
	buf := make([]byte, readSize)
	events := make([]unix.EpollEvent, 512)
	for !g.closing.Load() {
		n, err := unix.EpollWait(g.epoll, events, 20)
		if err != nil && err != unix.EINTR {
			panic(err) // the descriptor is the generator's own, so this is a bug
		}
		if n <= 0 {
			continue
		}
		g.mu.Lock()
		for _, e := range events[:n] {
			if c := g.byFD[e.Fd]; c != nil {
				c.read(buf)
			}
		}
		g.mu.Unlock()
	}
}

func (g *Generator) closeConns() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.all {
		if c.fd >= 0 {
			c.close()
		}
	}
}

// Window waits for d, or until ctx ends, and returns what arrived meanwhile.
func (g *Generator) Window(ctx context.Context, d time.Duration) *Counts {
	g.mu.Lock()
	g.counts = newCounts()
	for _, c := range g.all {
		c.mark = c.next
	}
	g.mu.Unlock()
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	counts := g.counts
	g.counts = newCounts()
	lowest, highest := ^uint64(0), uint64(0)
	for _, c := range g.all {
		if c.next == 0 {
			counts.Silent++
			continue
		}
		lowest, highest = min(lowest, c.next), max(highest, c.next)
	}
	if highest > 0 {
		counts.Behind = highest - lowest
	}
	for _, c := range g.all {
		// One tick may be on its way. A connection that received nothing while others are two ticks further is stuck.
		if c.fd >= 0 && c.next > 0 && c.next == c.mark && highest >= c.next+2 {
			counts.Stuck++
		}
	}
	return counts
}

// Engine returns the engine of the first hello, empty if there was none.
func (g *Generator) Engine() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.engine
}

// Compressed returns how many of the connections are compressed.
func (g *Generator) Compressed() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for _, c := range g.all {
		if c.format.Compressed {
			n++
		}
	}
	return n
}

// Close closes all connections and waits for the end of the loop.
func (g *Generator) Close() {
	g.closing.Store(true)
	<-g.ended
	for _, fd := range g.stalled {
		_ = unix.Close(fd)
	}
	_ = unix.Close(g.epoll)
}

// failure returns why a handshake failed, or that the server closed connections.
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

// errNoUpgrade is a response to a WebSocket handshake with another Sec-WebSocket-Accept than that of the key.
var errNoUpgrade = errors.New("Sec-WebSocket-Accept doesn't match the key")
