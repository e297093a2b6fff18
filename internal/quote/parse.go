package quote

import (
	"errors"
	"fmt"
)

// Errors of ParsePrice and ParseSize, which wrap them.
var (
	ErrNumber   = errors.New("want a number such as 184.27")
	ErrDecimals = errors.New("too many decimals")
	ErrRange    = errors.New("too large")
	ErrNegative = errors.New("want 0 or more")
)

// ParsePrice parses a decimal number as a price in units of 10^-decimals. The result is exact: a number that needs more decimals
// is an error that wraps ErrDecimals; zeros at the end need none. One beyond MaxUnits wraps ErrRange, any other text ErrNumber.
//
// A number is an optional sign, digits with an optional point, and an optional exponent ("1e-05").
func ParsePrice(text string, decimals uint8) (Price, error) {
	units, err := parseUnits(text, decimals)
	return Price(units), err
}

// ParseSize parses a size as ParsePrice parses a price. A negative number is an error that wraps ErrNegative.
func ParseSize(text string, decimals uint8) (Size, error) {
	units, err := parseUnits(text, decimals)
	if err == nil && units < 0 {
		return 0, ErrNegative
	}
	return Size(units), err
}

func parseUnits(text string, decimals uint8) (int64, error) {
	n, ok := parseNumber(text)
	if !ok {
		return 0, ErrNumber
	}
	if n.count == 0 {
		return 0, nil
	}
	shift := n.exponent + int(decimals)
	if shift < 0 {
		return 0, fmt.Errorf("%w: %d, want at most %d", ErrDecimals, -n.exponent, decimals)
	}
	if n.count+shift > maxDigits || n.digits*powers[shift] > MaxUnits {
		return 0, fmt.Errorf("%w: want at most %s", ErrRange, Price(MaxUnits).Format(decimals))
	}
	units := int64(n.digits * powers[shift])
	if n.negative {
		units = -units
	}
	return units, nil
}

const (
	maxDigits   = 16      // of MaxUnits
	maxExponent = 1 << 20 // larger ones have the same effect
)

// number is a parsed decimal number: digits × 10^exponent.
type number struct {
	negative bool
	digits   uint64 // without zeros at the end; meaningless if they are more than maxDigits
	count    int    // of digits; 0 for zero, whose exponent is meaningless
	exponent int
}

func parseNumber(s string) (n number, ok bool) {
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		n.negative = s[i] == '-'
		i++
	}
	zeros, point := 0, false
	for ; i < len(s); i++ {
		c := s[i]
		if c == '.' && !point {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		ok = true
		if point {
			n.exponent--
		}
		switch {
		case c != '0':
			if n.count += zeros + 1; n.count <= maxDigits {
				n.digits = n.digits*powers[zeros+1] + uint64(c-'0')
			}
			zeros = 0
		case n.count > 0:
			zeros++
		}
	}
	n.exponent += zeros
	if ok && i < len(s) && s[i]|0x20 == 'e' {
		var e int
		e, ok = parseExponent(s[i+1:])
		n.exponent += e
		return n, ok
	}
	return n, ok && i == len(s)
}

func parseExponent(s string) (e int, ok bool) {
	sign := 1
	if s != "" && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		e = min(10*e+int(s[i]-'0'), maxExponent)
	}
	return sign * e, s != ""
}
