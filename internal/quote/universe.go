package quote

import (
	"fmt"
	"slices"
)

// MaxSymbol is the maximum length of a ticker in bytes. It limits the size of a rendered tick.
const MaxSymbol = 16

const maxSector = 32 // bytes

// Symbol is a listed security.
type Instrument struct {
	Symbol     string  // "AAPL": 1 to MaxSymbol bytes of A–Z, 0–9, '.', '-'
	Name       string  // "Apple"
	Sector     string  // "technology": 1 to 32 bytes of a–z, 0–9, '-'
	Price      Price   // reference price, at which the simulation starts
	Volatility float64 // standard deviation of a day's log return, such as 0.018; 0 if unknown
	Value      float64 // market value in billions of dollars; 0 if unknown
}

// Universe is the fixed set of symbols of one feed. It is immutable and safe for concurrent use.
type Universe struct {
	symbols []Instrument
	byName  map[string]ID
	sectors []string // in order of first appearance
	members map[string][]ID
	all     Topics // of every symbol; its memory is shared by such sets
}

// NewUniverse returns the universe of the symbols, whose IDs are their indices. The error describes the first invalid symbol.
func NewUniverse(symbols []Instrument) (*Universe, error) {
	u := &Universe{
		symbols: slices.Clone(symbols),
		byName:  make(map[string]ID, len(symbols)),
		members: make(map[string][]ID),
	}
	if len(symbols) == 0 {
		return nil, fmt.Errorf("a feed needs at least one symbol")
	}
	for i, s := range u.instruments {
		id := ID(i)
		if !ValidSymbol(s.Symbol) {
			return nil, fmt.Errorf("symbol %d: ticker %q: want 1 to %d of A-Z, 0-9, '.' and '-'", i+1, s.Symbol, MaxSymbol)
		}
		if !validSector(s.Sector) {
			return nil, fmt.Errorf("symbol %s: sector %q: want 1 to 32 of a-z, 0-9 and '-'", s.Symbol, s.Sector)
		}
		if _, duplicate := u.byName[s.Symbol]; duplicate {
			return nil, fmt.Errorf("symbol %s: listed twice", s.Symbol)
		}
		u.byName[s.Symbol] = id
		if _, known := u.members[s.Sector]; !known {
			u.sectors = append(u.sectors, s.Sector)
		}
		u.members[s.Sector] = append(u.members[s.Sector], id)
	}
	u.all = u.everything()
	return u, nil
}

// Len returns the number of symbols.
func (u *Universe) Len() int { return len(u.instruments) }

// Symbol returns the symbol with an ID, which must be in range.
func (u *Universe) Instrument(id ID) Instrument { return u.instruments[id] }

// Symbols returns all symbols in order of ID. The caller must not change the slice.
func (u *Universe) Instruments() []Instrument { return u.instruments }

// Sectors returns the sectors' names in order of first appearance. The caller must not change the slice.
func (u *Universe) Sectors() []string { return u.sectors }

// Lookup returns the ID of the symbol with a ticker, which is case-sensitive.
func (u *Universe) Lookup(ticker string) (ID, bool) {
	id, ok := u.byName[ticker]
	return id, ok
}

// ValidSymbol reports whether s is a valid ticker. Its characters need no escape in JSON, URLs and SSE.
func ValidSymbol(s string) bool {
	return len(s) >= 1 && len(s) <= MaxSymbol && all(s, isSymbol)
}

func validSector(s string) bool { return len(s) >= 1 && len(s) <= maxSector && all(s, isSector) }

func isSymbol(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-'
}

func isSector(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' }

// all reports whether ok accepts all bytes of s.
func all(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}
