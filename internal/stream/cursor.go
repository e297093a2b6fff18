package stream

import (
	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// cursor reads a subscriber's ticks from the log. One goroutine uses it.
type cursor struct {
	log      *Log
	format   wire.Format
	topics   quote.Topics
	mode     Mode
	pos      uint64 // all ticks of the topics up to this seq were read
	caughtUp bool   // has reached the head; until then it may lag by any number of ticks

	// A cursor of some symbols, or in mode latest, first collects the seqs of its ticks, then reads those.
	pending   []pendingTick
	next      int    // index into pending
	pendingTo uint64 // pos once all of pending are read
	buf       []byte
	latest    latestState
}

// pendingTick is a tick to be read: its seq, and its symbol's index in topics.IDs() (mode latest only).
type pendingTick struct {
	seq    uint64
	symbol int
}

// readLimits bounds one read.
type readLimits struct {
	horizon uint64 // the last seq to read
	bytes   int    // most bytes, but always at least one tick
	ticks   uint64 // most ticks
	maxLag  uint64 // most ticks that the next one may lag once the cursor has caught up; 0 for no bound
	lagFrom uint64 // the seq that maxLag counts from, ≥ horizon
	exact   bool   // no tick beyond the horizon, even of a shared block
}

// batch is the result of one read: the bytes of some ticks, valid until the next read.
type batch struct {
	bytes       []byte
	ticks       uint64
	payload     int // bytes of the messages in their encoding, before framing
	first, last uint64
	conflated   uint64 // ticks left out before these, in mode latest
	compressIn  int    // bytes compressed, and what they became; 0 for none
	compressOut int
}

// A cursor drops the buffers that it needed to catch up once it reads few ticks at a time: a stream lives for hours.
const (
	maxIdleBuffer  = 4 << 10
	maxIdlePending = 256
	fewTicks       = 4
)

// seek moves the cursor to a position.
func (c *cursor) seek(pos uint64) {
	c.pos = pos
	c.dropPending()
	if c.mode == ModeLatest {
		c.latest.seek(c)
	}
}

func (c *cursor) dropPending() { c.pending, c.next = c.pending[:0], 0 }

// read returns the next ticks within the limits. An empty batch means that the cursor is at the horizon. ok is false when
// the next tick has left the log or lags too far; pos is then that of the last tick read.
func (c *cursor) read(lim *readLimits) (b batch, ok bool) {
	c.grow()
	c.latest.skipped = false
	switch {
	case c.pos >= lim.horizon:
		ok = true
	case c.mode == ModeLatest:
		b, ok = c.readLatest(lim), true
	case c.topics.Every():
		b, ok = c.readAll(lim)
	default:
		b, ok = c.readFiltered(lim)
	}
	if ok {
		c.noteCaughtUp(lim.lagFrom)
	}
	return b, ok
}

// grow adds the symbols that the topics have got. A tick up to a horizon that was known before is of none of those that are added
// later, so no cursor passes over a tick of its topics.
func (c *cursor) grow() {
	u := c.log.cfg.Universe
	if !u.Outdated(c.topics) {
		return
	}
	c.topics = u.Current(c.topics)
	if c.mode == ModeLatest {
		c.latest.grow(c)
	}
}

// noteCaughtUp is called after a read towards target.
func (c *cursor) noteCaughtUp(target uint64) {
	if c.pos >= target {
		c.caughtUp = true
	}
}

// lags reports whether the tick with this seq is further behind than the limits allow.
func (c *cursor) lags(seq uint64, lim *readLimits) bool {
	return c.caughtUp && lim.maxLag > 0 && lim.lagFrom-min(lim.lagFrom, seq)+1 > lim.maxLag
}

// readAll returns a slice of a segment's render, shared by all subscribers of all symbols.
func (c *cursor) readAll(lim *readLimits) (b batch, ok bool) {
	s := c.log.segment(c.pos + 1)
	if s == nil || c.lags(c.pos+1, lim) {
		return b, false
	}
	from := int(c.pos + 1 - s.base)
	r, to := c.log.rendered(s, c.format, from, lim.horizon)
	to = r.fit(from, min(to, from+int(min(lim.ticks, segmentTicks))-1), lim.bytes)
	b.bytes, b.payload = r.span(from, to)
	b.first = c.pos + 1
	b.ticks = uint64(to - from + 1)
	c.pos += b.ticks
	b.last = c.pos
	return b, true
}

// appendTick copies one tick of a segment to the batch. It returns false when the tick doesn't fit.
func (c *cursor) appendTick(s *segment, seq uint64, lim *readLimits, b *batch) bool {
	i := int(seq - s.base)
	r, _ := c.log.rendered(s, c.format, i, max(lim.horizon, seq))
	tick, payload := r.span(i, i)
	return c.appendBytes(tick, payload, seq, lim.bytes, b)
}

func (c *cursor) appendBytes(tick []byte, payload int, seq uint64, limit int, b *batch) bool {
	if b.ticks > 0 && len(c.buf)+len(tick) > limit {
		return false
	}
	if b.ticks == 0 {
		b.first = seq
	}
	c.buf = append(c.buf, tick...)
	b.bytes = c.buf
	b.ticks++
	b.payload += payload
	b.last = seq
	return true
}
