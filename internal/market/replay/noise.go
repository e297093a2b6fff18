package replay

import (
	"fmt"
	"strconv"
	"strings"

	"ticklane/internal/quote"
)

// denoise returns the number that an exporter had before it was stored in binary floating point, if that shows in its digits.
// yfinance writes prices of 32 bits with the digits of 64, 184.27000427246094 for 184.27, and sums of 64 bits end in ones and
// nines, 184.26999999999998. ok is false if the digits have another reason.
//
// digits have no leading zero, and places of them are decimals, more than quote.MaxDecimals.
func denoise(digits []byte, places int) (shorter []byte, left int, ok bool) {
	const exact = 15 // decimal digits that 64 bits represent
	f, err := strconv.ParseFloat(fmt.Sprintf("%se-%d", digits, places), 64)
	if err != nil {
		return nil, 0, false
	}
	if float64(float32(f)) == f {
		return shortest(strconv.FormatFloat(f, 'e', -1, 32))
	}
	if len(digits) <= exact {
		return nil, 0, false
	}
	shorter, left, ok = shortest(strconv.FormatFloat(f, 'e', exact-1, 64))
	return shorter, left, ok && len(shorter) <= exact-3
}

// exactSingle reports whether a number is exact in 32 bits, and whether it has more than quote.MaxDecimals.
func (f numberFormat) exactSingle(text string) (exact, long bool) {
	t, _ := trimNumber(text)
	digits, places, ok := f.digits(nil, t.body)
	value, err := strconv.ParseFloat(fmt.Sprintf("%se%d", digits, t.exponent-places), 64)
	return ok && err == nil && float64(float32(value)) == value, places > quote.MaxDecimals
}

// shorten returns the shortest number that is the same in 32 bits.
func shorten(d decimal) decimal {
	f, err := strconv.ParseFloat(d.String(), 32)
	if err != nil {
		return d
	}
	shorter, err := numberFormat{point: '.'}.parse(strconv.FormatFloat(f, 'f', -1, 32))
	if err != nil {
		return d
	}
	return shorter
}

// singleDecimals are the decimals that Yahoo writes of numbers of 32 bits: 184.270004 for 184.27.
const singleDecimals = 6

// printedSingle reports whether d is a number of 32 bits, printed with singleDecimals decimals.
func printedSingle(d decimal) bool {
	if d.places != singleDecimals {
		return false
	}
	text := d.String()
	f, err := strconv.ParseFloat(text, 32)
	return err == nil && strconv.FormatFloat(f, 'f', singleDecimals, 64) == text
}

// shortest parses the form d.ddde±dd without zeros at the end of its digits.
func shortest(text string) (digits []byte, places int, ok bool) {
	mantissa, exponent, _ := strings.Cut(text, "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	fraction = strings.TrimRight(fraction, "0")
	e, err := strconv.Atoi(exponent)
	if err != nil {
		return nil, 0, false
	}
	digits, places = make([]byte, 0, maxNumber), len(fraction)-e
	digits = append(append(digits, whole...), fraction...)
	return digits, places, places <= quote.MaxDecimals
}
