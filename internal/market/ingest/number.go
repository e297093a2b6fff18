package ingest

import (
	"errors"
	"strconv"

	"ticklane/internal/excerpt"
	"ticklane/internal/quote"
)

// maxInteger is the largest integer that every JSON decoder represents exactly.
const maxInteger = quote.MaxUnits

var errInteger = errors.New("want a whole number from 0 to 9007199254740991")

// integer returns the value of a JSON number that is written without point and exponent.
func integer(raw []byte) (int64, error) {
	if len(raw) > len("9007199254740991") || raw[0] == '-' {
		return 0, errInteger
	}
	n := int64(0)
	for _, c := range raw {
		if c < '0' || c > '9' {
			return 0, errInteger
		}
		n = 10*n + int64(c-'0')
	}
	if n > maxInteger {
		return 0, errInteger
	}
	return n, nil
}

// scales are the powers of ten of the numbers of decimals.
var scales = [quote.MaxDecimals + 1]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// units returns a JSON number in units of 10^-decimals. It is quote.ParsePrice for the usual numbers, in a third of the time; ok is
// false for all others.
func units(raw []byte, decimals uint8) (n int64, ok bool) {
	const fits = 16 // digits
	i, negative := 0, raw[0] == '-'
	if negative {
		i = 1
	}
	if len(raw)-i > fits {
		return 0, false
	}
	point := len(raw)
	for ; i < len(raw); i++ {
		c := raw[i]
		if c == '.' {
			point = i + 1
			continue
		}
		if c > '9' || c < '0' { // an exponent
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	missing := int(decimals) - (len(raw) - point)
	if missing < 0 || n > maxInteger/scales[missing] {
		return 0, false
	}
	if n *= scales[missing]; negative {
		n = -n
	}
	return n, true
}

// price parses a price of an instrument.
func price(in *quote.Instrument, raw []byte) (quote.Price, error) {
	n, ok := units(raw, in.Decimals)
	if ok && (n > 0 || in.Negative) {
		return quote.Price(n), nil
	}
	return in.ParsePrice(string(raw))
}

// size parses a size of an instrument.
func size(in *quote.Instrument, raw []byte) (quote.Size, error) {
	if n, ok := units(raw, in.SizeDecimals); ok && n >= 0 {
		return quote.Size(n), nil
	}
	return in.ParseSize(string(raw))
}

// quoted returns a client's text for an error: an excerpt, escaped.
func quoted(b []byte) string { return strconv.Quote(excerpt.Of(b)) }
