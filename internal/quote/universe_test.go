package quote

import (
	"fmt"
	"testing"
)

// TestNewUniverseRejects: the error identifies the instrument by its number, or by its symbol if that is valid.
func TestNewUniverseRejects(t *testing.T) {
	a := Instrument{Symbol: "A", Sector: "x"}
	for _, c := range []struct {
		instruments []Instrument
		want        string
	}{
		{nil, "a feed needs at least one symbol"},
		{[]Instrument{a, {Symbol: "b c", Sector: "x"}}, `instrument 2: symbol: "b c": want ` + SymbolForm},
		{[]Instrument{a, {Symbol: "B", Sector: "Tech"}}, `instrument B: sector: "Tech": want 1 to 32 of a-z, 0-9 and '-'`},
		{[]Instrument{a, {Symbol: "A", Sector: "y"}}, "instrument A: listed twice"},
	} {
		if _, err := NewUniverse(c.instruments); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

// TestSymbolsKeepTheirCase: symbols that differ in case only are different instruments.
func TestSymbolsKeepTheirCase(t *testing.T) {
	u, err := NewUniverse([]Instrument{{Symbol: "brk.b", Sector: "x"}, {Symbol: "BRK.B", Sector: "x"}, {Symbol: "EUR/USD", Sector: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	for symbol, want := range map[string]ID{"brk.b": 0, "BRK.B": 1, "EUR/USD": 2} {
		if id, ok := u.Lookup(symbol); !ok || id != want || u.Instrument(id).Symbol != symbol {
			t.Errorf("Lookup(%q) = %d, %v", symbol, id, ok)
		}
	}
	if _, ok := u.Lookup("Brk.b"); ok {
		t.Error("another case was found")
	}
}

// TestTopicsTakeOneBitPerSymbol: a stream holds its set of topics for as long as it lives.
func TestTopicsTakeOneBitPerSymbol(t *testing.T) {
	for n, words := range map[int]int{1: 1, 63: 1, 64: 1, 65: 2, 128: 2, 129: 3} {
		symbols := make([]Instrument, n)
		for i := range symbols {
			symbols[i] = Instrument{Symbol: fmt.Sprintf("S%d", i), Sector: "x"}
		}
		u, err := NewUniverse(symbols)
		if err != nil {
			t.Fatal(err)
		}
		last := ID(n - 1)
		set, err := u.Topics([]string{symbols[last].Symbol}, 0)
		if err != nil || len(set.bits) != words || !set.Has(last) || set.Has(last+1) {
			t.Errorf("%d symbols: %d words, has the last %v, has one more %v, %v", n, len(set.bits), set.Has(last), set.Has(last+1), err)
		}
	}
}
