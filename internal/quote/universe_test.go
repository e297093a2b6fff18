package quote

import (
	"fmt"
	"strings"
	"testing"
)

// newUniverse returns the error of a universe with one symbol.
func newUniverse(ticker, sector string) error {
	_, err := NewUniverse([]Instrument{{Symbol: ticker, Sector: sector}})
	return err
}

func TestTickerAndSectorCharacters(t *testing.T) {
	const (
		tickers = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"
		sectors = "abcdefghijklmnopqrstuvwxyz0123456789-"
	)
	for c := range 256 {
		s := string([]byte{byte(c)})
		if got, want := ValidSymbol(s), strings.Contains(tickers, s); got != want {
			t.Errorf("ValidSymbol(%q) = %v", s, got)
		}
		if got, want := newUniverse("A", s) == nil, strings.Contains(sectors, s); got != want {
			t.Errorf("sector %q accepted: %v", s, got)
		}
	}
}

func TestTickerAndSectorLengths(t *testing.T) {
	for n, want := range map[int]bool{0: false, 1: true, MaxSymbol: true, MaxSymbol + 1: false} {
		if got := ValidSymbol(strings.Repeat("A", n)); got != want {
			t.Errorf("ticker of %d bytes valid: %v", n, got)
		}
	}
	for n, want := range map[int]bool{0: false, 1: true, 32: true, 33: false} {
		if got := newUniverse("A", strings.Repeat("a", n)) == nil; got != want {
			t.Errorf("sector of %d bytes accepted: %v", n, got)
		}
	}
}

// TestNewUniverseRejects: the error identifies the symbol by its number, or by its ticker if that is valid.
func TestNewUniverseRejects(t *testing.T) {
	a := Instrument{Symbol: "A", Sector: "x"}
	for _, c := range []struct {
		symbols []Instrument
		want    string
	}{
		{nil, "at least one symbol"},
		{[]Instrument{a, {Symbol: "b", Sector: "x"}}, `symbol 2: ticker "b": want 1 to 16 of A-Z, 0-9, '.' and '-'`},
		{[]Instrument{a, {Symbol: "B", Sector: "Tech"}}, `symbol B: sector "Tech": want 1 to 32 of a-z, 0-9 and '-'`},
		{[]Instrument{a, {Symbol: "A", Sector: "y"}}, "symbol A: listed twice"},
	} {
		if _, err := NewUniverse(c.symbols); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
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
