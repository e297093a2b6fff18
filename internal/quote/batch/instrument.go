package batch

import (
	"encoding/binary"
	"math"

	"ticklane/internal/quote"
)

// The flags of an instrument.
const (
	isNegative = 1 << iota
	hasSession
	endOfInstrument
)

// minInstrument is the least number of bytes of an instrument.
const minInstrument = 28

// appendInstrument appends an instrument: its texts, numbers as varints, floating-point numbers in 8 bytes.
func appendInstrument(b []byte, in *quote.Instrument) []byte {
	for _, text := range [...]string{in.Symbol, in.Name, in.Sector, in.Currency, in.Venue} {
		b = appendText(b, text)
	}
	b = append(b, in.Decimals, in.SizeDecimals, flag(in.Negative, isNegative)|flag(in.Session != nil, hasSession))
	b = binary.AppendVarint(b, int64(in.TickSize))
	b = binary.AppendVarint(b, int64(in.Price))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(in.Volatility))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(in.Value))
	if s := in.Session; s != nil {
		for _, text := range [...]string{s.Zone.String(), quote.Clock(s.Open), quote.Clock(s.Close)} {
			b = appendText(b, text)
		}
	}
	return b
}

// instrument reads and checks an instrument.
func (r *Reader) instrument() (in quote.Instrument, err error) {
	for _, text := range [...]*string{&in.Symbol, &in.Name, &in.Sector, &in.Currency, &in.Venue} {
		*text = r.text()
	}
	in.Decimals, in.SizeDecimals = r.byte(), r.byte()
	flags := r.byte()
	if flags >= endOfInstrument {
		r.fail("unknown flags")
	}
	in.Negative = flags&isNegative != 0
	in.TickSize, in.Price = quote.Price(r.Int()), quote.Price(r.Int())
	in.Volatility, in.Value = r.float(), r.float()
	if r.err == nil && flags&hasSession != 0 {
		zone, opens, closes := r.text(), r.text(), r.text()
		if r.err == nil {
			in.Session, err = quote.NewSession(zone, opens, closes)
		}
	}
	if r.err != nil {
		return in, r.err
	}
	if err == nil {
		err = in.Check()
	}
	return in, err
}

// float reads a floating-point number. One that isn't finite is invalid.
func (r *Reader) float() float64 {
	if len(r.rest) < 8 {
		r.fail("the end")
		return 0
	}
	f := math.Float64frombits(binary.LittleEndian.Uint64(r.rest))
	r.rest = r.rest[8:]
	if math.IsNaN(f) || math.IsInf(f, 0) {
		r.fail("not a finite number")
	}
	return f
}
