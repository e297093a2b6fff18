package replay

import (
	"cmp"
	"fmt"

	"ticklane/internal/quote"
)

// minDecimals are the decimals of prices at least: a share at 185 and 184.5 has cents.
const minDecimals = 2

// paddedDecimals are so many decimals that the zeros at their end are the exporter's: Yahoo writes 6, Binance 8.
const paddedDecimals = 6

// symbolScan is what the scan has found out about a symbol.
type symbolScan struct {
	instrument      quote.Instrument
	first           [2]decimal // price of the first row, or its bid and ask
	firstPositive   [2]decimal // the same of the first row with prices above 0, if positive
	positive        bool       // it has such a row
	written, needed uint8      // largest number of decimals of a price, with and without zeros at its end
	sizeDecimals    uint8
	largest         uint64 // of the prices without their decimals
	largestSize     uint64
	negative        bool       // it has a price below 0, at which it was traded
	rejected        []deferred // rows with prices of 0 and below
	more            int        // number of such rows beyond these
}

// deferred is a row that is valid only if the symbol has negative prices.
type deferred struct {
	line  int
	col   column
	price decimal
}

// take adds a row's numbers. quotes reports whether the file has only bid and ask.
func (s *symbolScan) take(r *row, quotes bool) {
	for col := firstPrice; col < columnCount; col++ {
		if !r.hasValue(col) {
			continue
		}
		d := r.values[col]
		whole := magnitude(d.units) / powersOfTen[d.places]
		if col.size() {
			s.sizeDecimals = max(s.sizeDecimals, d.places)
			s.largestSize = max(s.largestSize, whole)
			continue
		}
		s.written = max(s.written, d.places)
		if d.places > s.needed {
			s.needed = max(s.needed, d.needed().places)
		}
		s.largest = max(s.largest, whole)
		if d.units < 0 && (quotes || col != colBid && col != colAsk) {
			s.negative = true
		}
	}
}

// notPositive returns the first column of a row with a price of 0 or below.
func (r *row) notPositive() (col column, ok bool) {
	for col := firstPrice; col < firstSize; col++ {
		if r.hasValue(col) && r.values[col].units <= 0 {
			return col, true
		}
	}
	return 0, false
}

// reject remembers a row that is invalid unless the symbol turns out to have negative prices.
func (s *symbolScan) reject(r *row, col column) {
	if len(s.rejected) == maxReported {
		s.more++
		return
	}
	s.rejected = append(s.rejected, deferred{r.line, col, r.values[col]})
}

// finish sets the decimals of the instrument and its reference price.
func (s *symbolScan) finish() error {
	in := &s.instrument
	in.Negative = s.negative
	in.Decimals = max(minDecimals, s.written)
	if s.written >= paddedDecimals || !fits(s.largest, in.Decimals) {
		in.Decimals = max(minDecimals, s.needed)
	}
	in.SizeDecimals = s.sizeDecimals
	if !fits(s.largest, in.Decimals) {
		return fmt.Errorf("%s has prices above %d and prices with %d decimals: %w", in.Symbol, s.largest, s.needed, errRange)
	}
	if !fits(s.largestSize, in.SizeDecimals) {
		return fmt.Errorf("%s has sizes above %d and sizes with %d decimals: %w", in.Symbol, s.largestSize, s.sizeDecimals, errRange)
	}
	first := s.first
	if !s.negative {
		first = s.firstPositive
	}
	a, _ := first[0].scaled(in.Decimals)
	b, _ := first[1].scaled(in.Decimals)
	in.Price = quote.Price(a+b) / 2
	return nil
}

// fits reports whether numbers up to whole and a fraction are exact with so many decimals.
func fits(whole uint64, decimals uint8) bool {
	return whole < quote.MaxUnits/powersOfTen[decimals]
}

// reference returns the price of a row twice, or its bid and ask.
func (r *row) reference() [2]decimal {
	for _, col := range [...]column{colOpen, colLast} {
		if r.hasValue(col) {
			return [2]decimal{r.values[col], r.values[col]}
		}
	}
	return [2]decimal{r.values[colBid], r.values[colAsk]}
}

func byLine(a, b error) int {
	x, y := a.(*RowError), b.(*RowError)
	return cmp.Compare(x.Line, y.Line)
}
