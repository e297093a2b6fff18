package quote

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
)

func TestAppendPrice(t *testing.T) {
	for _, c := range []struct {
		units    int64
		decimals uint8
		want     string
	}{
		{0, 2, "0.00"}, {1, 2, "0.01"}, {10, 2, "0.10"}, {99, 2, "0.99"}, {100, 2, "1.00"}, {18427, 2, "184.27"},
		{-1, 2, "-0.01"}, {-5, 2, "-0.05"}, {-100, 2, "-1.00"}, {-3763, 2, "-37.63"},
		{math.MaxInt64, 2, "92233720368547758.07"}, {math.MinInt64, 2, "-92233720368547758.08"},
		{0, 0, "0"}, {-7, 0, "-7"}, {48291300, 0, "48291300"},
		{0, 1, "0.0"}, {-1, 1, "-0.1"}, {25, 1, "2.5"},
		{150123, 3, "150.123"}, {108345, 5, "1.08345"}, {7, 5, "0.00007"}, {-10, 5, "-0.00010"},
		{1, 9, "0.000000001"}, {MaxUnits, 9, "9007199.254740991"}, {-MaxUnits, 9, "-9007199.254740991"},
		{math.MinInt64, 9, "-9223372036.854775808"},
	} {
		if got := Price(c.units).Format(c.decimals); got != c.want || !json.Valid([]byte(got)) {
			t.Errorf("Price(%d) with %d decimals: %s, want %s", c.units, c.decimals, got, c.want)
		}
		if got := Size(c.units).Format(c.decimals); got != c.want {
			t.Errorf("Size(%d) with %d decimals: %s, want %s", c.units, c.decimals, got, c.want)
		}
	}
	if got := Price(108345).Float(5); got != 1.08345 {
		t.Errorf("Float = %v", got)
	}
	if got := Size(15).Float(1); got != 1.5 {
		t.Errorf("Float = %v", got)
	}
}

func TestParsePrice(t *testing.T) {
	for _, c := range []struct {
		text     string
		decimals uint8
		want     Price
		err      error
	}{
		{"184.27", 2, 18427, nil}, {"184.2", 2, 18420, nil}, {"184", 2, 18400, nil}, {"184.", 2, 18400, nil}, {".5", 2, 50, nil},
		{"184.2700000000000000000000000000", 2, 18427, nil}, {"000184.27", 2, 18427, nil}, {"0.00", 2, 0, nil}, {"-0", 2, 0, nil},
		{"-37.63", 2, -3763, nil}, {"+1", 0, 1, nil}, {"1.08345", 5, 108345, nil}, {"0.000000001", 9, 1, nil}, {"100", 0, 100, nil},
		{"1e-05", 5, 1, nil}, {"1.5E3", 0, 1500, nil}, {"1200e-2", 0, 12, nil}, {"0e999999999999", 2, 0, nil}, {"1e+2", 1, 1000, nil},
		{"9007199254740991", 0, MaxUnits, nil}, {"-9007199.254740991", 9, -MaxUnits, nil}, {"9007199254740991.0", 0, MaxUnits, nil},
		{"9007199254740992", 0, 0, ErrRange}, {"90071992547409.92", 2, 0, ErrRange}, {"1e16", 0, 0, ErrRange}, {"9e15", 2, 0, ErrRange},
		{"10000000", 9, 0, ErrRange}, {"99999999999999999999999999", 0, 0, ErrRange}, {"1e99999999999999", 0, 0, ErrRange},
		{"18446744073709551617", 0, 0, ErrRange}, {"1" + strings.Repeat("0", 40), 0, 0, ErrRange},
		{"184.273", 2, 0, ErrDecimals}, {"0.0001", 3, 0, ErrDecimals}, {"1e-99999999999999", 9, 0, ErrDecimals}, {"0.5", 0, 0, ErrDecimals},
		{"184.27000427246094", 2, 0, ErrDecimals}, {"0." + strings.Repeat("0", 40) + "1", 9, 0, ErrDecimals},
		{"", 2, 0, ErrNumber}, {"-", 2, 0, ErrNumber}, {".", 2, 0, ErrNumber}, {"e5", 2, 0, ErrNumber}, {"1e", 2, 0, ErrNumber},
		{"1e+", 2, 0, ErrNumber}, {"1e5x", 2, 0, ErrNumber}, {"1.2.3", 2, 0, ErrNumber}, {"1,2", 2, 0, ErrNumber}, {" 1", 2, 0, ErrNumber},
		{"1 ", 2, 0, ErrNumber}, {"NaN", 2, 0, ErrNumber}, {"Inf", 2, 0, ErrNumber}, {"0x10", 2, 0, ErrNumber}, {"1_000", 2, 0, ErrNumber},
		{"--1", 2, 0, ErrNumber}, {"١", 2, 0, ErrNumber},
	} {
		got, err := ParsePrice(c.text, c.decimals)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("ParsePrice(%q, %d) = %d, %v; want %d, %v", c.text, c.decimals, got, err, c.want, c.err)
		}
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]Size{"0": 0, "0.0001": 1, "12.5": 125000} {
		if got, err := ParseSize(text, 4); got != want || err != nil {
			t.Errorf("ParseSize(%q) = %d, %v", text, got, err)
		}
	}
	if got, err := ParseSize("-0.0001", 4); got != 0 || !errors.Is(err, ErrNegative) {
		t.Errorf("negative: %d, %v", got, err)
	}
}

