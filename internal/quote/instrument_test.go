package quote

import (
	"errors"
	"strings"
	"testing"
)

func TestSymbolAndSectorCharacters(t *testing.T) {
	const (
		symbols = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_/^=:@"
		sectors = "abcdefghijklmnopqrstuvwxyz0123456789-"
	)
	for c := range 256 {
		s := string([]byte{byte(c)})
		if got, want := ValidSymbol(s), strings.Contains(symbols, s); got != want {
			t.Errorf("ValidSymbol(%q) = %v", s, got)
		}
		if got, want := (&Instrument{Symbol: "A", Sector: s}).Check() == nil, strings.Contains(sectors, s); got != want {
			t.Errorf("sector %q accepted: %v", s, got)
		}
	}
	for s, want := range map[string]bool{"sector:tech": false, "sector:": false, "Sector:tech": true, "EURUSD=X": true, "BINANCE:BTC/USDT": true} {
		if ValidSymbol(s) != want {
			t.Errorf("ValidSymbol(%q) = %v", s, !want)
		}
	}
}

func TestSymbolAndSectorLengths(t *testing.T) {
	for n, want := range map[int]bool{0: false, 1: true, 32: true, 33: false} {
		if got := ValidSymbol(strings.Repeat("A", n)); got != want {
			t.Errorf("symbol of %d bytes valid: %v", n, got)
		}
		if got := (&Instrument{Symbol: "A", Sector: strings.Repeat("a", n)}).Check() == nil; got != want {
			t.Errorf("sector of %d bytes accepted: %v", n, got)
		}
	}
}

func TestInstrumentCheck(t *testing.T) {
	valid := Instrument{Symbol: "^GSPC", Name: "S&P 500 – Index", Sector: "index", Decimals: 9, SizeDecimals: 9, Currency: "USD", Venue: "X", TickSize: 1}
	if err := valid.Check(); err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(*Instrument){
		"symbol":        func(in *Instrument) { in.Symbol = "A,B" },
		"name":          func(in *Instrument) { in.Name = "a\nb" },
		"sector":        func(in *Instrument) { in.Sector = "" },
		"decimals":      func(in *Instrument) { in.Decimals = 10 },
		"size_decimals": func(in *Instrument) { in.SizeDecimals = 10 },
		"currency":      func(in *Instrument) { in.Currency = strings.Repeat("x", 33) },
		"venue":         func(in *Instrument) { in.Venue = "\xff" },
		"tick_size":     func(in *Instrument) { in.TickSize = -1 },
	} {
		in := valid
		change(&in)
		var wrong *FieldError
		if err := in.Check(); !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("%s: error %v", field, err)
		}
	}
}

func TestPricesOfAnInstrument(t *testing.T) {
	share, oil := Instrument{Symbol: "A", Decimals: 2, SizeDecimals: 4}, Instrument{Symbol: "CL", Decimals: 2, Negative: true}
	for _, c := range []struct {
		in   *Instrument
		text string
		want Price
		ok   bool
	}{
		{&share, "0.01", 1, true}, {&share, "0", 0, false}, {&share, "-0.01", 0, false}, {&share, "0.001", 0, false},
		{&oil, "-37.63", -3763, true}, {&oil, "0.00", 0, true},
	} {
		if got, err := c.in.ParsePrice(c.text); got != c.want || (err == nil) != c.ok {
			t.Errorf("%s of %s: %d, %v", c.text, c.in.Symbol, got, err)
		}
	}
	if got, err := share.ParseSize("0.0001"); got != 1 || err != nil {
		t.Errorf("size: %d, %v", got, err)
	}
}
