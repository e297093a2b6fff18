package history

import (
	"fmt"
	"math"
	"sort"

	"ticklane/internal/quote"
)

// Latest is a time after all bars, and Earliest one before all.
const (
	Latest   = math.MaxInt64
	Earliest = math.MinInt64
)

// Page is a sequence of bars of a symbol, the oldest first. Intervals without a tick have no bar.
type Page struct {
	Bars []Bar
	// More reports whether there are older bars in the range.
	More bool
	// Seq is the position from which to continue: the bars include all ticks up to it and none after it.
	Seq uint64
	// Volume is the day volume at Seq: the next tick's volume minus it is the quantity traded. Known is false before the
	// first tick.
	Volume quote.Size
	Known  bool
}

// Bars returns the newest bars of a symbol that start before a time in µs since 1970, at most limit. A bar that contains that
// time is returned too. An error starts with the name of the invalid parameter: id, interval or limit; or it wraps ErrRead.
func (s *Store) Bars(id quote.ID, interval Interval, before int64, limit int) (Page, error) {
	return s.Range(id, interval, Earliest, before, limit)
}

// Range returns the newest bars of a symbol that start at from or later and before another time, both in µs since 1970, at most
// limit. An error starts with the name of the invalid parameter: id, interval or limit; or it wraps ErrRead.
func (s *Store) Range(id quote.ID, interval Interval, from, before int64, limit int) (Page, error) {
	length := interval.Duration().Microseconds()
	switch {
	case id < 0 || int(id) >= s.universe.Len():
		return Page{}, fmt.Errorf("id: %d: the universe has %d symbols", id, s.universe.Len())
	case length == 0:
		_, err := ParseInterval(string(interval))
		return Page{}, err
	case limit < 1:
		return Page{}, fmt.Errorf("limit: %d: want at least 1", limit)
	}
	from = max(from, s.oldestKept(interval))
	k := base(interval)
	merged := length != spans[k]
	if merged { // these start at multiples of their length
		if start := floorDiv(before, length) * length; start < before && before <= Latest-length {
			before = start + length // include the bar that contains it
		}
		if from > Earliest+length {
			from = -floorDiv(-from, length) * length
		}
	}
	// Enough for limit intervals and another one, which shows whether there are more or which merge leaves out. Gaps only make the
	// bars reach further back.
	n := (min(limit, math.MaxInt32) + 1) * int(length/spans[k])
	p, complete, err := s.newest(id, k, from, before, n)
	if err != nil {
		return Page{}, err
	}
	if merged {
		p.Bars = merge(p.Bars, length, complete)
	}
	if over := len(p.Bars) - limit; over > 0 {
		p.Bars, p.More = p.Bars[over:], true
	}
	return p, nil
}

// newest returns a page with the newest n bars of length spans[k] in a range of times. complete reports whether these are all the
// bars in the range that the symbol ever had.
func (s *Store) newest(id quote.ID, k int, from, before int64, n int) (p Page, complete bool, err error) {
	if s.delayed != nil {
		s.delayed.live.touch(id)
	}
	p, older, complete := s.newestInMemory(id, k, from, before, n)
	missing := n - len(p.Bars)
	if complete || missing == 0 || s.saved == nil && s.delayed == nil {
		return p, complete, nil
	}
	if s.delayed != nil {
		o, complete, err := s.delayed.live.newest(id, k, from, min(before, older.than), missing)
		p.Bars = append(o.Bars, p.Bars...)
		return p, complete, err
	}
	stored, err := s.saved.read(older.series, k, from, min(before, older.than), missing)
	if err != nil {
		return Page{}, false, err
	}
	p.Bars = append(stored, p.Bars...)
	return p, len(stored) < missing, nil
}

// olderBars says which bars of a symbol are elsewhere: in the file, or in that of the live store.
type olderBars struct {
	series uint32
	than   int64 // the start of the oldest bar in memory
}

// newestInMemory is newest without the file.
func (s *Store) newestInMemory(id quote.ID, k int, from, before int64, n int) (p Page, older olderBars, complete bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inMemory(id, k, from, before, n)
}

// inMemory is newestInMemory with s.mu locked.
func (s *Store) inMemory(id quote.ID, k int, from, before int64, n int) (p Page, older olderBars, complete bool) {
	x := &s.symbols[id]
	if s.saved != nil {
		x = s.symbol(id) // one that came later may have stored bars
	}
	ring, written := x.bars[k], x.written[k]
	first := max(0, written-len(ring))
	find := func(t int64) int { // the first bar that starts at t or later
		return first + sort.Search(written-first, func(i int) bool { return ring[(first+i)%len(ring)].T >= t })
	}
	lower, end := find(from), find(before)
	if s.delayed != nil {
		end = min(end, s.visible(id, k))
	}
	start := max(lower, end-n)
	p.Bars = make([]Bar, 0, max(0, end-start))
	for i := start; i < end; i++ {
		p.Bars = append(p.Bars, ring[i%len(ring)])
	}
	p.Seq, p.Volume, p.Known = s.seq, x.volume.volume, x.volume.seen && s.volumeVisible(x)
	older = olderBars{series: x.number, than: Latest}
	if written > 0 {
		older.than = ring[first%len(ring)].T
	}
	if s.delayed != nil {
		older.than = min(older.than, s.visibleBefore(x, k))
	}
	// All bars of the range are in memory if it begins after the oldest one, or if none was dropped.
	all := lower > first || first == 0 && s.saved == nil && (s.delayed == nil || written == 0)
	return p, older, all && start <= lower
}

// merge merges bars into bars with a length in µs, in place. If complete is false, older bars have been dropped: a first bar that
// may lack its beginning is left out.
func merge(bars []Bar, length int64, complete bool) []Bar {
	if !complete && len(bars) > 0 && floorDiv(bars[0].T, length)*length != bars[0].T {
		first := floorDiv(bars[0].T, length)
		for len(bars) > 0 && floorDiv(bars[0].T, length) == first {
			bars = bars[1:]
		}
	}
	merged := bars[:0]
	for _, b := range bars {
		b.T = floorDiv(b.T, length) * length
		if n := len(merged); n > 0 && merged[n-1].T == b.T {
			merged[n-1].add(b)
		} else {
			merged = append(merged, b)
		}
	}
	return merged
}
