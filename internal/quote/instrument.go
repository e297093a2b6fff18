package quote

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"ticklane/internal/excerpt"
)

// MaxSymbol is the maximum length of a symbol in bytes. It limits the size of a rendered tick.
const MaxSymbol = 32

const (
	maxSector = 32  // bytes
	maxName   = 128 // bytes
	maxLabel  = 32  // bytes of a currency or venue
)

// Instrument is what a feed has quotes of: a share, a currency pair, a future, an index.
type Instrument struct {
	Symbol                 string   // "AAPL", "EUR/USD": see ValidSymbol
	Name                   string   // "Apple"; may be empty
	Sector                 string   // its group, "technology": 1 to 32 bytes of a–z, 0–9, '-'
	Decimals, SizeDecimals uint8    // of prices and sizes, 0 to MaxDecimals
	Currency, Venue        string   // may be empty
	TickSize               Price    // smallest change of a price; 0 if unknown
	Negative               bool     // prices may be 0 and below
	Session                *Session // nil for UTC days
	Price                  Price    // reference price, at which the simulation starts
	Volatility             float64  // standard deviation of a day's log return, such as 0.018; 0 if unknown
	Value                  float64  // market value in billions of dollars; 0 if unknown
}

// FieldError reports an invalid field of an instrument.
type FieldError struct {
	Field  string // its name in JSON: "size_decimals"
	Reason string
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Reason }

// Check checks the instrument. The error is a *FieldError of the first invalid field.
func (in *Instrument) Check() error {
	fail := func(field, format string, args ...any) error {
		return &FieldError{field, fmt.Sprintf(format, args...)}
	}
	switch {
	case !ValidSymbol(in.Symbol):
		return fail("symbol", "%q: want %s", excerpt.Of(in.Symbol), SymbolForm)
	case !validText(in.Name, maxName):
		return textError("name", in.Name, maxName)
	case !validSector(in.Sector):
		return fail("sector", "%q: want 1 to %d of a-z, 0-9 and '-'", excerpt.Of(in.Sector), maxSector)
	case in.Decimals > MaxDecimals:
		return fail("decimals", "%d: want 0 to %d", in.Decimals, MaxDecimals)
	case in.SizeDecimals > MaxDecimals:
		return fail("size_decimals", "%d: want 0 to %d", in.SizeDecimals, MaxDecimals)
	case !validText(in.Currency, maxLabel):
		return textError("currency", in.Currency, maxLabel)
	case !validText(in.Venue, maxLabel):
		return textError("venue", in.Venue, maxLabel)
	case in.TickSize < 0:
		return fail("tick_size", "%s: want 0 or more", in.TickSize.Format(in.Decimals))
	}
	return nil
}

// ParsePrice parses a price of the instrument, as the function ParsePrice does. A price of 0 or less is an error unless the
// instrument may have it.
func (in *Instrument) ParsePrice(text string) (Price, error) {
	p, err := ParsePrice(text, in.Decimals)
	if err == nil && p <= 0 && !in.Negative {
		return 0, fmt.Errorf("want a price above 0: %s has no negative prices", in.Symbol)
	}
	return p, err
}

// ParseSize parses a size of the instrument.
func (in *Instrument) ParseSize(text string) (Size, error) { return ParseSize(text, in.SizeDecimals) }

// SymbolForm describes a valid symbol, for error messages.
const SymbolForm = `1 to 32 of A-Z, a-z, 0-9 and . - _ / ^ = : @, not beginning with "sector:"`

// ValidSymbol reports whether s is a valid symbol: 1 to MaxSymbol letters, digits and . - _ / ^ = : @, and no topic of a sector.
// Its characters need no escape in JSON and SSE. In URLs it is percent-encoded, as any value; it has no comma, which separates
// topics.
func ValidSymbol(s string) bool {
	return len(s) >= 1 && len(s) <= MaxSymbol && all(s, isSymbol) && !strings.HasPrefix(s, SectorPrefix)
}

func isSymbol(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte(".-_/^=:@", c) >= 0
}

func validSector(s string) bool { return len(s) >= 1 && len(s) <= maxSector && all(s, isSector) }

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

func validText(s string, limit int) bool {
	return len(s) <= limit && utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}
