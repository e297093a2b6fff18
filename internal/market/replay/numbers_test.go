package replay

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"ticklane/internal/quote"
)

var (
	english = numberFormat{point: '.', group: ','}
	german  = numberFormat{point: ',', group: '.'}
	french  = numberFormat{point: ',', group: ' '}
	swiss   = numberFormat{point: '.', group: '\''}
	plain   = numberFormat{point: '.'}
)

func TestParseNumber(t *testing.T) {
	for _, c := range []struct {
		format numberFormat
		text   string
		want   decimal
	}{
		{english, "184.27", decimal{18427, 2}},
		{english, "184.50", decimal{18450, 2}},
		{english, "1,355.90", decimal{135590, 2}},
		{english, "1,234,567", decimal{1234567, 0}},
		{english, "1,23,456.70", decimal{12345670, 2}}, // as in India
		{english, "$186.00", decimal{18600, 2}},
		{english, "-$1.10", decimal{-110, 2}},
		{english, "€ 5", decimal{5, 0}},
		{english, "5 €", decimal{5, 0}},
		{english, "\u22121.5", decimal{-15, 1}},
		{english, "+1.5", decimal{15, 1}},
		{english, ".5", decimal{5, 1}},
		{english, "5.", decimal{5, 0}},
		{english, "007", decimal{7, 0}},
		{english, "0.00", decimal{0, 2}},
		{english, "1.20M", decimal{1200000, 0}},
		{english, "980.50K", decimal{980500, 0}},
		{english, "1.2345678k", decimal{12345678, 4}},
		{english, "2B", decimal{2000000000, 0}},
		{english, "1e3", decimal{1000, 0}},
		{english, "1.2e-05", decimal{12, 6}},
		{english, "1.5E+2", decimal{150, 0}},
		{german, "184,27", decimal{18427, 2}},
		{german, "1.355,90", decimal{135590, 2}},
		{german, "1.200", decimal{1200, 0}},
		{french, "1 355,90", decimal{135590, 2}},
		{french, "1\u00a0355,90", decimal{135590, 2}},
		{french, "1\u202f234\u202f567", decimal{1234567, 0}},
		{swiss, "1'355.90", decimal{135590, 2}},
		{swiss, "1\u2019355.90", decimal{135590, 2}},
		{plain, "64123.123456789", decimal{64123123456789, 9}},
		{plain, "1.250000000000", decimal{1250000000, 9}},
		{plain, "9007199254740991", decimal{quote.MaxUnits, 0}},
		{plain, "90071992547409.910000", decimal{9007199254740991, 2}},
		{plain, "184.27000427246094", decimal{18427, 2}},   // 32 bits, with the digits of 64
		{plain, "0.12834799289703369", decimal{128348, 6}}, // so is this
		{plain, "184.26999999999998", decimal{18427, 2}},   // a sum of 64 bits
		{plain, "0.30000000000000004", decimal{3, 1}},
	} {
		if got, err := c.format.parse(c.text); err != nil || got != c.want {
			t.Errorf("%q is %d with %d decimals, %v, want %+v", c.text, got.units, got.places, err, c.want)
		}
	}
	for _, c := range []struct {
		format     numberFormat
		text, want string
	}{
		{english, "", "want a number such as 1,234.5"}, {english, "x", "want a number"}, {english, "-", "want"}, {english, "--1", "want"},
		{english, "1.2.3", "want"}, {english, "1,2", "want"}, {english, "1,2345", "want"}, {english, "12,34", "want"}, {english, ",123", "want"},
		{english, "1,234,56", "want"}, {english, "1.234,5", "want"}, {english, "1.19%", "want"}, {english, "Inf", "want"}, {english, "NaN", "want"},
		{english, "0x10", "want"}, {english, "1e", "want"}, {english, "1e999", "want"}, {english, "K", "want"}, {english, ".", "want"},
		{german, "184.27", "want a number such as 1.234,5"}, {french, "1.355,90", "want a number such as 1 234,5"}, {plain, "1,234", "want a number such as 1234.5"},
		{plain, "0.1234567891", "more than 9 decimals"}, {plain, "1.00000000001", "more than 9 decimals"}, {plain, "123.12345678912", "more than 9 decimals"},
		{plain, "9007199254740992", "53 bits"}, {plain, "1e30", "53 bits"}, {plain, "123456789.123456789", "53 bits"}, {plain, "9000T9", "want"},
		{plain, strings.Repeat("1", 61), "want"},
	} {
		if got, err := c.format.parse(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q is %+v, %v, want %q", c.text, got, err, c.want)
		}
	}
}

