// Package history stores bars of the last price, for charts: the newest in memory, all of them in a file if a directory is given.
package history

import (
	"fmt"
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

// add adds a later bar of the same interval.
func (b *Bar) add(later Bar) {
	b.H = max(b.H, later.H)
	b.L = min(b.L, later.L)
	b.C = later.C
	b.V += later.V
}

const (
	barBytes = 48
	// DefaultKeep is the default number of bars in memory: two hours of 10s bars, twelve of 1m and 5m bars, a week of 15m and 1h
	// bars.
	DefaultKeep = 720
	// MaxDays is the largest number of daily bars in memory, a trading year.
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

const (
	day     = 24 * 60 * 60 * 1_000_000 // µs
	days    = len(spans) - 1           // the index of day in spans
	minutes = 1                        // the index of a minute
)

// Store has the bars of every symbol. One goroutine may call Add, any number of goroutines Bars and Range, which block Add for the
// time to copy at most keep bars, some microseconds.
type Store struct {
	universe *quote.Universe
	keep     [len(spans)]int // bars of each symbol in memory
	saved    *saved          // nil: memory only
	delayed  *delayed        // nil: of the live feed
	events   *quote.Events   // that get the bars of minutes; nil for none

	mu      sync.Mutex
	epoch   uint64 // see Follow; 0 for none
	seq     uint64
	latest  int64 // the newest due time
	symbols []symbol
	behind  []*Store // see Delayed; set before the first Add
}

// symbol has the bars of a symbol.
type symbol struct {
	bars    [len(spans)][]Bar // rings, allocated when the symbol is first used
	written [len(spans)]int   // number of bars so far
	volume  volumeDay
	dayEnd  int64 // of the newest daily bar
	since   int64 // due time of the first tick of this process, Latest before it
	taken   taken // of the log that is followed
	skipped int64 // start of the newest minute of ticks that were left out, Earliest before the first
	inherited

	// With a file.
	dirty      bool              // differs from the file
	number     uint32            // of the series in the file, 0 before the first save
	stored     [len(spans)]int   // number of bars that are in blocks
	newest     [len(spans)]int64 // the start of the newest block in the file, or none
	memoryOnly bool              // the file has bars of other decimals, or can't be read
}

// volumeDay is the day volume of a symbol's newest tick.
type volumeDay struct {
	number int32 // of the trading day
	volume quote.Size
	seen   bool
}

// New returns a store in memory for the newest keep bars of 10s, 1m and 15m of each symbol, and of as many days but at most
// MaxDays. A bar has 48 bytes: the default of 720 bars takes 116 kB per symbol, 6 MB for 50 symbols. With 1,161 or more symbols it
// keeps fewer bars, so that they fit in maxBytes: 139 for 5,000 symbols. The memory of a symbol is allocated at its first tick.
func New(u *quote.Universe, keep int) (*Store, error) {
	if keep < 1 {
		return nil, fmt.Errorf("keep: %d: want at least 1 bar", keep)
	}
	limit := max(1, u.Limit())
	most := maxBytes / (barBytes * limit) // bars of all spans
	keep = min(keep, max(1, most/len(spans), (most-MaxDays)/(len(spans)-1)))
	s := &Store{universe: u, latest: Earliest, symbols: make([]symbol, limit)}
	for k := range spans {
		s.keep[k] = keep
	}
	s.keep[days] = min(keep, MaxDays)
	return s, nil
}

// Add adds ticks, ordered by Due and Seq, to the bars. It doesn't keep the slice and doesn't allocate after a symbol's first tick.
// The volume of that tick is only added if the source counts from it; otherwise it is unknown how much of it is new. A tick older than the newest bar is added to
// that bar.
func (s *Store) Add(ticks []quote.Tick) {
	if len(ticks) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range ticks {
		t := &ticks[i]
		x := s.symbol(t.Symbol)
		if !s.take(x, t) {
			if s.events != nil {
				s.reportSkipped(x, t)
			}
			continue
		}
		if s.events != nil {
			s.reportBar(x, t)
		}
		traded := x.volume.grow(t)
		for k, span := range spans {
			s.fold(x, k, span, t, traded)
		}
		x.dirty = true
		s.latest = max(s.latest, t.Due)
	}
	s.seq = s.newestSeq(ticks[len(ticks)-1].Seq)
	if s.saved != nil && s.saved.nearlyFull {
		s.saved.wake()
	}
}

// ReportBars makes Add report each bar of a minute once it has ended, as an event of the tick that ended it, the first of a later
// minute: Add then sets Tick.Event. Call it before the first tick that is published.
func (s *Store) ReportBars(events *quote.Events) { s.events = events }

// reportBar adds the newest bar of a minute to the event of a tick that ends it. Nothing changes the bar after that.
func (s *Store) reportBar(x *symbol, t *quote.Tick) {
	ring, n := x.bars[minutes], x.written[minutes]
	if n == 0 {
		return
	}
	if b := &ring[(n-1)%len(ring)]; t.Due >= b.T+spans[minutes] {
		s.reportTo(t, x, b)
	}
}

// reportTo adds a bar of a minute to the event of a tick.
func (s *Store) reportTo(t *quote.Tick, x *symbol, b *Bar) {
	t.Event = s.events.AddBar(t.Event, &quote.Bar{
		Start: b.T, Open: b.O, High: b.H, Low: b.L, Close: b.C, Volume: b.V, Complete: b.T > x.since,
	})
}

// symbol returns the bars of a symbol. The first time it allocates them, and loads those in the file.
func (s *Store) symbol(id quote.ID) *symbol {
	x := &s.symbols[id]
	if x.bars[0] == nil {
		s.allocate(x)
		if s.saved != nil {
			s.saved.load(x, s.universe.Instrument(id))
			s.continueSymbol(x)
		}
		for _, d := range s.behind {
			d.inherit(id, x)
		}
	}
	return x
}

func (s *Store) allocate(x *symbol) {
	x.since, x.skipped = Latest, Earliest
	for k := range spans {
		x.bars[k], x.newest[k] = make([]Bar, s.keep[k]), none
	}
}

// grow updates the day volume and returns the quantity traded since the tick before.
func (d *volumeDay) grow(t *quote.Tick) quote.Size {
	before := *d
	*d = volumeDay{number: t.Day, volume: t.Volume, seen: true}
	switch {
	case t.CountStarts:
		return t.Volume
	case !before.seen:
		return 0
	case t.Day != before.number, t.Volume < before.volume: // a new day, or a feed that restarts its count
		return t.Volume
	}
	return t.Volume - before.volume
}

// fold adds a tick to the newest bar with the length span, spans[k], or starts a new bar.
func (s *Store) fold(x *symbol, k int, span int64, t *quote.Tick, traded quote.Size) {
	ring, n := x.bars[k], x.written[k]
	if n > 0 {
		bar := &ring[(n-1)%len(ring)]
		end := bar.T + span
		if k == days {
			end = x.dayEnd
		}
		if t.Due < end {
			bar.add(Bar{H: t.Last, L: t.Last, C: t.Last, V: traded})
			return
		}
	}
	start := floorDiv(t.Due, span) * span
	if k == days {
		d := s.universe.Instrument(t.Symbol).Session.Day(t.Due)
		start, x.dayEnd = d.Start, d.End
	}
	s.push(x, k, Bar{T: start, O: t.Last, H: t.Last, L: t.Last, C: t.Last, V: traded})
}

// push adds a bar that is newer than the others, and notes if memory will soon drop one that isn't saved.
func (s *Store) push(x *symbol, k int, b Bar) {
	x.push(k, b)
	if s.saved != nil && x.written[k]-x.stored[k] > len(x.bars[k])/2 {
		s.saved.nearlyFull = true
	}
}

func (x *symbol) push(k int, b Bar) {
	x.bars[k][x.written[k]%len(x.bars[k])] = b
	x.written[k]++
}

// Days returns the number of daily bars of each symbol that are kept in memory.
func (s *Store) Days() int { return s.keep[days] }

// AddDays adds daily bars before those of the first tick. Open, High, Low, Last and Volume of each tick are those of the whole
// trading day that contains its due time. Call it before Add, with the days of a symbol in order.
func (s *Store) AddDays(ticks []quote.Tick) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range ticks {
		t := &ticks[i]
		x := s.symbol(t.Symbol)
		d := s.universe.Instrument(t.Symbol).Session.Day(t.Due)
		s.push(x, days, Bar{T: d.Start, O: t.Open, H: t.High, L: t.Low, C: t.Last, V: t.Volume})
		x.dayEnd, x.dirty = d.End, true
		if s.delayed != nil {
			x.markInherited(s.delayed.now())
		}
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
