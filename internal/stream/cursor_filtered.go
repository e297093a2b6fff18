package stream

import (
	"cmp"
	"slices"
)

// maxPending is about how many pending ticks a cursor collects at once. A cursor further behind collects in several
// steps, so that a client that doesn't read costs no more memory.
const maxPending = 8192

// readFiltered copies the ticks of the cursor's symbols into its buffer.
func (c *cursor) readFiltered(lim *readLimits) (b batch, ok bool) {
	for c.next == len(c.pending) {
		if c.pos >= lim.horizon {
			return b, true
		}
		if !c.collectPending(lim.horizon) {
			return b, false
		}
		if len(c.pending) == 0 {
			c.pos = c.pendingTo
		}
	}
	if c.lags(c.pending[c.next].seq, lim) {
		return b, false
	}
	if cap(c.buf) > maxIdleBuffer && len(c.pending)-c.next <= fewTicks {
		c.buf = nil
	}
	c.buf = c.buf[:0]
	for ; c.next < len(c.pending) && b.ticks < lim.ticks; c.next++ {
		seq := c.pending[c.next].seq
		s := c.log.segment(seq)
		if s == nil {
			return b, b.ticks > 0 // the next read finds the loss again
		}
		if !c.appendTick(s, seq, lim, &b) {
			return b, true
		}
		c.pos = seq
	}
	if c.next == len(c.pending) {
		c.pos = c.pendingTo
	}
	return b, true
}

// collectPending fills pending with the cursor's ticks in (pos, pendingTo], where pendingTo is the horizon or as far as
// maxPending allows. It returns false when some of them have left the log. When little is new it scans the log, else it
// follows each symbol's ticks backwards.
func (c *cursor) collectPending(horizon uint64) bool {
	c.pendingTo = horizon
	if cap(c.pending) > maxIdlePending && horizon-c.pos <= maxIdlePending {
		c.pending = nil
	}
	if n := horizon - c.pos; n <= uint64(4*len(c.topics.IDs())+16) && n <= maxPending && c.scanLog() {
		return true
	}
	return c.followSymbols()
}

// scanLog reads every entry. It returns false when an entry has left the log, whether or not it is of the cursor's
// symbols.
func (c *cursor) scanLog() bool {
	c.dropPending()
	for seq := c.pos + 1; seq <= c.pendingTo; seq++ {
		e := c.log.entry(seq)
		if e == nil {
			return false
		}
		if c.topics.Has(e.tick.Symbol) {
			c.pending = append(c.pending, pendingTick{seq: seq})
		}
	}
	return true
}

func (c *cursor) followSymbols() bool {
	c.dropPending()
	for _, id := range c.topics.IDs() {
		for seq := c.log.newest[id].Load(); seq > c.pos; {
			e := c.log.entry(seq)
			if e == nil {
				c.pending = c.pending[:0]
				return false
			}
			if seq <= c.pendingTo {
				c.pending = append(c.pending, pendingTick{seq: seq})
			}
			if len(c.pending) >= maxPending && c.pendingTo > c.pos+maxPending {
				// Following from the newest tick in every step would take time quadratic in the log's length.
				if c.pendingTo = c.pos + maxPending; c.scanLog() {
					return true
				}
				return c.followSymbols()
			}
			seq = e.prev
		}
	}
	c.sortPending()
	return true
}

func (c *cursor) sortPending() {
	slices.SortFunc(c.pending, func(a, b pendingTick) int { return cmp.Compare(a.seq, b.seq) })
}
