package shard

import (
	"time"

	"golang.org/x/sys/unix"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

const (
	// turnBytes is the most that one connection gets before the others have their turn: one that comes back with half the
	// log to catch up on must not show in anybody's latency.
	turnBytes = 128 << 10
	// turnReads is the same for what a client sends, in reads of readSize.
	turnReads = 4
	readSize  = 16 << 10
	// sameTime is for how many turns one look at the clock is good enough: some 50 µs of small writes.
	sameTime = 16
)

// writer owns some of the connections, and is the only goroutine that touches them.
type writer struct {
	pool  *Pool
	group *stream.Group
	conns [wire.Lanes]int // guarded by pool.mu
	quit  chan struct{}

	now    time.Time // of this turn
	turns  int       // since now was taken
	dues   dues
	batch  []*stream.Subscriber
	joint  []byte // a framed write
	source []byte // what is framed in it; nil for nothing that may be written again
	framer *conn  // for whom it was
	in     []byte
	vector [3]unix.Iovec
}

func newWriter(p *Pool) *writer {
	return &writer{pool: p, group: p.opt.Log.NewGroup(), quit: make(chan struct{}), in: make([]byte, readSize)}
}

// begun is when the process began, to tell times as durations on one monotonic clock.
var begun = time.Now()

func (p *Pool) since() time.Duration { return time.Since(begun) }

func (w *writer) run() {
	defer w.group.Close()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	armed := time.Duration(-1)
	for {
		select {
		case <-w.group.Notified():
		case <-timer.C:
			armed = -1
		case <-w.quit:
			return
		}
		w.now, w.turns = time.Now(), 0
		var head uint64
		w.batch, head = w.group.Collect(w.batch[:0], w.now)
		for _, s := range w.batch {
			w.serve(s.Owner().(*conn), head)
		}
		clear(w.batch)
		next := w.overdue(head)
		w.source, w.framer = nil, nil // it would keep a segment of the log alive
		if due := w.group.Deadline(); !due.IsZero() && (next < 0 || due.Sub(begun) < next) {
			next = due.Sub(begun)
		}
		// A timer that goes off too early costs a round; to set it at every round would cost more.
		if next >= 0 && (armed < 0 || next < armed) {
			timer.Reset(next - time.Since(begun))
			armed = next
		}
	}
}

// overdue serves whoever's time has come, and returns when the next one's does; -1 for never.
func (w *writer) overdue(head uint64) time.Duration {
	w.now, w.turns = time.Now(), 0
	now := w.now.Sub(begun)
	for {
		c, next := w.dues.next(now)
		if c == nil {
			return next
		}
		w.dues.remove(c)
		w.serve(c, head)
	}
}

// serve does for one connection whatever is due. head is the newest tick of this round: what comes after it belongs to the
// next one, so a writer that is behind joins all of it into one write.
func (w *writer) serve(c *conn, head uint64) {
	if !c.ready.Load() || c.state == closed {
		return
	}
	defer w.contain(c)
	told := c.told.Load()
	if w.turns++; w.turns > sameTime || told != 0 || c.state != streaming || c.tail != nil || c.brake != nil {
		w.now, w.turns = time.Now(), 0
	}
	now := w.now
	if c.state == fresh {
		w.open(c)
	}
	if told != 0 {
		told = c.told.Swap(0)
		w.hear(c, told)
		if c.state == closed {
			return
		}
	}
	if c.tail != nil && (told&writable == 0 || !w.goOn(c)) {
		if c.state != closed && now.Sub(begun)-c.tail.since >= w.pool.opt.WriteTimeout {
			c.sub.MarkSlow()
			c.close(unix.ETIMEDOUT, false)
		}
	} else if c.state != closed {
		w.advance(c, now, head)
	}
	if c.state != closed {
		w.dues.set(c, w.due(c))
	}
}

// contain keeps a panic at one connection from ending all.
func (w *writer) contain(c *conn) {
	p := recover()
	if p == nil {
		return
	}
	w.pool.opt.OnPanic("shard", p)
	defer func() {
		if p := recover(); p != nil {
			w.pool.opt.OnPanic("shard, after another panic", p)
		}
	}()
	if c.state == fresh && len(c.head) > 0 {
		write(c.fd, c.head) // its request was fine, and an answer is due
	}
	c.close(nil, false)
}

func (w *writer) open(c *conn) {
	c.peer.OnOpen()
	c.state = streaming
	if early := c.early; early != nil {
		c.early = nil
		c.fed = !c.peer.HandleInput(early)
	}
}

// hear carries out orders, and reads what came. Once the end is asked for, what comes is thrown away.
func (w *writer) hear(c *conn, told uint32) {
	switch {
	case told&(orderClose|orderReset) != 0:
		c.close(nil, told&orderReset != 0)
		return
	case told&readable == 0 || c.eof:
		return
	}
	for range turnReads {
		n, errno := read(c.fd, w.in)
		switch {
		case errno == unix.EAGAIN:
			return
		case errno != 0:
			c.fail(errno)
			return
		case n == 0 && c.fed && c.state <= leaving:
			c.eof = true // its end was asked for in order, so it gets its answer
			return
		case n == 0:
			c.close(nil, false)
			return
		case !c.fed && c.state != draining:
			c.fed = !c.peer.HandleInput(w.in[:n])
		}
	}
	c.tell(readable) // there may be more, of which no event tells
}

// advance goes on with a connection that nothing blocks.
func (w *writer) advance(c *conn, now time.Time, head uint64) {
	switch c.state {
	case streaming:
		switch {
		case c.fed:
			w.last(c)
		case c.brake != nil && (len(c.held) > 0 || !c.brake.Idle(now)):
			w.hold(c, now)
		default:
			w.stream(c, now, head)
		}
	case leaving:
		w.left(c)
	case lingering:
		if c.fed {
			w.last(c)
		} else if now.Sub(begun) >= c.linger {
			w.drain(c)
			c.close(nil, false)
		}
	case draining:
		if now.Sub(begun) >= c.linger {
			c.close(nil, false)
		}
	}
}

// stream writes what the log has for the subscriber.
func (w *writer) stream(c *conn, now time.Time, head uint64) {
	for sent := 0; sent < turnBytes; {
		b := c.sub.Next(now)
		if len(b) == 0 {
			if c.sub.Ended() {
				w.last(c)
			}
			return
		}
		sent += len(b)
		if sent > joined {
			w.turns = sameTime // it takes a while
		}
		if !w.send(c, b) || c.sub.CaughtUp(head) {
			return
		}
	}
	c.sub.Notify()
}

// hold gathers bytes, and writes those that the brake releases.
func (w *writer) hold(c *conn, now time.Time) {
	c.again = 0
	for {
		if len(c.held) > 0 {
			// Not the turn's time: a tick may have come since, and is held from now on.
			n, again, more := c.brake.Release(time.Now(), len(c.held), c.sub.Ended())
			if n > 0 {
				b := c.held[:n:n]
				if c.held = c.held[n:]; len(c.held) == 0 {
					c.held = nil
				}
				if !w.put(c, [3][]byte{nil, b}, nil) {
					return
				}
				continue
			}
			if c.again = again.Sub(begun); !more {
				return
			}
		}
		b := c.sub.Next(now)
		if len(b) == 0 {
			if len(c.held) == 0 && c.sub.Ended() {
				w.last(c)
			}
			return
		}
		c.held = append(c.frame(c.held, len(b)), b...)
		if c.chunked {
			c.held = append(c.held, crlf...)
		}
	}
}

// last writes the end of the protocol.
func (w *writer) last(c *conn) {
	b, after := c.peer.Final(c.fed)
	c.after, c.held, c.again = after, nil, 0
	c.state = leaving
	if len(c.head) > 0 {
		b = append(c.head, b...)
		c.head = nil
	}
	if len(b) == 0 || w.put(c, [3][]byte{nil, b}, b) {
		w.left(c)
	}
}

// left is what follows when the last bytes are in the socket.
func (w *writer) left(c *conn) {
	if c.linger == 0 {
		c.linger = w.pool.since() + w.pool.opt.CloseWait
	}
	switch {
	case c.after == CloseNow || c.eof:
		w.drain(c)
		c.close(nil, false)
	case c.after == WaitInput && c.fed: // it has answered before it got all of it
		w.last(c)
	case c.after == WaitInput:
		c.state = lingering
	default:
		c.state = draining
		w.drain(c)
		c.end(nil)
		c.tell(readable) // what was not read when the last event came has none of its own
	}
}

// drain sends FIN before the descriptor is closed, so that whatever the client still sends can't overtake the last bytes.
func (w *writer) drain(c *conn) { unix.Shutdown(c.fd, unix.SHUT_WR) }

// due is when to look at a connection again if nothing happens.
func (w *writer) due(c *conn) time.Duration {
	switch {
	case c.tail != nil:
		return c.tail.since + w.pool.opt.WriteTimeout
	case c.state >= lingering:
		return c.linger
	case len(c.held) > 0 && c.again > 0:
		return c.again
	default:
		return c.sub.Deadline().Sub(begun)
	}
}
