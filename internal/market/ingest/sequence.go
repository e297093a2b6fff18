package ingest

import (
	"cmp"
	"slices"
)

// Range is the numbers From to To, both included.
type Range struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
}

// maxHoles bounds the holes of a source that are remembered: the oldest are forgotten.
const maxHoles = 1024

// sequence decides which lines of a source are new, by their n. Numbers that were left out are holes, which may be filled later.
type sequence struct {
	last  uint64
	holes []Range // ascending, all below last
}

// take reports whether n is new, and remembers it.
func (s *sequence) take(n uint64) bool {
	switch {
	case n == s.last+1:
	case n > s.last:
		s.holes = append(s.holes, Range{s.last + 1, n - 1})
		s.forgetHoles()
	default:
		return s.fill(n)
	}
	s.last = n
	return true
}

// takeRange remembers numbers, which may have come before.
func (s *sequence) takeRange(r Range) {
	if r.From > s.last {
		s.take(r.From)
		s.last = r.To
		return
	}
	s.last = max(s.last, r.To)
	first, _ := slices.BinarySearchFunc(s.holes, r.From, func(h Range, n uint64) int { return cmp.Compare(h.To, n) })
	end := first
	var rest []Range
	for ; end < len(s.holes) && s.holes[end].From <= r.To; end++ {
		h := s.holes[end]
		if h.From < r.From {
			rest = append(rest, Range{h.From, r.From - 1})
		}
		if h.To > r.To {
			rest = append(rest, Range{r.To + 1, h.To})
		}
	}
	s.holes = slices.Replace(s.holes, first, end, rest...)
	s.forgetHoles()
}

// fill reports whether n is in a hole, and takes it out of that.
func (s *sequence) fill(n uint64) bool {
	i, found := slices.BinarySearchFunc(s.holes, n, func(h Range, n uint64) int {
		switch {
		case h.To < n:
			return -1
		case h.From > n:
			return 1
		}
		return 0
	})
	if !found {
		return false
	}
	switch h := s.holes[i]; {
	case h.From == h.To:
		s.holes = slices.Delete(s.holes, i, i+1)
	case h.From == n:
		s.holes[i].From++
	case h.To == n:
		s.holes[i].To--
	default:
		s.holes[i].To = n - 1
		s.holes = slices.Insert(s.holes, i+1, Range{n + 1, h.To})
		s.forgetHoles()
	}
	return true
}

// forgetHoles removes the oldest holes: see maxHoles.
func (s *sequence) forgetHoles() {
	s.holes = slices.Delete(s.holes, 0, max(0, len(s.holes)-maxHoles))
}
