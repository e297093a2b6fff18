package quote

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
)

func TestPrice(t *testing.T) {
	for p, want := range map[Price]string{
		0: "0.00", 1: "0.01", 10: "0.10", 99: "0.99", 100: "1.00", 18427: "184.27",
		-1: "-0.01", -5: "-0.05", -100: "-1.00", -18427: "-184.27",
		math.MaxInt64: "92233720368547758.07", math.MinInt64: "-92233720368547758.08",
	} {
		if got := p.String(); got != want {
			t.Errorf("Price(%d) = %q, want %q", int64(p), got, want)
		}
		if !json.Valid([]byte(p.String())) {
			t.Errorf("%q is not a JSON number", p)
		}
	}
	if got := Price(18427).Dollars(); got != 184.27 {
		t.Errorf("Dollars = %v", got)
	}
}

func FuzzPrice(f *testing.F) {
	f.Add(int64(-5))
	f.Add(int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, cents int64) {
		s := Price(cents).String()
		whole, part, ok := strings.Cut(s, ".")
		if !ok || len(part) != 2 {
			t.Fatalf("Price(%d) = %q: want two decimals", cents, s)
		}
		if back, err := strconv.ParseInt(whole+part, 10, 64); err != nil || back != cents {
			t.Errorf("Price(%d) = %q, parsed as %d, %v", cents, s, back, err)
		}
	})
}

func TestPriceAppendAllocatesNothing(t *testing.T) {
	b := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() { b = Price(-18427).AppendTo(b[:0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
