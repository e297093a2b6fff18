package client

// sequence checks numbers that should arrive in order and without holes: the seqs of the log for a client of all
// symbols, the numbers of one symbol for a filtered one.
type sequence struct {
	last  uint64
	known bool   // last is set
	holes []span // lost so far, ascending
}

type span struct{ from, to uint64 }

// maxHoles bounds the holes that a sequence remembers.
const maxHoles = 1024

// take accounts for a number that arrived.
func (s *sequence) take(v uint64, c *Counts) {
	switch {
	case v == s.last+1 || !s.known:
	case v > s.last:
		s.lose(s.last+1, v-1, c)
	case s.fill(v):
		c.Lost--
		c.OutOfOrder++
		return
	default:
		c.Duplicates++
		return
	}
	s.last, s.known = v, true
}

// reach counts the numbers up to v that have not arrived as lost.
func (s *sequence) reach(v uint64, c *Counts) {
	if s.known && v > s.last {
		s.lose(s.last+1, v, c)
		s.last = v
	}
}

// skip continues after v and returns how many numbers it left out.
func (s *sequence) skip(v uint64) (skipped uint64) {
	if s.known && v > s.last {
		skipped = v - s.last
	}
	if !s.known || v > s.last {
		s.last, s.known = v, true
	}
	return skipped
}

func (s *sequence) lose(from, to uint64, c *Counts) {
	c.Lost += to - from + 1
	if len(s.holes) < maxHoles {
		s.holes = append(s.holes, span{from, to})
	}
}

// fill removes v from the holes and reports whether it was in one.
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
