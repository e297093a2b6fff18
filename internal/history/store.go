// Package history keeps bars of the last trade price, for charts.
package history

import (
	"fmt"
	"math"
	"sort"
	"sync"
	"time"

	"ticklane/internal/quote"
)

// Bar is what a symbol's last price did in one interval, and how much was traded.
type Bar struct {
	T          int64 // the interval's start, µs since 1970
	O, H, L, C quote.Price
	V          int64 // shares
}

const (
	barBytes = 48
	// DefaultKeep gives two hours of 10s bars, twelve of 1m and 5m, a week of 15m and 1h.
	DefaultKeep = 720
	// MaxBytes bounds the bars of one Store; New keeps fewer when the universe is large.
	MaxBytes = 128 << 20
)

// spans are the lengths that are kept; the other intervals are put together from them. In µs.
var spans = [...]int64{
	(10 * time.Second).Microseconds(),
	time.Minute.Microseconds(),
	(15 * time.Minute).Microseconds(),
}

// Store holds the newest bars of every symbol. One goroutine adds, any number read; a reader holds the
// writer up for as long as a copy of at most keep bars takes, some microseconds.
type Store struct {
	universe *quote.Universe
	keep     int

	mu      sync.Mutex
	seq     uint64
	days    []volumeDay
	bars    [len(spans)][]Bar // symbol after symbol, keep places each, a ring
	written [len(spans)][]int // bars so far, by symbol
}

// volumeDay is a symbol's day volume as it was last seen.
type volumeDay struct {
	number int64 // days since 1970
	volume int64
	seen   bool
}

// New makes a store of the newest keep bars of 10s, 1m and 15m for each symbol, 48 bytes each: at the default
// of 720 it takes 104 kB a symbol, so 5 MB for 50. From 1,295 symbols on it keeps fewer bars, so that the
// whole stays under MaxBytes: 186 for 5,000 symbols. The memory is taken at once and never grows.
func New(u *quote.Universe, keep int) (*Store, error) {
	if keep < 1 {
		return nil, fmt.Errorf("keep: %d: want at least 1 bar", keep)
	}
	if most := MaxBytes / (barBytes * len(spans) * u.Len()); keep > most {
		keep = max(most, 1)
	}
	s := &Store{universe: u, keep: keep, days: make([]volumeDay, u.Len())}
	for k := range spans {
		s.bars[k] = make([]Bar, u.Len()*keep)
		s.written[k] = make([]int, u.Len())
	}
	return s, nil
}

// Keep returns how many bars of each kept length there are for a symbol.
func (s *Store) Keep() int { return s.keep }

// Add takes ticks into the bars, in order of Due and Seq; one goroutine calls it. It keeps nothing of the
// slice and allocates nothing. A symbol's first tick brings its price but no volume, since it can't be told
// what of the day was traded now. A tick older than the newest bar counts into that bar.
func (s *Store) Add(ticks []quote.Tick) {
	if len(ticks) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range ticks {
		t := &ticks[i]
		traded := s.days[t.Symbol].grow(t)
		for k, span := range spans {
			s.fold(k, span, t, traded)
		}
	}
	s.seq = ticks[len(ticks)-1].Seq
}

func (d *volumeDay) grow(t *quote.Tick) int64 {
	before, today := *d, floorDiv(t.Due, (24*time.Hour).Microseconds())
	*d = volumeDay{number: today, volume: t.Volume, seen: true}
	switch {
	case !before.seen:
		return 0
	case today != before.number, t.Volume < before.volume: // a new day, or a feed that starts its count again
		return t.Volume
	}
	return t.Volume - before.volume
}

func (s *Store) fold(k int, span int64, t *quote.Tick, traded int64) {
	ring := s.bars[k][int(t.Symbol)*s.keep:][:s.keep]
	n := s.written[k][t.Symbol]
	if n > 0 {
		if bar := &ring[(n-1)%s.keep]; t.Due < bar.T+span {
			bar.H = max(bar.H, t.Last)
			bar.L = min(bar.L, t.Last)
			bar.C = t.Last
			bar.V += traded
			return
		}
	}
	ring[n%s.keep] = Bar{T: floorDiv(t.Due, span) * span, O: t.Last, H: t.Last, L: t.Last, C: t.Last, V: traded}
	s.written[k][t.Symbol] = n + 1
}

// Latest is a Before that leaves nothing out.
const Latest = math.MaxInt64

// Page is a run of a symbol's bars, the oldest first; an interval without a tick has none.
type Page struct {
	Bars []Bar
	// More tells that older ones are kept.
	More bool
	// Seq says where to go on: every tick up to it is in the bars, and none after it. The newest bar is still open.
	Seq uint64
	// Volume is the day's at Seq, which the next tick's growth is counted from; Known is false before the first tick.
	Volume int64
	Known  bool
}

// Bars returns a symbol's newest bars among those that start before a moment in µs, at most limit. Errors name
// the parameter: id, interval or limit.
func (s *Store) Bars(id quote.ID, interval Interval, before int64, limit int) (Page, error) {
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
	k := len(spans) - 1
	for length%spans[k] != 0 {
		k--
	}
	if start := floorDiv(before, length) * length; start < before && before <= Latest-length {
		before = start + length // a bar that starts before it is returned whole
	}
	most := s.keep
	if int64(limit) < int64(s.keep)*spans[k]/length {
		// These hold limit intervals and the begun one that merge leaves out, and gaps only make them reach further.
		// One interval more tells whether there is more.
		most = (limit + 1) * int(length/spans[k])
	}
	p, whole := s.copied(id, k, before, most)
	p.Bars = merge(p.Bars, length, whole)
	if over := len(p.Bars) - limit; over > 0 {
		p.Bars, p.More = p.Bars[over:], true
	}
	return p, nil
}

// copied has a symbol's newest bars of a kept length that start before a moment, the oldest first. whole tells
// that none older were dropped or left.
func (s *Store) copied(id quote.ID, k int, before int64, most int) (p Page, whole bool) {
	p.Bars = make([]Bar, 0, min(most, s.keep))
	s.mu.Lock()
	defer s.mu.Unlock()
	ring := s.bars[k][int(id)*s.keep:][:s.keep]
	n := s.written[k][id]
	oldest := max(0, n-s.keep)
	end := oldest + sort.Search(n-oldest, func(i int) bool { return ring[(oldest+i)%s.keep].T >= before })
	start := max(oldest, end-most)
	for i := start; i < end; i++ {
		p.Bars = append(p.Bars, ring[i%s.keep])
	}
	day := s.days[id]
	p.Seq, p.Volume, p.Known = s.seq, day.volume, day.seen
	return p, start == 0
}

// merge puts bars together to longer ones of length µs, in place. Where older bars were dropped, a longer
// bar that may lack its beginning is left out.
func merge(bars []Bar, length int64, whole bool) []Bar {
	if !whole && len(bars) > 0 && floorDiv(bars[0].T, length)*length != bars[0].T {
		cut := floorDiv(bars[0].T, length)
		for len(bars) > 0 && floorDiv(bars[0].T, length) == cut {
			bars = bars[1:]
		}
	}
	merged := bars[:0]
	for _, b := range bars {
		b.T = floorDiv(b.T, length) * length
		n := len(merged)
		if n == 0 || merged[n-1].T != b.T {
			merged = append(merged, b)
			continue
		}
		last := &merged[n-1]
		last.H = max(last.H, b.H)
		last.L = min(last.L, b.L)
		last.C = b.C
		last.V += b.V
	}
	return merged
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
