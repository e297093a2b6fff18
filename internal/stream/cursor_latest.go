package stream

// latestState is what a cursor in mode latest needs besides its position.
type latestState struct {
	sent    []uint64 // the N of the last tick read of each of the topics' symbols; unknownN when it isn't known
	skipped bool     // the last read left out a tick that one beyond its horizon has replaced
}

const unknownN = ^uint64(0)

func (l *latestState) seek(c *cursor) {
	l.sent = make([]uint64, len(c.topics.IDs()))
	for k, id := range c.topics.IDs() {
		switch e, known := c.log.newestAt(id, c.pos); {
		case !known:
			l.sent[k] = unknownN
		case e != nil:
			l.sent[k] = e.tick.N
		}
	}
}

// grow adds the symbols that the topics have got after the others: none of their ticks were read.
func (l *latestState) grow(c *cursor) {
	l.sent = append(l.sent, make([]uint64, len(c.topics.IDs())-len(l.sent))...)
}

// readLatest copies the newest tick of each symbol that has ticked since pos, in order of seq. It loses nothing when
// segments leave the log, because a symbol's newest tick is always known.
func (c *cursor) readLatest(lim *readLimits) (b batch) {
	if c.next == len(c.pending) {
		c.collectLatest(lim.horizon)
	}
	c.buf = c.buf[:0]
	for ; c.next < len(c.pending) && b.ticks < lim.ticks; c.next++ {
		p := c.pending[c.next]
		id := c.topics.IDs()[p.symbol]
		e, known := c.log.newestAt(id, p.seq)
		if !known || e == nil || e.tick.Seq != p.seq {
			c.latest.skipped = true
			continue
		}
		var fits bool
		if s := c.log.segment(p.seq); s != nil {
			fits = c.appendTick(s, p.seq, lim, &b)
		} else {
			body := c.format.Encoding().AppendQuote(nil, c.log.cfg.Universe.Instrument(id), &e.tick)
			text, payload := c.log.appendTick(nil, c.format, &e.tick, body)
			fits = c.appendBytes(text, payload, p.seq, lim.bytes, &b)
		}
		if !fits {
			return b
		}
		if sent := c.latest.sent[p.symbol]; sent != unknownN && e.tick.N > sent {
			b.conflated += e.tick.N - sent - 1
		}
		c.latest.sent[p.symbol] = e.tick.N
		c.pos = p.seq
	}
	if c.next == len(c.pending) {
		c.pos = c.pendingTo
	}
	return b
}

func (c *cursor) collectLatest(horizon uint64) {
	c.dropPending()
	c.pendingTo = horizon
	for k, id := range c.topics.IDs() {
		if c.log.newest[id].Load() <= c.pos {
			continue
		}
		e, known := c.log.newestAt(id, horizon)
		if !known {
			c.latest.skipped = true // a newer tick, beyond the horizon, has replaced it
			continue
		}
		if e != nil && e.tick.Seq > c.pos {
			c.pending = append(c.pending, pendingTick{seq: e.tick.Seq, symbol: k})
		}
	}
	c.sortPending()
}
