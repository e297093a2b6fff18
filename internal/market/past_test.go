package market

import (
	"math"
	"slices"
	"testing"
	"time"

	"ticklane/internal/quote"
)

// The past days end at the price with which the warm-up begins, have its volatility and volume, and are the same for a seed.
func TestDays(t *testing.T) {
	now := time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC) // the warm-up begins on the day before: two days are its own
	const n = 250
	days := func() (all []quote.Tick) {
		s := newSimulator(t, func(o *Options) { o.Rate = 1000 })
		s.Days(now, n+2, func(d []quote.Tick) { all = append(all, d...) })
		return all
	}
	all := days()
	if !slices.Equal(all, days()) {
		t.Error("other days with the same seed")
	}
	s := newSimulator(t, func(o *Options) { o.Rate = 1000 })
	if len(all) != n*s.Universe().Len() {
		t.Fatalf("%d days of %d symbols", len(all), s.Universe().Len())
	}
	var relative, volume float64 // variance of a return, over the symbol's
	for i, k := range all {
		day := time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC).AddDate(0, 0, i%n-n+1)
		if k.Symbol != quote.ID(i/n) || k.Due != day.UnixMicro() {
			t.Fatalf("day %d is of symbol %d, due %v, want %v", i, k.Symbol, time.UnixMicro(k.Due).UTC(), day)
		}
		if k.High < max(k.Open, k.Last) || k.Low > min(k.Open, k.Last) || k.Low < 1 || k.Volume < lot || k.Volume%lot != 0 {
			t.Fatalf("day %d: %+v", i, k)
		}
		if i%n > 0 && all[i-1].Last != k.Open {
			t.Fatalf("day %d opens at %v, after a close of %v", i, k.Open, all[i-1].Last)
		}
		if i%n == n-1 && k.Last != s.Universe().Instrument(k.Symbol).Price {
			t.Errorf("%s closes at %v, but begins at %v", s.Universe().Instrument(k.Symbol).Symbol, k.Last, s.Universe().Instrument(k.Symbol).Price)
		}
		move := math.Log(float64(k.Last)/float64(k.Open)) / s.Universe().Instrument(k.Symbol).Volatility
		relative += move * move / float64(len(all))
		volume += float64(k.Volume) * s.Universe().Instrument(k.Symbol).Price.Float(2) / n
	}
	if relative < 0.7 || relative > 1.4 {
		t.Errorf("the variance of a day is %.2f of the symbol's", relative)
	}
	_, traded := warm(t, now.Add(12*time.Hour), 50, 1000, 10*time.Minute)
	if ratio := volume / (traded * 24 * 6); ratio < 0.8 || ratio > 1.25 {
		t.Errorf("a past day has %.2f of the volume of the present", ratio)
	}
}

func TestNoDaysWithoutAWarmUp(t *testing.T) {
	s := newSimulator(t, func(o *Options) { o.Warmup = 0 })
	s.Days(time.Now(), 10, func([]quote.Tick) { t.Error("days") })
}
