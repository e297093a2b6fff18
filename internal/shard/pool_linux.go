package shard

import (
	"runtime"
	"sync"

	"golang.org/x/sys/unix"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// Available tells whether this system has the engine.
const Available = true

// Pool is the engine: its writers, its poller, and all connections.
type Pool struct {
	opt     Options
	writers []*writer
	poller  *poller

	mu     sync.Mutex
	slots  []slot
	free   []int32
	closed bool
	broken bool           // the poller has failed
	open   sync.WaitGroup // connections
	run    sync.WaitGroup // goroutines
}

// slot is what an event of the kernel names: never a bare descriptor, whose number the next connection may have. The
// generation tells an event that is older than the slot's connection.
type slot struct {
	generation int32
	conn       *conn
}

// New starts the writers and the poller. Close stops them.
func New(opt Options) (*Pool, error) {
	if opt.Writers <= 0 {
		opt.Writers = max(1, runtime.GOMAXPROCS(0)/2) // the kernel's receiving side, the feed and the pages need the others
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
		p.run.Go(w.run)
	}
	p.run.Go(p.poller.run)
	return p, nil
}

// Add takes a connection over and opens its stream. When it fails, the descriptor is still the caller's.
func (p *Pool) Add(s Handoff) error {
	c := &conn{pool: p, fd: s.FD, chunked: s.Chunked, early: s.Received, place: -1}
	generation, err := p.enter(c, s.Options.Format.Lane())
	if err != nil {
		return err
	}
	// Edge-triggered, once for ever: the writer reads and writes until the kernel says EAGAIN.
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: c.slot, Pad: generation}
	if err := unix.EpollCtl(p.poller.fd, unix.EPOLL_CTL_ADD, c.fd, &event); err != nil {
		p.leave(c)
		return err
	}
	opt := s.Options
	opt.Group, opt.Owner, opt.MaxRead = c.writer.group, c, maxRead
	c.meter = opt.Meter
	if c.meter == nil {
		c.meter = new(stream.Meter)
		opt.Meter = c.meter
	}
	c.sub = p.opt.Log.Subscribe(opt)
	if err := c.prepare(&s); err != nil {
		c.sub.Close()
		unix.EpollCtl(p.poller.fd, unix.EPOLL_CTL_DEL, c.fd, nil)
		p.leave(c)
		return err
	}
	c.ready.Store(true)
	c.sub.Notify()
	return nil
}

// prepare makes the protocol's side. A panic there is an error: the connection's place must be given back.
func (c *conn) prepare(s *Handoff) (err error) {
	defer func() {
		if v := recover(); v != nil {
			c.pool.opt.OnPanic("shard", v)
			err = ErrPanicked
		}
	}()
	if s.ResponseHead != nil {
		c.head = s.ResponseHead(c.sub)
	}
	c.peer, c.brake = s.Protocol(c.sub, func() { c.tell(orderReset) })
	return nil
}

// enter gives a connection its slot, and to the writer that has fewest of its lane.
func (p *Pool) enter(c *conn, lane wire.Lane) (generation int32, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.broken {
		return 0, ErrClosed
	}
	if n := len(p.free); n > 0 {
		c.slot = p.free[n-1]
		p.free = p.free[:n-1]
	} else {
		c.slot = int32(len(p.slots))
		p.slots = append(p.slots, slot{})
	}
	s := &p.slots[c.slot]
	s.conn = c
	c.lane = lane
	c.writer = p.writers[0]
	for _, w := range p.writers[1:] {
		if w.conns[lane] < c.writer.conns[lane] {
			c.writer = w
		}
	}
	c.writer.conns[lane]++
	p.open.Add(1)
	return s.generation, nil
}

// leave takes a connection out of its slot; events of it that are still on their way find nobody.
func (p *Pool) leave(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.slots[c.slot]
	s.generation++
	s.conn = nil
	p.free = append(p.free, c.slot)
	c.writer.conns[c.lane]--
	p.open.Done()
}

// fail ends the engine's work: without the poller it hears nothing of its connections any more. In a pool that is being
// closed that is no failure.
func (p *Pool) fail(err error) {
	p.mu.Lock()
	p.broken = !p.closed
	broken := p.broken
	p.mu.Unlock()
	if !broken {
		return
	}
	if p.opt.OnFailure != nil {
		p.opt.OnFailure(err)
	}
	p.CloseAll()
}

// CloseAll closes the connections that are open, whatever they are at.
func (p *Pool) CloseAll() {
	p.mu.Lock()
	var all []*conn
	for _, s := range p.slots {
		if s.conn != nil {
			all = append(all, s.conn)
		}
	}
	p.mu.Unlock()
	for _, c := range all {
		c.tell(orderClose)
	}
}

// Close takes no more connections, closes those that are open and stops the engine.
func (p *Pool) Close() {
	p.mu.Lock()
	first := !p.closed
	p.closed = true
	p.mu.Unlock()
	p.CloseAll()
	p.open.Wait()
	if first {
		for _, w := range p.writers {
			close(w.quit)
		}
		p.poller.close()
	}
	p.run.Wait()
}
