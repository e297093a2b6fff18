package quote

import "fmt"

// MaxTicker is the longest ticker, in bytes. It bounds what a rendered tick can take.
const MaxTicker = 16

// Symbol is a listed security.
type Symbol struct {
	Ticker     string  // "AAPL": 1 to MaxTicker of A–Z, 0–9, '.', '-'
	Name       string  // "Apple"
	Sector     string  // "technology": lower case a–z, 0–9, '-'
	Price      Price   // a reference price: where the simulation starts
	Volatility float64 // standard deviation of a day's log return, such as 0.018; 0 when not known
	Value      float64 // market value in billions of dollars; 0 when not known
}

// Universe is the fixed set of symbols of one feed. It is immutable, so any number of goroutines may read it.
type Universe struct {
	symbols []Symbol
	byName  map[string]ID
	sectors []string // in order of first appearance
	members map[string][]ID
}

// NewUniverse checks the symbols and gives each its index as ID. The error names the first bad symbol.
func NewUniverse(symbols []Symbol) (*Universe, error) {
	u := &Universe{
		symbols: append([]Symbol(nil), symbols...),
		byName:  make(map[string]ID, len(symbols)),
		members: make(map[string][]ID),
	}
	if len(symbols) == 0 {
		return nil, fmt.Errorf("a feed needs at least one symbol")
	}
	for i, s := range u.symbols {
		id := ID(i)
		if !ValidTicker(s.Ticker) {
			return nil, fmt.Errorf("symbol %d: ticker %q: want 1 to %d of A-Z, 0-9, '.' and '-'", i+1, s.Ticker, MaxTicker)
		}
		if !validSector(s.Sector) {
			return nil, fmt.Errorf("symbol %s: sector %q: want 1 to 32 of a-z, 0-9 and '-'", s.Ticker, s.Sector)
		}
		if _, double := u.byName[s.Ticker]; double {
			return nil, fmt.Errorf("symbol %s: listed twice", s.Ticker)
		}
		u.byName[s.Ticker] = id
		if _, known := u.members[s.Sector]; !known {
			u.sectors = append(u.sectors, s.Sector)
		}
		u.members[s.Sector] = append(u.members[s.Sector], id)
	}
	return u, nil
}

// Len is the number of symbols.
func (u *Universe) Len() int { return len(u.symbols) }

// Symbol returns the symbol of an ID, which must be in range.
func (u *Universe) Symbol(id ID) Symbol { return u.symbols[id] }

// Symbols returns all symbols in order of ID. The caller must not change the slice.
func (u *Universe) Symbols() []Symbol { return u.symbols }

// Sectors returns the sectors' names in order of first appearance. The caller must not change the slice.
func (u *Universe) Sectors() []string { return u.sectors }

// Lookup finds a symbol by its ticker; case matters.
func (u *Universe) Lookup(ticker string) (ID, bool) {
	id, ok := u.byName[ticker]
	return id, ok
}

// ValidTicker tells whether s may name a symbol. The alphabet needs no escape in JSON, a URL or an SSE line.
func ValidTicker(s string) bool {
	return len(s) >= 1 && len(s) <= MaxTicker && only(s, isTicker)
}

func validSector(s string) bool { return len(s) >= 1 && len(s) <= 32 && only(s, isSector) }

func isTicker(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-'
}

func isSector(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' }

func only(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}
