package shard

import (
	"runtime"
	"sync"

	"golang.org/x/sys/unix"

	"ticklane/internal/stream"
)

// Available reports whether this system has the engine.
const Available = true

// Pool is the engine: its writers, its poller and all connections. All methods may be called from any goroutine.
type Pool struct {
	opt     Options
	writers []*writer
	poller  *poller

	mu          sync.Mutex
	slots       []slot
	free        []int32 // indices of empty slots
	closed      bool
	failed      bool
	connections sync.WaitGroup
	goroutines  sync.WaitGroup
}

// New starts the writers and the poller. The caller must Close the pool.
func New(opt Options) (*Pool, error) {
	if opt.Writers <= 0 {
		opt.Writers = max(1, runtime.GOMAXPROCS(0)/2) // the kernel's network work, the feed and HTTP need the others
	}
	p := &Pool{opt: opt}
	var err error
	if p.poller, err = newPoller(p); err != nil {
		return nil, err
	}
	for range opt.Writers {
		p.writers = append(p.writers, newWriter(p))
	}
	for _, w := range p.writers {
		p.goroutines.Go(w.run)
	}
	p.goroutines.Go(p.poller.run)
	return p, nil
}

// Add takes over a connection and opens its stream. The error is ErrClosed, ErrPanicked, or that of epoll_ctl; the
// descriptor is then still the caller's.
func (p *Pool) Add(h Handoff) error {
	c := &conn{pool: p, fd: h.FD, chunked: h.Chunked, received: h.Received, timer: timer{index: -1}}
	generation, err := p.register(c, h.Options.Format.Lane())
	if err != nil {
		return err
	}
	// Edge-triggered and never changed: the writer reads and writes until the kernel returns EAGAIN.
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: c.slot, Pad: generation}
	if err := unix.EpollCtl(p.poller.fd, unix.EPOLL_CTL_ADD, c.fd, &event); err != nil {
		p.unregister(c)
		return err
	}
	opt := h.Options
	opt.Group, opt.Owner, opt.MaxRead = c.writer.group, c, maxWrite
	if opt.Meter == nil {
		opt.Meter = new(stream.Meter)
	}
	c.meter = opt.Meter
	c.sub = p.opt.Log.Subscribe(opt)
	if err := c.prepare(&h); err != nil {
		c.sub.Close()
		_ = unix.EpollCtl(p.poller.fd, unix.EPOLL_CTL_DEL, c.fd, nil)
		p.unregister(c)
		return err
	}
	c.ready.Store(true)
	c.sub.Notify()
	return nil
}

// prepare calls the functions of a handoff. It turns a panic into an error.
func (c *conn) prepare(h *Handoff) (err error) {
	defer func() {
		if v := recover(); v != nil {
			c.pool.opt.OnPanic("shard", v)
			err = ErrPanicked
		}
	}()
	if h.ResponseHead != nil {
		c.responseHead = h.ResponseHead(c.sub)
	}
	c.protocol, c.throttle = h.Protocol(c.sub, func() { c.post(eventReset) })
	return nil
}

// fail closes all connections and refuses new ones: without the poller, the engine gets no events any more. In a pool that
// is being closed, it does nothing.
func (p *Pool) fail(err error) {
	p.mu.Lock()
	p.failed = !p.closed
	failed := p.failed
	p.mu.Unlock()
	if !failed {
		return
	}
	if p.opt.OnFailure != nil {
		p.opt.OnFailure(err)
	}
	p.CloseAll()
}

// CloseAll makes the writers close all connections. It doesn't wait.
func (p *Pool) CloseAll() {
	for _, c := range p.registered() {
		c.post(eventClose)
	}
}

// Close refuses new connections, closes those that are open, stops the engine and waits for all of it. It may be called
// more than once.
func (p *Pool) Close() {
	p.mu.Lock()
	first := !p.closed
	p.closed = true
	p.mu.Unlock()
	p.CloseAll()
	p.connections.Wait()
	if first {
		for _, w := range p.writers {
			close(w.quit)
		}
		p.poller.close()
	}
	p.goroutines.Wait()
}
