package stream

import (
	"cmp"
	"slices"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// cursor is a place in the log, and what it takes to read on from there. Only its owner touches it.
type cursor struct {
	log    *Log
	format wire.Format
	topics quote.Topics
	mode   Mode
	pos    uint64 // everything asked for up to here was handed over
	caught bool   // has stood at the head; before that it may be as far behind as its client asked
	front  uint64 // where the horizon is, when a read goes less far

	// A cursor that doesn't want everything first finds its own ticks, then hands them over.
	pending []own
	next    int    // into pending
	until   uint64 // where pos will stand when pending is done
	buf     []byte
	sent    []uint64 // mode latest: the N last handed over of each of the topics' symbols; unknownN when not known
	stale   bool     // mode latest: the last read left out a tick that a newer one, beyond its horizon, had replaced
}

// own is a tick that the cursor wants: its seq, and its symbol's place in topics.IDs() (mode latest only).
type own struct {
	seq uint64
	k   int
}

const unknownN = ^uint64(0)

// piece is what one read gives: the bytes of some ticks, valid until the next read.
type piece struct {
	bytes     []byte
	ticks     uint64
	payload   int    // bytes of its messages in their encoding, before framing
	first     uint64 // the seq of its first tick
	last      uint64
	conflated uint64 // ticks left out before it
}

// seek puts the cursor at a position.
func (c *cursor) seek(pos uint64) {
	c.pos = pos
	c.pending, c.next = c.pending[:0], 0
	if c.mode != ModeLatest {
		return
	}
	c.sent = make([]uint64, len(c.topics.IDs()))
	for k, id := range c.topics.IDs() {
		switch e, ok := c.log.at(id, pos); {
		case !ok:
			c.sent[k] = unknownN
		case e != nil:
			c.sent[k] = e.tick.N
		}
	}
}

// read hands over ticks up to seq horizon: at most limit bytes (but at least one tick) and at most most ticks.
// An empty piece says that it stands at the horizon. ok is false when ticks that it wants are no longer there
// (or, for a cursor that had caught up, are more than lag old); pos is then the last it had.
func (c *cursor) read(horizon uint64, limit int, most, lag uint64) (p piece, ok bool) {
	c.stale = false
	switch {
	case c.pos >= horizon:
		c.caught = true
		return p, true
	case c.mode == ModeLatest:
		return c.readLatest(horizon, limit, most), true
	case c.topics.Every():
		return c.readEvery(horizon, limit, most, lag)
	}
	return c.readOwn(horizon, limit, most, lag)
}

// readEvery takes a slice that all subscribers share: no copy.
func (c *cursor) readEvery(horizon uint64, limit int, most, lag uint64) (p piece, ok bool) {
	s := c.log.segment(c.pos + 1)
	if s == nil || c.late(c.pos+1, horizon, lag) {
		return p, false
	}
	from := int(c.pos + 1 - s.base)
	r, to := c.log.rendered(s, c.format, from, horizon)
	to = r.fit(from, min(to, from+int(min(most, segmentTicks))-1), limit)
	p.bytes, p.payload = r.span(from, to)
	p.first = c.pos + 1
	p.ticks = uint64(to - from + 1)
	c.pos += p.ticks
	p.last = c.pos
	return p, true
}

// readOwn gathers the cursor's own ticks into its buffer.
func (c *cursor) readOwn(horizon uint64, limit int, most, lag uint64) (p piece, ok bool) {
	for c.next == len(c.pending) {
		if c.pos >= horizon {
			c.caught = true
			return p, true
		}
		if !c.find(horizon) {
			return p, false
		}
		if len(c.pending) == 0 {
			c.pos = c.until
		}
	}
	if c.late(c.pending[c.next].seq, horizon, lag) {
		return p, false
	}
	if cap(c.buf) > keptBytes && len(c.pending)-c.next <= few {
		c.buf = nil
	}
	c.buf = c.buf[:0]
	for ; c.next < len(c.pending) && p.ticks < most; c.next++ {
		seq := c.pending[c.next].seq
		s := c.log.segment(seq)
		if s == nil {
			return p, p.ticks > 0 // what was gathered goes out first; the next read finds the loss again
		}
		if !c.gather(s, seq, horizon, limit, &p) {
			return p, true
		}
		c.pos = seq
	}
	if c.next == len(c.pending) {
		c.pos = c.until
	}
	return p, true
}

// gather appends one tick to the piece; false when it doesn't fit any more.
func (c *cursor) gather(s *segment, seq, head uint64, limit int, p *piece) bool {
	i := int(seq - s.base)
	r, _ := c.log.rendered(s, c.format, i, max(head, seq))
	b, payload := r.span(i, i)
	return c.put(b, payload, seq, limit, p)
}

func (c *cursor) put(b []byte, payload int, seq uint64, limit int, p *piece) bool {
	if p.ticks > 0 && len(c.buf)+len(b) > limit {
		return false
	}
	if p.ticks == 0 {
		p.first = seq
	}
	c.buf = append(c.buf, b...)
	p.bytes = c.buf
	p.ticks++
	p.payload += payload
	p.last = seq
	return true
}

// late tells whether the tick that comes next lies too far behind.
func (c *cursor) late(first, horizon, lag uint64) bool {
	horizon = max(horizon, c.front)
	return c.caught && lag > 0 && horizon-min(horizon, first)+1 > lag
}

// maxPending is about how many ticks to come a cursor remembers. One that is further behind goes in several steps,
// so that a client that doesn't read costs no more.
const maxPending = 8192

// What a cursor needed to catch up, it gives back once it reads few ticks at a time: a stream lives for hours after that.
const (
	keptBytes   = 4 << 10
	keptPending = 256
	few         = 4
)

// find fills pending with the own ticks in (pos, until], where until is the horizon or as far as maxPending allows;
// false when some of them have left the log. It takes the cheaper way: through the log when little is new, else back
// along each symbol's own ticks.
func (c *cursor) find(horizon uint64) bool {
	c.until = horizon
	if cap(c.pending) > keptPending && horizon-c.pos <= keptPending {
		c.pending = nil
	}
	if n := horizon - c.pos; n <= uint64(4*len(c.topics.IDs())+16) && n <= maxPending && c.findThrough() {
		return true
	}
	return c.findAlong()
}

// findThrough looks at every tick; false when one has left the log, which may be nobody's loss.
func (c *cursor) findThrough() bool {
	c.pending, c.next = c.pending[:0], 0
	for seq := c.pos + 1; seq <= c.until; seq++ {
		e := c.log.entry(seq)
		if e == nil {
			return false
		}
		if c.topics.Has(e.tick.Symbol) {
			c.pending = append(c.pending, own{seq: seq})
		}
	}
	return true
}

func (c *cursor) findAlong() bool {
	c.pending, c.next = c.pending[:0], 0
	for _, id := range c.topics.IDs() {
		for seq := c.log.newest[id].Load(); seq > c.pos; {
			e := c.log.entry(seq)
			if e == nil {
				c.pending = c.pending[:0]
				return false
			}
			if seq <= c.until {
				c.pending = append(c.pending, own{seq: seq})
			}
			if len(c.pending) >= maxPending && c.until > c.pos+maxPending {
				// To walk on from the newest at each step would cost the square of a long log.
				if c.until = c.pos + maxPending; c.findThrough() {
					return true
				}
				return c.findAlong()
			}
			seq = e.prev
		}
	}
	slices.SortFunc(c.pending, func(a, b own) int { return cmp.Compare(a.seq, b.seq) })
	return true
}

// readLatest gathers the newest tick of each symbol that moved since pos, in order of seq. It needs no log: a
// symbol's newest tick is known for ever.
func (c *cursor) readLatest(horizon uint64, limit int, most uint64) (p piece) {
	if c.next == len(c.pending) {
		c.findLatest(horizon)
	}
	c.buf = c.buf[:0]
	for ; c.next < len(c.pending) && p.ticks < most; c.next++ {
		o := c.pending[c.next]
		id := c.topics.IDs()[o.k]
		e, ok := c.log.at(id, o.seq)
		if !ok || e == nil || e.tick.Seq != o.seq {
			c.stale = true
			continue
		}
		if s := c.log.segment(o.seq); s != nil {
			ok = c.gather(s, o.seq, horizon, limit, &p)
		} else {
			body := c.format.Encoding().AppendQuote(nil, c.log.cfg.Universe.Symbol(id).Ticker, &e.tick)
			ok = c.put(c.format.AppendTick(nil, c.log.cfg.Epoch, o.seq, body), len(body), o.seq, limit, &p)
		}
		if !ok {
			return p
		}
		if had := c.sent[o.k]; had != unknownN && e.tick.N > had {
			p.conflated += e.tick.N - had - 1
		}
		c.sent[o.k] = e.tick.N
		c.pos = o.seq
	}
	if c.next == len(c.pending) {
		c.pos, c.caught = c.until, true
	}
	return p
}

func (c *cursor) findLatest(horizon uint64) {
	c.pending, c.next, c.until = c.pending[:0], 0, horizon
	for k, id := range c.topics.IDs() {
		if c.log.newest[id].Load() <= c.pos {
			continue
		}
		e, ok := c.log.at(id, horizon)
		if !ok {
			c.stale = true // the state at the horizon has gone, so a newer one is there
			continue
		}
		if e != nil && e.tick.Seq > c.pos {
			c.pending = append(c.pending, own{seq: e.tick.Seq, k: k})
		}
	}
	slices.SortFunc(c.pending, func(a, b own) int { return cmp.Compare(a.seq, b.seq) })
}