func TestDecimals(t *testing.T) {
	if got, ok := (decimal{18450, 2}).scaled(5); !ok || got != 18450000 {
		t.Errorf("scaled up: %d %t", got, ok)
	}
	if got, ok := (decimal{-18450, 2}).scaled(1); !ok || got != -1845 {
		t.Errorf("without zeros: %d %t", got, ok)
	}
	if _, ok := (decimal{18451, 2}).scaled(1); ok {
		t.Error("a decimal was lost")
	}
	if _, ok := (decimal{quote.MaxUnits, 0}).scaled(1); ok {
		t.Error("more than MaxUnits")
	}
	for _, c := range []struct {
		a, b decimal
		want int
	}{
		{decimal{1, 0}, decimal{10, 1}, 0}, {decimal{1, 0}, decimal{11, 1}, -1}, {decimal{-1, 0}, decimal{-11, 1}, 1}, {decimal{-1, 0}, decimal{0, 0}, -1},
		{decimal{quote.MaxUnits, 0}, decimal{1, 9}, 1}, {decimal{1, 9}, decimal{quote.MaxUnits, 0}, -1}, {decimal{5, 0}, decimal{-5, 0}, 1},
	} {
		if got := c.a.compare(c.b); got != c.want {
			t.Errorf("%v compared with %v: %d", c.a, c.b, got)
		}
	}
}

// TestNotation: what numbers show about their notation, and what leaves it open.
func TestNotation(t *testing.T) {
	for _, c := range []struct {
		numbers   string
		delimiter byte
		format    Format
		want      string // an example, or part of the error
	}{
		{"184.27 185", ',', Format{}, "1,234.5"},
		{"184,27 1.200", ';', Format{}, "1.234,5"},
		{"1,234,567", ',', Format{}, "1,234.5"},
		{"1.234.567", ';', Format{}, "1.234,5"},
		{"1,355.90", ',', Format{}, "1,234.5"},
		{"1.355,90", ';', Format{}, "1.234,5"},
		{"1'355.90", ',', Format{}, "1'234.5"},
		{"1\u00a0355,90", ';', Format{}, "1 234,5"},
		{"77.708 77.710", ',', Format{}, "1,234.5"},
		{"77.708 77.710", '\t', Format{}, "1,234.5"},
		{"77.708 1234.505", ';', Format{}, "1,234.5"},
		{"0,355", ';', Format{}, "1.234,5"},
		{"12 13", ';', Format{}, "1,234.5"},
		{"1.355 1.360", ';', Format{}, `"1.355" is ambiguous: 1.355 with a point before the decimals, 1355 with a comma. Set feed.format.decimal`},
		{"1,355 12", ',', Format{}, `"1,355" is ambiguous: 1355 with a point before the decimals, 1.355 with a comma`},
		{"1.355 1.360", ';', Format{Decimal: "comma"}, "1.234,5"},
		{"1.355 1.360", ';', Format{Decimal: "point"}, "1,234.5"},
		{"1.355 1.360", ';', Format{Thousands: "point"}, "1.234,5"},
		{"1,355", ',', Format{Thousands: "comma"}, "1,234.5"},
		{"184.27", ',', Format{Thousands: "none"}, "1234.5"},
		{"184.27", ',', Format{Decimal: "point", Thousands: "point"}, "feed.format.thousands"},
	} {
		s, err := c.format.parse()
		if err != nil {
			t.Fatal(err)
		}
		var n notation
		for number := range strings.SplitSeq(c.numbers, " ") {
			n.observe(number)
		}
		f, err := n.decide(s, c.delimiter)
		if got := f.example(); err == nil && got != c.want || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %s, %v, want %s", c.numbers, got, err, c.want)
		}
	}
}

