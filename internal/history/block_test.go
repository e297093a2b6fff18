package history

import (
	"math"
	"slices"
	"testing"

	"ticklane/internal/quote"
)

// TestOpenBarsRoundTrip: what is stored of the newest bars is what is read, with prices of either sign.
func TestOpenBarsRoundTrip(t *testing.T) {
	o := &openBars{volume: volumeDay{number: -3, volume: quote.MaxUnits, seen: true}}
	for k := range spans {
		o.newest[k] = none
	}
	o.has[1], o.bars[1] = true, Bar{T: -60e6, O: -3763, H: quote.MaxUnits, L: -quote.MaxUnits, C: 0, V: 7}
	o.newest[1], o.newest[3] = window(-61e6, 1), 0
	for _, o.taken = range []taken{{}, {quote.Position{Epoch: 1<<32 - 1, Seq: 1 << 63}, -5}} {
		got, err := parseOpen(o.append(nil))
		if err != nil || *got != *o {
			t.Errorf("%+v, %v; want %+v", got, err, o)
		}
	}
	if _, err := parseOpen(append(o.append(nil), 0)); err == nil {
		t.Error("a byte after the end is no error")
	}
}

// FuzzBlock: any bytes are an error or a block, whose bytes are a block with the same bars again.
func FuzzBlock(f *testing.F) {
	f.Add([]byte{}, int64(0), uint8(0))
	f.Add(appendBlock(nil, 1, &block{start: 0, before: -windowLength(1), bars: []Bar{{T: 60e6, O: 5, H: 9, L: -3, C: 4, V: 8}, {T: 120e6, O: -5, H: -5, L: -5, C: -5}}}), int64(3), uint8(1))
	f.Add([]byte("0\xe5\x87\xbd\xbd\xbd\xbd000000"), int64(139), uint8(78)) // a time above all
	f.Add([]byte{2, 0x80, 0x80}, int64(math.MaxInt64), uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, at int64, length uint8) {
		k := int(length) % len(spans)
		start := window(max(-maxTime, min(at, maxTime)), k)
		x, err := parseBlock(start, k, b)
		if err != nil {
			return
		}
		y, err := parseBlock(start, k, appendBlock(nil, k, x))
		if err != nil || y.start != x.start || !slices.Equal(y.bars, x.bars) {
			t.Errorf("%+v became %+v, %v", x, y, err)
		}
	})
}

// FuzzOpenBars: any bytes are an error or newest bars, whose bytes are the same again.
func FuzzOpenBars(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x0000\x00\x00\x00\x00\x00\x00\x01000000\x01\xc4\u01300")) // a time above all
	f.Add((&openBars{has: [len(spans)]bool{true, false, true, true}, newest: [len(spans)]int64{none, 0, none, windowLength(3)}}).append(nil))
	f.Add((&openBars{newest: [len(spans)]int64{none, none, none, none}, taken: taken{quote.Position{Epoch: 7, Seq: 300}, 1e15}}).append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := parseOpen(b)
		if err != nil {
			return
		}
		if again, err := parseOpen(o.append(nil)); err != nil || *again != *o {
			t.Errorf("%+v became %+v, %v", o, again, err)
		}
	})
}

// FuzzScale: a scaled value is exact, or refused.
func FuzzScale(f *testing.F) {
	f.Add(int64(12_345), int8(3))
	f.Add(int64(-12_000), int8(-3))
	f.Fuzz(func(t *testing.T, v int64, decimals int8) {
		decimals %= 10
		scaled := v
		if scale(&scaled, int(decimals)) && (!scale(&scaled, -int(decimals)) || scaled != v) {
			t.Errorf("%d with %d more decimals isn't the same", v, decimals)
		}
	})
}
