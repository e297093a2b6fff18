package quote

import (
	"fmt"
	"slices"
)

// Universe is the fixed set of instruments of one feed. It is immutable and safe for concurrent use.
type Universe struct {
	instruments []Instrument
	byName      map[string]ID
	sectors     []string // in order of first appearance
	members     map[string][]ID
	all         Topics // of every instrument; its memory is shared by such sets
}

// NewUniverse returns the universe of the instruments, whose IDs are their indices. The error describes the first invalid one.
func NewUniverse(instruments []Instrument) (*Universe, error) {
	u := &Universe{
		instruments: slices.Clone(instruments),
		byName:      make(map[string]ID, len(instruments)),
		members:     make(map[string][]ID),
	}
	if len(instruments) == 0 {
		return nil, fmt.Errorf("a feed needs at least one symbol")
	}
	for i := range u.instruments {
		in, id := &u.instruments[i], ID(i)
		if !ValidSymbol(in.Symbol) {
			return nil, fmt.Errorf("instrument %d: %w", i+1, in.Check())
		}
		if err := in.Check(); err != nil {
			return nil, fmt.Errorf("instrument %s: %w", in.Symbol, err)
		}
		if _, duplicate := u.byName[in.Symbol]; duplicate {
			return nil, fmt.Errorf("instrument %s: listed twice", in.Symbol)
		}
		u.byName[in.Symbol] = id
		if _, known := u.members[in.Sector]; !known {
			u.sectors = append(u.sectors, in.Sector)
		}
		u.members[in.Sector] = append(u.members[in.Sector], id)
	}
	u.all = u.everything()
	return u, nil
}

// Len returns the number of instruments.
func (u *Universe) Len() int { return len(u.instruments) }

// Instrument returns the instrument with an ID, which must be in range. The caller must not change it.
func (u *Universe) Instrument(id ID) *Instrument { return &u.instruments[id] }

// Instruments returns all instruments in order of ID. The caller must not change the slice.
func (u *Universe) Instruments() []Instrument { return u.instruments }

// Sectors returns the sectors' names in order of first appearance. The caller must not change the slice.
func (u *Universe) Sectors() []string { return u.sectors }

// Lookup returns the ID of the instrument with a symbol, which is case-sensitive.
func (u *Universe) Lookup(symbol string) (ID, bool) {
	id, ok := u.byName[symbol]
	return id, ok
}
