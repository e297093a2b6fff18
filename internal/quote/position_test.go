package quote

import (
	"errors"
	"math"
	"testing"
)

func TestParsePosition(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Position
	}{
		{"9f3c1a-482913", Position{0x9f3c1a, 482913}},
		{"1-0", Position{1, 0}},
		{"ffffffffffffffff-18446744073709551615", Position{math.MaxUint64, math.MaxUint64}},
	} {
		got, err := ParsePosition(c.in)
		if err != nil || got != c.want {
			t.Errorf("ParsePosition(%q) = %v, %v; want %v", c.in, got, err, c.want)
		}
		if got.String() != c.in {
			t.Errorf("String of %q = %q", c.in, got.String())
		}
	}
}

func TestParsePositionRejects(t *testing.T) {
	for _, in := range []string{
		"", "-", "1", "end", "1-", "-1", "0-1", "01-1", "1-01", "1-00", "A-1", "+1-1", "1-+1", "1--1",
		"1-1-1", " 1-1", "1-1 ", "1-1\n", "0x1-1", "1_0-1", "1-1_0", "g-1", "1-a", "1-1.0", "١-1",
		"10000000000000000-1", "1-18446744073709551616", "00000000000000001-1", "ffffffffffffffff-184467440737095516150",
	} {
		p, err := ParsePosition(in)
		if !errors.Is(err, ErrPosition) {
			t.Errorf("ParsePosition(%q) = %v, %v; want ErrPosition", in, p, err)
		}
		if p != (Position{}) {
			t.Errorf("ParsePosition(%q) returned %v with an error", in, p)
		}
	}
}

func FuzzPosition(f *testing.F) {
	for _, s := range []string{"9f3c1a-482913", "1-0", "0-1", "A-1", "1-01", "+1-1", "end", "ffffffffffffffff-18446744073709551615"} {
		f.Add(s, uint64(7), uint64(9))
	}
	f.Fuzz(func(t *testing.T, s string, epoch, seq uint64) {
		p, err := ParsePosition(s)
		switch {
		case err == nil && (p.String() != s || p.Epoch == 0):
			t.Errorf("%q was parsed as %q", s, p)
		case err != nil && !errors.Is(err, ErrPosition):
			t.Errorf("%q: error %v doesn't wrap ErrPosition", s, err)
		}
		if epoch == 0 {
			return
		}
		want := Position{epoch, seq}
		if got, err := ParsePosition(want.String()); err != nil || got != want {
			t.Errorf("%q was parsed as %v, %v", want, got, err)
		}
	})
}
