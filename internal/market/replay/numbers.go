package replay

import (
	"errors"
	"fmt"
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"

	"ticklane/internal/quote"
)

// decimal is an exact number of the file: units × 10^-places.
type decimal struct {
	units  int64
	places uint8 // as written, 0 to quote.MaxDecimals
}

var powersOfTen = func() (p [quote.MaxDecimals + 1]uint64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = 10 * p[i-1]
	}
	return p
}()

// String formats the number as it was written.
func (d decimal) String() string { return quote.Price(d.units).Format(d.places) }

// needed returns the number without zeros at the end of its decimals.
func (d decimal) needed() decimal {
	for d.places > 0 && d.units%10 == 0 {
		d.units /= 10
		d.places--
	}
	return d
}

// scaled returns the number in units of 10^-places; ok is false if that loses decimals or is beyond quote.MaxUnits.
func (d decimal) scaled(places uint8) (units int64, ok bool) {
	if d.places > places {
		if d = d.needed(); d.places > places {
			return 0, false
		}
	}
	high, low := bits.Mul64(magnitude(d.units), powersOfTen[places-d.places])
	if high != 0 || low > quote.MaxUnits {
		return 0, false
	}
	if d.units < 0 {
		return -int64(low), true
	}
	return int64(low), true
}

// compare returns −1, 0 or 1 if d is less than, equal to or greater than other.
func (d decimal) compare(other decimal) int {
	if (d.units < 0) != (other.units < 0) {
		if d.units < 0 {
			return -1
		}
		return 1
	}
	places := max(d.places, other.places)
	high, low := bits.Mul64(magnitude(d.units), powersOfTen[places-d.places])
	otherHigh, otherLow := bits.Mul64(magnitude(other.units), powersOfTen[places-other.places])
	result := 0
	switch {
	case high != otherHigh && high < otherHigh, high == otherHigh && low < otherLow:
		result = -1
	case high != otherHigh || low != otherLow:
		result = 1
	}
	if d.units < 0 {
		return -result
	}
	return result
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return uint64(-n)
	}
	return uint64(n)
}

// numberFormat is the notation of the file's numbers.
type numberFormat struct {
	point  byte // before the decimals: '.' or ','
	group  byte // between groups of digits: ',', '.', ' ', '\''; 0 for none
	single bool // prices are numbers of 32 bits
}

// example returns a number in this notation, for messages.
func (f numberFormat) example() string {
	if f.group == 0 {
		return "1234" + string(f.point) + "5"
	}
	return "1" + string(f.group) + "234" + string(f.point) + "5"
}

var (
	errDecimals = fmt.Errorf("has more than %d decimals, which would be lost", quote.MaxDecimals)
	errRange    = errors.New("has more than 53 bits: too many digits to be exact everywhere")
	errNegative = errors.New("want 0 or more")
)

func (f numberFormat) wanted() error { return fmt.Errorf("want a number such as %s", f.example()) }

// isNull reports whether a field has no value: empty, or one of the usual words for it.
func isNull(s string) bool {
	switch strings.ToLower(s) {
	case "", "null", "none", "nan", "na", "n/a", "#n/a", "-", "--":
		return true
	}
	return false
}

// maxNumber is the largest number of characters of a number.
const maxNumber = 60

// parse parses a number: an optional sign and currency sign, digits with this notation's separators, and an optional exponent or
// suffix K, M, B or T. The result is exact. Zeros beyond quote.MaxDecimals are dropped, and so is the noise of binary floating
// point (see denoise).
func (f numberFormat) parse(text string) (decimal, error) {
	t, ok := trimNumber(text)
	if !ok {
		return decimal{}, f.wanted()
	}
	var buffer [maxNumber]byte
	digits, places, ok := f.digits(buffer[:0], t.body)
	if !ok {
		return decimal{}, f.wanted()
	}
	places -= t.exponent
	for places > quote.MaxDecimals && len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits, places = digits[:len(digits)-1], places-1
	}
	if len(digits) == 0 {
		return decimal{places: uint8(min(max(places, 0), quote.MaxDecimals))}, nil
	}
	if places > quote.MaxDecimals {
		if digits, places, ok = denoise(digits, places); !ok {
			return decimal{}, errDecimals
		}
	}
	for ; places < 0; places++ {
		if len(digits) == maxNumber {
			return decimal{}, errRange
		}
		digits = append(digits, '0')
	}
	for len(digits) > 16 && places > 0 && digits[len(digits)-1] == '0' {
		digits, places = digits[:len(digits)-1], places-1
	}
	if len(digits) > 16 {
		return decimal{}, errRange
	}
	var units int64
	for _, c := range digits {
		units = 10*units + int64(c-'0')
	}
	if units > quote.MaxUnits {
		return decimal{}, errRange
	}
	if t.negative {
		units = -units
	}
	return decimal{units, uint8(places)}, nil
}

// digits appends the digits of a number without leading zeros to b, and returns how many of them are decimals.
func (f numberFormat) digits(b []byte, s string) (digits []byte, places int, ok bool) {
	var any, point bool
	groups, length := 0, 0 // separators so far, digits since the last
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			any = true
			length++
			if point {
				places++
			}
			if c != '0' || len(b) > 0 {
				b = append(b, c)
			}
		case c == f.point && !point && (groups == 0 || length == 3):
			point = true
		case c == f.group && f.group != 0 && !point && (groups == 0 && length >= 1 && length <= 3 || groups > 0 && (length == 2 || length == 3)):
			groups++
			length = 0
		default:
			return nil, 0, false
		}
	}
	return b, places, any && (point || groups == 0 || length == 3)
}

// trimmed is a number without what surrounds its digits.
type trimmed struct {
	body     string // digits and separators
	negative bool
	exponent int // of ten
}

var typography = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u2009", " ", "\u2019", "'", "\u2212", "-")

// trimNumber removes sign, currency sign, exponent and suffix.
func trimNumber(text string) (t trimmed, ok bool) {
	s := text
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			s = typography.Replace(s)
			break
		}
	}
	if len(s) > maxNumber {
		return t, false
	}
	signs := 0
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		if r == '-' || r == '+' {
			t.negative = r == '-'
			signs++
		} else if !unicode.Is(unicode.Sc, r) && r != ' ' {
			break
		}
		s = s[size:]
	}
	for s != "" {
		r, size := utf8.DecodeLastRuneInString(s)
		if !unicode.Is(unicode.Sc, r) && r != ' ' {
			break
		}
		s = s[:len(s)-size]
	}
	if s == "" || signs > 1 {
		return t, false
	}
	if at := strings.IndexAny(s, "eE"); at > 0 {
		exponent, valid := parseExponent(s[at+1:])
		t.body, t.exponent = s[:at], exponent
		return t, valid
	}
	switch s[len(s)-1] {
	case 'k', 'K':
		t.exponent = 3
	case 'm', 'M':
		t.exponent = 6
	case 'b', 'B':
		t.exponent = 9
	case 't', 'T':
		t.exponent = 12
	}
	if t.exponent != 0 {
		s = strings.TrimRight(s[:len(s)-1], " ")
	}
	t.body = s
	return t, s != ""
}

func parseExponent(s string) (n int, ok bool) {
	negative := strings.HasPrefix(s, "-")
	s = strings.TrimLeft(s, "+-")
	if len(s) == 0 || len(s) > 2 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = 10*n + int(s[i]-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}
