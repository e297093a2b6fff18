package history

import (
	"time"

	"ticklane/internal/quote"
)

// delayed is the part of a store that follows another one after a delay.
//
// Both get the same ticks, so that the bars of the live store are those of the delayed one and newer ones: all bars that are older
// than the newest of the delayed store are equal. It has its own bars in memory, begins with those that the live one has before its
// first tick, and reads older ones from the live one.
type delayed struct {
	live    *Store
	delay   time.Duration
	started time.Time
}

// inherited counts the oldest bars of a symbol in a delayed store: those that it has taken over from the live one. They are of the
// time before the first tick, and may be younger than the delay.
type inherited struct {
	count [len(spans)]int
	at    int64 // when they were inherited, µs since 1970
}

// Delayed returns a store in memory for the ticks of s, which the caller adds to it after a delay. It begins with the bars of s. Each
// of these is hidden until it is older than the delay; one that is still growing, until the delay has passed. Call it before the first
// Add.
func (s *Store) Delayed(delay time.Duration) *Store {
	d := &Store{
		universe: s.universe, keep: s.keep, latest: Earliest, symbols: make([]symbol, len(s.symbols)),
		delayed: &delayed{live: s, delay: delay, started: time.Now()},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d.seq, d.epoch = s.seq, s.epoch
	s.behind = append(s.behind, d)
	for id := range s.symbols {
		if x := &s.symbols[id]; x.bars[0] != nil {
			d.inherit(quote.ID(id), x)
		}
	}
	return d
}

// inherit copies the bars of a symbol of the live store, before its first tick is added there.
func (s *Store) inherit(id quote.ID, from *symbol) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := &s.symbols[id]
	s.allocate(x)
	for k := range spans {
		copy(x.bars[k], from.bars[k])
	}
	x.written, x.volume, x.dayEnd, x.taken = from.written, from.volume, from.dayEnd, from.taken
	x.markInherited(s.delayed.now())
}

// markInherited marks the bars that the symbol has as inherited. now is in µs since 1970.
func (x *symbol) markInherited(now int64) { x.inherited = inherited{count: x.written, at: now} }

// touch loads the bars of a symbol that came later, as its first tick does.
func (s *Store) touch(id quote.ID) {
	if s.saved == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.symbol(id)
}

// now returns the time in µs since 1970. It doesn't follow changes of the clock.
func (d *delayed) now() int64 { return d.started.UnixMicro() + time.Since(d.started).Microseconds() }

// visible returns the index after the newest bar of length spans[k] that is old enough.
func (s *Store) visible(id quote.ID, k int) int {
	x, limit := &s.symbols[id], s.delayed.now()-s.delayed.delay.Microseconds()
	n := x.inherited.count[k]
	if x.inherited.at <= limit {
		return x.written[k]
	}
	session := s.universe.Instrument(id).Session
	for first := max(0, x.written[k]-len(x.bars[k])); n > first; n-- {
		start := x.bars[k][(n-1)%len(x.bars[k])].T
		end := start + spans[k]
		if k == days {
			end = session.Day(start).End
		}
		if end <= limit {
			break
		}
	}
	if n == x.inherited.count[k] {
		return x.written[k]
	}
	return n
}

// visibleBefore returns the time before which the bars of length spans[k] that are only in the live store must start.
func (s *Store) visibleBefore(x *symbol, k int) int64 {
	limit := s.delayed.now() - s.delayed.delay.Microseconds()
	if x.inherited.at <= limit {
		return Latest
	}
	return limit - 2*spans[k] // a trading day may have more than 24 hours
}

// volumeVisible reports whether the newest day volume of a symbol is old enough.
func (s *Store) volumeVisible(x *symbol) bool {
	return s.delayed == nil || x.since != Latest || x.inherited.at <= s.delayed.now()-s.delayed.delay.Microseconds()
}
