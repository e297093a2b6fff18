package shard

import (
	"time"

	"golang.org/x/sys/unix"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

const (
	// notifiedBatch is how many notified connections are served between two looks at the clock.
	notifiedBatch = 16
	// notifiedSlice is how long a pass serves notified connections, such as newcomers, before it looks for ticks again. After
	// ticks that took long to write it is a quarter of their time, so that newcomers are served on a busy log, too.
	notifiedSlice = 2 * time.Millisecond
)

// clockReuse is for how many connections one reading of the clock is used: about 50 µs of small writes.
const clockReuse = 16

// writer serves some of the connections, and is the only goroutine that uses them.
type writer struct {
	pool  *Pool
	group *stream.Group
	conns [wire.Lanes]int // guarded by Pool.mu
	quit  chan struct{}

	now    time.Time // clock, read at most clockReuse connections ago
	reused int       // connections served since then
	timers timers
	batch  []*stream.Subscriber
	frames frameCache
	input  []byte
	vector [3]unix.Iovec
}

func newWriter(p *Pool) *writer {
	return &writer{pool: p, group: p.opt.Log.NewGroup(), quit: make(chan struct{}), input: make([]byte, readSize)}
}

// processStart is the zero of times that are kept as durations, on the monotonic clock.
var processStart = time.Now()

func sinceStart() time.Duration { return time.Since(processStart) }

func (w *writer) readClock() { w.now, w.reused = time.Now(), 0 }

func (w *writer) run() {
	defer w.group.Close()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	timerAt := time.Duration(-1) // when the timer fires; -1 for never
	for {
		select {
		case <-w.group.Notified():
		case <-timer.C:
			timerAt = -1
		case <-w.quit:
			return
		}
		next := w.pass()
		// A timer that fires too early costs a pass; resetting it in every pass would cost more.
		if next >= 0 && (timerAt < 0 || next < timerAt) {
			timer.Reset(next - sinceStart())
			timerAt = next
		}
	}
}

// pass serves the connections that have something to write, those with new ticks first, and those whose deadline has
// passed. It returns when the next pass is due at the latest: -1 for never.
func (w *writer) pass() (next time.Duration) {
	w.readClock()
	start := w.now
	var head uint64
	w.batch, head = w.group.CollectTicks(w.batch[:0], w.now)
	w.serveBatch(head)
	w.serveNotified(start, head)
	next = w.serveExpired(head)
	w.frames.clear()
	if deadline := w.group.Deadline(); !deadline.IsZero() && (next < 0 || deadline.Sub(processStart) < next) {
		next = deadline.Sub(processStart)
	}
	return next
}

func (w *writer) serveBatch(head uint64) {
	for _, s := range w.batch {
		w.serve(s.Owner().(*conn), head)
	}
	clear(w.batch)
}

// serveNotified serves notified connections for notifiedSlice. start is when the pass began.
func (w *writer) serveNotified(start time.Time, head uint64) {
	w.readClock()
	until := w.now.Add(max(notifiedSlice, w.now.Sub(start)/4))
	for w.now.Before(until) {
		w.batch = w.group.CollectNotified(w.batch[:0], notifiedBatch)
		if len(w.batch) == 0 {
			return
		}
		w.serveBatch(head)
		w.readClock()
	}
}

// serveExpired serves the connections whose deadline has passed, and returns the next deadline: -1 for none.
func (w *writer) serveExpired(head uint64) time.Duration {
	w.readClock()
	now := w.now.Sub(processStart)
	for {
		c, next := w.timers.expired(now)
		if c == nil {
			return next
		}
		w.timers.remove(c)
		w.serve(c, head)
	}
}

// serve does everything that is due for one connection. head is the newest tick of this pass: later ticks are left to the
// next one, so that a writer that is behind writes them together.
func (w *writer) serve(c *conn, head uint64) {
	if !c.ready.Load() || c.state == stateClosed {
		return
	}
	defer w.recoverPanic(c)
	events := c.events.Load()
	if w.reused++; w.reused > clockReuse || events != 0 || c.state != stateStreaming || c.pending != nil || c.throttle != nil {
		w.readClock()
	}
	now := w.now
	if c.state == stateNew {
		w.open(c)
	}
	if events != 0 {
		events = c.events.Swap(0)
		w.handleEvents(c, events)
		if c.state == stateClosed {
			return
		}
	}
	if c.pending != nil && (events&eventWritable == 0 || !w.resumeWrite(c)) {
		if c.state != stateClosed && now.Sub(processStart)-c.pending.since >= w.pool.opt.WriteTimeout {
			c.sub.MarkSlow()
			c.close(unix.ETIMEDOUT, false)
		}
	} else if c.state != stateClosed {
		w.advance(c, now, head)
	}
	if c.state != stateClosed {
		w.timers.set(c, w.deadline(c))
	}
}

// recoverPanic closes the connection whose service panicked; the others are not affected.
func (w *writer) recoverPanic(c *conn) {
	v := recover()
	if v == nil {
		return
	}
	w.pool.opt.OnPanic("shard", v)
	defer func() {
		if v := recover(); v != nil {
			w.pool.opt.OnPanic("shard, after another panic", v)
		}
	}()
	if c.state == stateNew && len(c.responseHead) > 0 {
		_, _ = write(c.fd, c.responseHead) // the request was valid, so it gets its response
	}
	c.close(nil, false)
}

// advance continues with a connection that has no pending bytes.
func (w *writer) advance(c *conn, now time.Time, head uint64) {
	switch c.state {
	case stateStreaming:
		switch {
		case c.inputEnded:
			w.writeFinal(c)
		case c.throttle != nil && (len(c.held) > 0 || !c.throttle.Idle(now)):
			w.streamThrottled(c, now)
		default:
			w.stream(c, now, head)
		}
	case stateFinal:
		w.finish(c)
	case stateWaitInput:
		if c.inputEnded {
			w.writeFinal(c)
		} else if now.Sub(processStart) >= c.closeBy {
			c.closeAfterFIN()
		}
	case stateWaitEOF:
		if now.Sub(processStart) >= c.closeBy {
			c.close(nil, false)
		}
	}
}

// deadline returns when to serve a connection if nothing happens.
func (w *writer) deadline(c *conn) time.Duration {
	switch {
	case c.pending != nil:
		return c.pending.since + w.pool.opt.WriteTimeout
	case c.state >= stateWaitInput:
		return c.closeBy
	case len(c.held) > 0 && c.releaseAt > 0:
		return c.releaseAt
	default:
		return c.sub.Deadline().Sub(processStart)
	}
}
