package quote

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// Universe is the set of instruments of one feed: fixed, or growing for feeds that add instruments while they run. It is safe for
// concurrent use.
type Universe struct {
	limit   int
	growing bool
	mu      sync.Mutex // serializes Grow
	current atomic.Pointer[listing]
}

// listing is the instruments of a universe at one time. It is immutable. A later one extends its slices beyond their lengths.
type listing struct {
	growing     bool
	instruments []Instrument
	byName      map[string]ID
	sectors     []string // in order of first appearance
	members     map[string][]ID
	all         Topics // of every instrument; its memory is shared by such sets
}

// NewUniverse returns a fixed universe of the instruments, whose IDs are their indices. The error describes the first invalid one.
func NewUniverse(instruments []Instrument) (*Universe, error) {
	if len(instruments) == 0 {
		return nil, fmt.Errorf("a feed needs at least one symbol")
	}
	return newUniverse(instruments, len(instruments), false)
}

// NewGrowingUniverse returns a universe of the instruments, of which there may be none, that grows to at most limit.
func NewGrowingUniverse(instruments []Instrument, limit int) (*Universe, error) {
	return newUniverse(instruments, limit, true)
}

func newUniverse(instruments []Instrument, limit int, growing bool) (*Universe, error) {
	u := &Universe{limit: limit, growing: growing}
	u.current.Store(&listing{growing: growing, sectors: []string{}, byName: map[string]ID{}, members: map[string][]ID{}, all: Topics{all: true}})
	if err := u.extend(instruments); err != nil {
		return nil, err
	}
	return u, nil
}

// Grow adds instruments to a growing universe. Their IDs follow those of the others, which stay as they are. On an error, which
// describes the first invalid instrument, nothing is added. Ticks of the new instruments may be published once Grow has returned.
func (u *Universe) Grow(instruments []Instrument) error {
	if !u.growing {
		return fmt.Errorf("the symbols of this feed are fixed")
	}
	return u.extend(instruments)
}

func (u *Universe) extend(instruments []Instrument) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	old := u.current.Load()
	if n := len(old.instruments) + len(instruments); n > u.limit {
		return fmt.Errorf("%d instruments are more than the limit of %d", n, u.limit)
	}
	l := &listing{
		growing: old.growing, instruments: append(old.instruments, instruments...), byName: maps.Clone(old.byName),
		sectors: slices.Clone(old.sectors), members: maps.Clone(old.members),
	}
	for i := len(old.instruments); i < len(l.instruments); i++ {
		in, id := &l.instruments[i], ID(i)
		if !ValidSymbol(in.Symbol) {
			return fmt.Errorf("instrument %d: %w", i+1, in.Check())
		}
		if err := in.Check(); err != nil {
			return fmt.Errorf("instrument %s: %w", in.Symbol, err)
		}
		if _, duplicate := l.byName[in.Symbol]; duplicate {
			return fmt.Errorf("instrument %s: listed twice", in.Symbol)
		}
		l.byName[in.Symbol] = id
		if _, known := l.members[in.Sector]; !known {
			l.sectors = append(l.sectors, in.Sector)
		}
		// Readers of the old listing see its length of the slice only.
		l.members[in.Sector] = append(l.members[in.Sector], id)
	}
	l.all = l.everything()
	u.current.Store(l)
	return nil
}

// Len returns the number of instruments.
func (u *Universe) Len() int { return len(u.current.Load().instruments) }

// Limit returns the largest number of instruments that the universe may have, which is Len if it is fixed.
func (u *Universe) Limit() int { return u.limit }

// Instrument returns the instrument with an ID, which must be in range. The caller must not change it.
func (u *Universe) Instrument(id ID) *Instrument { return &u.current.Load().instruments[id] }

// Instruments returns all instruments in order of ID. The caller must not change the slice.
func (u *Universe) Instruments() []Instrument { return u.current.Load().instruments }

// Sectors returns the sectors' names in order of first appearance. The caller must not change the slice.
func (u *Universe) Sectors() []string { return u.current.Load().sectors }

// Lookup returns the ID of the instrument with a symbol, which is case-sensitive.
func (u *Universe) Lookup(symbol string) (ID, bool) {
	id, ok := u.current.Load().byName[symbol]
	return id, ok
}
