package adapter

import (
	"math/big"
	"strings"
	"testing"
)

func TestNumber(t *testing.T) {
	for text, want := range map[string]string{
		"25.35190000": "25.3519", "31.21000000": "31.21", "0.00000100": "0.000001", "100": "100", "0": "0", "0.0": "0", "-0.00": "0", "-40.32": "-40.32", "007.50": "7.5",
		"1e-05": "0.00001", "1E3": "1000", "1.25e1": "12.5", "12.5e-3": "0.0125", "1.20e+2": "120", "0e9": "0",
	} {
		if got, err := number(text); err != nil || got != want {
			t.Errorf("number(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-", ".", ".5", "5.", "1,5", "1e", "1e99", "NaN", "+1", "1.2.3", "0x10", " 1", "1 ", "--1", strings.Repeat("9", 41)} {
		if got, err := number(text); err == nil {
			t.Errorf("number(%q) = %q, want an error", text, got)
		}
	}
}

func TestDecimals(t *testing.T) {
	for text, want := range map[string]int{"0.01000000": 2, "1.00000000": 0, "0.00000100": 6, "1e-8": 8, "10": 0} {
		if got, err := decimals(text); err != nil || got != want {
			t.Errorf("decimals(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
}

func FuzzNumber(f *testing.F) {
	for _, text := range []string{"25.35190000", "-1e-05", "0.0", "1E3", "00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := number(text)
		if err != nil {
			return
		}
		before, ok := new(big.Rat).SetString(text)
		after, ok2 := new(big.Rat).SetString(got)
		if !ok || !ok2 || before.Cmp(after) != 0 {
			t.Errorf("number(%q) = %q, another number", text, got)
		}
		if again, err := number(got); err != nil || again != got {
			t.Errorf("number(%q) = %q, %v; want it unchanged", got, again, err)
		}
	})
}