// TestPriceAllocatesNothing: a feed parses and renders every tick.
func TestPriceAllocatesNothing(t *testing.T) {
	b, text := make([]byte, 0, 64), []byte("-1.08345")
	n := testing.AllocsPerRun(100, func() {
		p, err := ParsePrice(string(text), 5)
		if err != nil {
			t.Fatal(err)
		}
		for decimals := range uint8(MaxDecimals + 1) {
			b = p.AppendTo(b[:0], decimals)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzPrice: what is formatted is parsed as the same price, or refused as too large.
func FuzzPrice(f *testing.F) {
	f.Add(int64(-5), uint8(2))
	f.Add(int64(math.MinInt64), uint8(9))
	f.Add(int64(MaxUnits), uint8(0))
	f.Fuzz(func(t *testing.T, units int64, decimals uint8) {
		decimals %= MaxDecimals + 1
		text := Price(units).Format(decimals)
		whole, part, point := strings.Cut(text, ".")
		if whole == "" || len(part) != int(decimals) || point != (decimals > 0) || !json.Valid([]byte(text)) {
			t.Fatalf("Price(%d) = %q: want %d decimals", units, text, decimals)
		}
		switch got, err := ParsePrice(text, decimals); {
		case units > MaxUnits || units < -MaxUnits:
			if !errors.Is(err, ErrRange) {
				t.Errorf("%q was parsed as %d, %v", text, got, err)
			}
		case err != nil || int64(got) != units:
			t.Errorf("Price(%d) = %q, parsed as %d, %v", units, text, got, err)
		}
	})
}

// FuzzParsePrice compares the parser with exact arithmetic.
func FuzzParsePrice(f *testing.F) {
	for _, s := range []string{"184.27", "-0.05", "1e-05", "1.50E+3", ".5", "5.", "00.10", "9007199254740991", "1e400", "0x1p4", "1_0"} {
		f.Add(s, uint8(2))
	}
	f.Fuzz(func(t *testing.T, text string, decimals uint8) {
		decimals %= MaxDecimals + 1
		got, err := ParsePrice(text, decimals)
		if i := strings.IndexAny(text, "eE"); i >= 0 && len(text)-i > 4 || len(text) > 60 {
			return // exact arithmetic would take long
		}
		exact, ok := new(big.Rat).SetString(text)
		if strings.Trim(text, "0123456789.eE+-") != "" || !ok {
			if !errors.Is(err, ErrNumber) {
				t.Errorf("%q was parsed as %d, %v", text, got, err)
			}
			return
		}
		exact.Mul(exact, new(big.Rat).SetInt64(int64(powers[decimals])))
		limit := new(big.Rat).SetInt64(MaxUnits)
		switch {
		case err == nil:
			if exact.Cmp(new(big.Rat).SetInt64(int64(got))) != 0 {
				t.Errorf("%q with %d decimals was parsed as %d", text, decimals, got)
			}
		case errors.Is(err, ErrDecimals) && exact.IsInt(), errors.Is(err, ErrRange) && new(big.Rat).Abs(exact).Cmp(limit) <= 0, errors.Is(err, ErrNumber):
			t.Errorf("%q with %d decimals: %v", text, decimals, err)
		}
	})
}
