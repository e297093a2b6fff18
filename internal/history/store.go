// Package history stores bars of the last price, for charts.
package history

import (
	"fmt"
	"math"
	"sort"
	"sync"
	"time"

	"ticklane/internal/quote"
)

// Bar summarizes the last price of a symbol in one interval, and the volume, in units of the instrument.
type Bar struct {
	T          int64 // start of the interval, µs since 1970
	O, H, L, C quote.Price
	V          quote.Size
}

const (
	barBytes = 48
	// DefaultKeep is the default number of bars: two hours of 10s bars, twelve of 1m and 5m bars, a week of 15m and 1h bars.
	DefaultKeep = 720
	// MaxDays is the largest number of daily bars, a trading year.
	MaxDays = 250
	// maxBytes limits the memory for the bars of a Store: New keeps fewer bars of a large universe.
	maxBytes = 128 << 20
)

// spans are the lengths of stored bars in µs. Bars of other intervals are merged from them.
var spans = [...]int64{
	(10 * time.Second).Microseconds(),
	time.Minute.Microseconds(),
	(15 * time.Minute).Microseconds(),
	day,
}

const day = 24 * 60 * 60 * 1_000_000 // µs

// Store has the newest bars of every symbol. One goroutine may call Add, any number of goroutines Bars, which block Add for the
// time to copy at most keep bars, some microseconds.
type Store struct {
	universe *quote.Universe
	keep     [len(spans)]int // bars of each symbol

	mu      sync.Mutex
	seq     uint64
	days    []volumeDay
	bars    [len(spans)][]Bar // a ring for each symbol
	written [len(spans)][]int // number of bars so far of each symbol
}

// volumeDay is the day volume of a symbol's newest tick.
type volumeDay struct {
	number int64 // days since 1970
	volume quote.Size
	seen   bool
}

// New returns a store for the newest keep bars of 10s, 1m and 15m of each symbol, and of as many days but at most MaxDays. A bar
// has 48 bytes: the default of 720 bars takes 116 kB per symbol, 6 MB for 50 symbols. With 1,161 or more symbols it keeps fewer
// bars, so that they fit in maxBytes: 139 for 5,000 symbols. New allocates all memory.
func New(u *quote.Universe, keep int) (*Store, error) {
	if keep < 1 {
		return nil, fmt.Errorf("keep: %d: want at least 1 bar", keep)
	}
	most := maxBytes / (barBytes * u.Len()) // bars of all spans
	keep = min(keep, max(1, most/len(spans), (most-MaxDays)/(len(spans)-1)))
	s := &Store{universe: u, days: make([]volumeDay, u.Len())}
	for k := range spans {
		s.keep[k] = keep
		if spans[k] == day {
			s.keep[k] = min(keep, MaxDays)
		}
		s.bars[k] = make([]Bar, u.Len()*s.keep[k])
		s.written[k] = make([]int, u.Len())
	}
	return s, nil
}

// Add adds ticks, ordered by Due and Seq, to the bars. It doesn't keep the slice and doesn't allocate. The first tick of a
// symbol adds no volume, since it is unknown how much of its day volume is new. A tick older than the newest bar is added to
// that bar.
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

// grow updates the day volume and returns the quantity traded since the tick before.
func (d *volumeDay) grow(t *quote.Tick) quote.Size {
	before, today := *d, floorDiv(t.Due, day)
	*d = volumeDay{number: today, volume: t.Volume, seen: true}
	switch {
	case !before.seen:
		return 0
	case today != before.number, t.Volume < before.volume: // a new day, or a feed that restarts its count
		return t.Volume
	}
	return t.Volume - before.volume
}

// fold adds a tick to the newest bar with the length span, spans[k], or starts a new bar.
func (s *Store) fold(k int, span int64, t *quote.Tick, traded quote.Size) {
	ring := s.ring(k, t.Symbol)
	n := s.written[k][t.Symbol]
	if n > 0 {
		if bar := &ring[(n-1)%len(ring)]; t.Due < bar.T+span {
			bar.H = max(bar.H, t.Last)
			bar.L = min(bar.L, t.Last)
			bar.C = t.Last
			bar.V += traded
			return
		}
	}
	ring[n%len(ring)] = Bar{T: floorDiv(t.Due, span) * span, O: t.Last, H: t.Last, L: t.Last, C: t.Last, V: traded}
	s.written[k][t.Symbol] = n + 1
}

// ring returns the bars of a symbol with the length spans[k].
func (s *Store) ring(k int, id quote.ID) []Bar { return s.bars[k][int(id)*s.keep[k]:][:s.keep[k]] }

// Days returns the number of daily bars that are kept of each symbol.
func (s *Store) Days() int { return s.keep[len(spans)-1] }

// AddDays adds daily bars before those of the first tick. Open, High, Low, Last and Volume of each tick are those of the whole
// UTC day that contains its due time. Call it before Add, with the days of a symbol in order.
func (s *Store) AddDays(days []quote.Tick) {
	s.mu.Lock()
	defer s.mu.Unlock()
	const k = len(spans) - 1
	for i := range days {
		t := &days[i]
		ring := s.ring(k, t.Symbol)
		ring[s.written[k][t.Symbol]%len(ring)] = Bar{T: floorDiv(t.Due, day) * day, O: t.Open, H: t.High, L: t.Low, C: t.Last, V: t.Volume}
		s.written[k][t.Symbol]++
	}
}

// Latest is a before that excludes no bar.
const Latest = math.MaxInt64

// Page is a sequence of bars of a symbol, the oldest first. Intervals without a tick have no bar.
type Page struct {
	Bars []Bar
	// More reports whether there are older bars.
	More bool
	// Seq is the position from which to continue: the bars include all ticks up to it and none after it.
	Seq uint64
	// Volume is the day volume at Seq: the next tick's volume minus it is the quantity traded. Known is false before the
	// first tick.
	Volume quote.Size
	Known  bool
}

// Bars returns the newest bars of a symbol that start before a time in µs since 1970, at most limit. A bar that contains that
// time is returned too. An error starts with the name of the invalid parameter: id, interval or limit.
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
		before = start + length // include the bar that contains it
	}
	// Enough for limit intervals and another one, which shows whether there are more or which merge leaves out. Gaps only make the
	// bars reach further back.
	n := (min(limit, s.keep[k]) + 1) * int(length/spans[k])
	p, complete := s.newest(id, k, before, n)
	p.Bars = merge(p.Bars, length, complete)
	if over := len(p.Bars) - limit; over > 0 {
		p.Bars, p.More = p.Bars[over:], true
	}
	return p, nil
}

// newest returns a page with the newest n bars of length spans[k] that start before a time. complete reports whether these are all
// the bars before that time that the symbol ever had.
func (s *Store) newest(id quote.ID, k int, before int64, n int) (p Page, complete bool) {
	ring := s.ring(k, id)
	p.Bars = make([]Bar, 0, min(n, len(ring)))
	s.mu.Lock()
	defer s.mu.Unlock()
	written := s.written[k][id]
	oldest := max(0, written-len(ring))
	end := oldest + sort.Search(written-oldest, func(i int) bool { return ring[(oldest+i)%len(ring)].T >= before })
	start := max(oldest, end-n)
	for i := start; i < end; i++ {
		p.Bars = append(p.Bars, ring[i%len(ring)])
	}
	today := s.days[id]
	p.Seq, p.Volume, p.Known = s.seq, today.volume, today.seen
	return p, start == 0
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
