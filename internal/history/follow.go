package history

import (
	"encoding/binary"
	"fmt"

	"ticklane/internal/quote"
)

// taken is which ticks of a log are in the bars of a symbol: all up to a position. Epoch is 0 if it isn't known.
type taken struct {
	quote.Position
	since int64 // due time of the first of them
}

// Follow prepares the store for the ticks of a log that a later process can read again. Of these the store then takes each once, also
// after it was killed: Add leaves out ticks that are in the bars, and with a file each save stores which these are.
//
// It returns the seq up to which the bars have all ticks of the epoch, 0 if they have none. All ticks after it must be added, earlier
// ones may be. Call Follow before the first Add, and again before the ticks of another epoch; epoch isn't 0.
func (s *Store) Follow(epoch uint64) (complete uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epoch == epoch {
		return s.seq
	}
	s.epoch, s.seq = epoch, 0
	if s.saved != nil && s.saved.complete.Epoch == epoch {
		s.seq = s.saved.complete.Seq
	}
	for i := range s.symbols {
		s.continueSymbol(&s.symbols[i])
	}
	for _, d := range s.behind {
		d.mu.Lock()
		d.epoch, d.seq = epoch, s.seq
		d.mu.Unlock()
	}
	return s.seq
}

// continueSymbol sets since when the bars have all ticks of a symbol, if they have ticks of the log.
func (s *Store) continueSymbol(x *symbol) {
	x.skipped = Earliest
	if s.epoch != 0 && x.taken.Epoch == s.epoch {
		x.since = x.taken.since
	}
}

// take reports whether a tick of a symbol isn't in its bars yet, and notes that it is then.
func (s *Store) take(x *symbol, t *quote.Tick) bool {
	if s.epoch != 0 && s.epoch == x.taken.Epoch && t.Seq <= x.taken.Seq {
		return false
	}
	if x.since == Latest {
		x.since = t.Due
	}
	if s.epoch != 0 && t.Seq > 0 {
		x.taken = taken{quote.Position{Epoch: s.epoch, Seq: t.Seq}, x.since}
	}
	return true
}

// reportSkipped is reportBar for a tick that is in the bars: it reports the minute of the ticks before, which were left out too.
func (s *Store) reportSkipped(x *symbol, t *quote.Tick) {
	start := floorDiv(t.Due, spans[minutes]) * spans[minutes]
	if x.skipped != Earliest && start > x.skipped {
		ring, n := x.bars[minutes], x.written[minutes]
		for i := n - 1; i >= max(0, n-len(ring)) && ring[i%len(ring)].T >= x.skipped; i-- {
			if b := &ring[i%len(ring)]; b.T == x.skipped {
				s.reportTo(t, x, b)
			}
		}
	}
	x.skipped = max(x.skipped, start)
}

// newestSeq returns the seq up to which the bars have all ticks, after one with a seq was added. A log that is followed may be read
// again from before.
func (s *Store) newestSeq(added uint64) uint64 {
	if s.epoch == 0 {
		return added
	}
	return max(s.seq, added)
}

const completeKey = "complete"

// complete returns the position up to which the stored bars have all ticks; its epoch is 0 if it isn't known.
func (c *changes) complete() (p quote.Position, err error) {
	b, err := c.get(completeKey)
	if err != nil || b == nil {
		return p, err
	}
	r := reader{rest: b}
	p.Epoch, p.Seq = r.uint(), r.uint()
	if r.failed || len(r.rest) > 0 {
		return quote.Position{}, fmt.Errorf("%s: %w", completeKey, errDamaged)
	}
	return p, nil
}

// setComplete stores that position, in a file of the format that has it.
func (c *changes) setComplete(p quote.Position) error {
	if err := c.put("format", []byte(followedFormat)); err != nil {
		return err
	}
	return c.put(completeKey, binary.AppendUvarint(binary.AppendUvarint(nil, p.Epoch), p.Seq))
}

// append appends it, nothing if it isn't known.
func (t *taken) append(b []byte) []byte {
	if t.Epoch == 0 {
		return b
	}
	b = binary.AppendUvarint(b, t.Epoch)
	b = binary.AppendUvarint(b, t.Seq)
	return binary.AppendVarint(b, t.since)
}

// taken reads what append appends, at the end of a record.
func (r *reader) taken() (t taken) {
	if len(r.rest) == 0 {
		return t
	}
	t.Epoch, t.Seq, t.since = r.uint(), r.uint(), r.int()
	r.failed = r.failed || t.Epoch == 0
	return t
}
