package quote

// MaxDecimals is the largest number of decimals of a price or size.
const MaxDecimals = 9

// MaxUnits is the largest size, and the largest price of either sign, in units. Decoders that use floating point have whole
// numbers up to it exactly, and numbers with decimals up to 15 digits.
const MaxUnits = 1<<53 - 1

// Price is a price in units of 10^-Decimals of its instrument, so that sums and comparisons are exact.
type Price int64

// Format formats the price with a number of decimals, 0 to MaxDecimals: "184.27", "-0.05".
func (p Price) Format(decimals uint8) string { return string(p.AppendTo(nil, decimals)) }

// AppendTo appends the price with exactly that many decimals, which is a valid JSON number.
func (p Price) AppendTo(b []byte, decimals uint8) []byte { return appendUnits(b, int64(p), decimals) }

// Float returns the price as a number, for statistics and charts only: it may be rounded.
func (p Price) Float(decimals uint8) float64 { return float64(p) / float64(powers[decimals]) }

// Size is a quantity in units of 10^-SizeDecimals of its instrument.
type Size int64

// Format formats the size with a number of decimals, 0 to MaxDecimals.
func (s Size) Format(decimals uint8) string { return string(s.AppendTo(nil, decimals)) }

// AppendTo appends the size with exactly that many decimals, which is a valid JSON number.
func (s Size) AppendTo(b []byte, decimals uint8) []byte { return appendUnits(b, int64(s), decimals) }

// Float returns the size as a number, for statistics and charts only: it may be rounded.
func (s Size) Float(decimals uint8) float64 { return float64(s) / float64(powers[decimals]) }

// appendUnits appends units of 10^-decimals with exactly that many decimals.
func appendUnits(b []byte, units int64, decimals uint8) []byte {
	u := uint64(units)
	if units < 0 {
		b = append(b, '-')
		u = -u
	}
	switch decimals {
	case 0:
		return AppendDecimal(b, u)
	case 2: // of most prices, without a division by a variable
		c := u % 100
		return append(AppendDecimal(b, u/100), '.', pairs[2*c], pairs[2*c+1])
	}
	scale := powers[decimals]
	b = AppendDecimal(b, u/scale)
	point := len(b)
	b = AppendDecimal(b, scale+u%scale) // a 1 and the decimals with their leading zeros
	b[point] = '.'
	return b
}