// FuzzNumber compares with big.Rat: a number is exact, or an error.
func FuzzNumber(f *testing.F) {
	for _, seed := range []string{"184.27", "-1,355.90", "1.2e-05", "1.2M", "9007199254740991", "0.000000001", "5.", "1,23,456", "1e9", "$-.5"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := english.parse(text)
		if err != nil {
			return
		}
		if d.places > quote.MaxDecimals || magnitude(d.units) > quote.MaxUnits {
			t.Fatalf("%q is %+v", text, d)
		}
		plain := strings.ReplaceAll(strings.Trim(text, " $€+"), ",", "")
		if strings.Trim(plain, "0123456789.-eE+") != "" || len(plain) > 12 {
			return // a suffix, a sign of a currency, or noise
		}
		want, ok := new(big.Rat).SetString(plain)
		if !ok {
			return
		}
		got := new(big.Rat).SetFrac(big.NewInt(d.units), big.NewInt(int64(powersOfTen[d.places])))
		if got.Cmp(want) != 0 {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
		back, err := plain32(d)
		if err != nil || back != d {
			t.Errorf("%v read again is %v, %v", d, back, err)
		}
	})
}

func plain32(d decimal) (decimal, error) { return plain.parse(d.String()) }

// FuzzNoise: what a program writes of numbers of 32 and 64 bits is read as the number that was stored.
func FuzzNoise(f *testing.F) {
	f.Add(int64(18427), uint8(2))
	f.Add(int64(123456), uint8(6))
	f.Fuzz(func(t *testing.T, units int64, places uint8) {
		units, places = units%1_000_000, places%5
		want := decimal{units, places}.needed()
		value, _ := strconv.ParseFloat(want.String(), 64)
		for _, text := range []string{
			strconv.FormatFloat(float64(float32(value)), 'f', -1, 64), // of yfinance
			strconv.FormatFloat(value*3/3, 'f', -1, 64),
		} {
			_, decimals, _ := strings.Cut(text, ".")
			got, err := plain.parse(text)
			if err != nil || got.needed() != want && len(decimals) > quote.MaxDecimals {
				t.Errorf("%s is %v, %v, want %v", text, got, err, want)
			}
		}
		got, err := plain.parse(strconv.FormatFloat(float64(float32(value)), 'f', singleDecimals, 64))
		if err != nil {
			t.Fatal(err)
		}
		if shorter := shorten(got); !printedSingle(got) || shorter.needed() != want {
			t.Errorf("%v is %v, want %v", got, shorter, want)
		}
	})
}

// TestPricesOf32Bits: a file of such prices has those that were stored, and another file what it says.
func TestPricesOf32Bits(t *testing.T) {
	for name, c := range map[string]struct{ prices, want string }{
		"yfinance":          {"4567.7998046875 4567.75 8192.599609375", "4567.80 4567.75 8192.60"},
		"yahoo":             {"184.270004 186.100006 185.500000", "184.27 186.10 185.50"},
		"six decimals":      {"184.270004 186.100007 185.500000", "184.270004 186.100007 185.500000"},
		"parts of 256":      {"110.00390625 110.0078125", "110.00390625 110.00781250"},
		"currencies":        {"1.083450 1.083461", "1.083450 1.083461"},
		"filled with zeros": {"64123.50500000 64123.51000000", "64123.505 64123.510"},
		"five decimals":     {"1.10000 1.20000", "1.10000 1.20000"},
		"one decimal":       {"184.5 185", "184.50 185.00"},
	} {
		var text strings.Builder
		text.WriteString("time,price\n")
		for i, price := range strings.Fields(c.prices) {
			fmt.Fprintf(&text, "2026-03-02 14:30:%02d,%s\n", i, price)
		}
		r := replayFile(t, "A.csv", text.String(), nil)
		var got []string
		for _, k := range r.ticks {
			got = append(got, k.Last.Format(r.scan.universe.Instrument(0).Decimals))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
