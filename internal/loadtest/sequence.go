package loadtest

import "fmt"

// counts is what is wrong with what a connection got; all zero is complete.
type counts struct {
	Lost     uint64 `json:"lost"`       // missing, and nobody said so
	Doubled  uint64 `json:"doubled"`    // came again
	Disorder uint64 `json:"disorder"`   // came late, after a later one
	Gaps     uint64 `json:"gaps"`       // gap messages
	Told     uint64 `json:"told"`       // ticks lost that gap messages told of
	Resets   uint64 `json:"resets"`     // answers that the position is of another log
	Mislabel uint64 `json:"mislabeled"` // SSE events whose id isn't the tick's place
	Ignored  uint64 `json:"ignored"`    // positions that were sent, and answered as if there had been none
}

func (c *counts) add(d counts) {
	c.Lost += d.Lost
	c.Doubled += d.Doubled
	c.Disorder += d.Disorder
	c.Gaps += d.Gaps
	c.Told += d.Told
	c.Resets += d.Resets
	c.Mislabel += d.Mislabel
	c.Ignored += d.Ignored
}

// broken tells whether the contract was broken: a loss that was told is not.
func (c counts) broken() bool {
	return c.Lost > 0 || c.Doubled > 0 || c.Disorder > 0 || c.Mislabel > 0 || c.Ignored > 0
}

// wrong tells how the contract was broken.
func (c counts) wrong() string {
	s := fmt.Sprintf("%d ticks lost, %d doubled, %d out of order, %d with a wrong id", c.Lost, c.Doubled, c.Disorder, c.Mislabel)
	if c.Ignored > 0 {
		s += fmt.Sprintf(", %d positions ignored on coming back", c.Ignored)
	}
	return s
}

// sequence is a row of numbers that should come one after the other: the log's seqs for a client of everything, one
// symbol's for a filtered one.
type sequence struct {
	last  uint64
	known bool   // last is set
	holes []span // lost so far, ascending
}

type span struct{ from, to uint64 }

// maxHoles bounds what one sequence remembers of its losses.
const maxHoles = 1024

// take accounts for one number that came.
func (s *sequence) take(v uint64, c *counts) {
	switch {
	case v == s.last+1 || !s.known:
	case v > s.last:
		s.lose(s.last+1, v-1, c)
	case s.fill(v):
		c.Lost--
		c.Disorder++
		return
	default:
		c.Doubled++
		return
	}
	s.last, s.known = v, true
}

// reach accounts for numbers up to v that should have come by now.
func (s *sequence) reach(v uint64, c *counts) {
	if s.known && v > s.last {
		s.lose(s.last+1, v, c)
		s.last = v
	}
}

// skip goes on after v and returns how many numbers it left out.
func (s *sequence) skip(v uint64) (left uint64) {
	if s.known && v > s.last {
		left = v - s.last
	}
	if !s.known || v > s.last {
		s.last, s.known = v, true
	}
	return left
}

func (s *sequence) lose(from, to uint64, c *counts) {
	c.Lost += to - from + 1
	if len(s.holes) < maxHoles {
		s.holes = append(s.holes, span{from, to})
	}
}

// fill takes v out of the holes, if it is in one.
func (s *sequence) fill(v uint64) bool {
	for i, h := range s.holes {
		if v < h.from || v > h.to {
			continue
		}
		var rest []span
		if h.from < v {
			rest = append(rest, span{h.from, v - 1})
		}
		if v < h.to {
			rest = append(rest, span{v + 1, h.to})
		}
		s.holes = append(s.holes[:i:i], append(rest, s.holes[i+1:]...)...)
		return true
	}
	return false
}
