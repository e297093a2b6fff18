package main

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"ticklane/internal/config"
	"ticklane/internal/history"
	"ticklane/internal/market"
)

// TestSimulatedDays: servers with and without data.dir have the same daily bars of the simulated past, as many as memory keeps.
func TestSimulatedDays(t *testing.T) {
	keep := config.Default().History.Keep
	for _, now := range []time.Time{
		time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC),
		time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC), // the warm-up begins on the day before
	} {
		var first []history.Bar
		for _, dir := range []string{"", t.TempDir()} {
			sim, err := market.NewSimulator(market.Options{Seed: 7, Rate: 20, Symbols: 2, Arrivals: "hawkes", Warmup: 2 * time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			past, err := newHistory(config.Config{Feed: config.Feed{Source: "simulator"}, Data: config.Data{Dir: dir}, History: config.History{Keep: keep}},
				sim.Universe(), slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			if err := simulatePast(sim, now, past, nil, slog.New(slog.DiscardHandler)); err != nil {
				t.Fatal(err)
			}
			page, err := past.Bars(0, history.Day, history.Latest, 2*history.MaxDays)
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = page.Bars
			}
			if len(page.Bars) != history.MaxDays || !slices.Equal(page.Bars, first) {
				t.Errorf("at %v, data.dir %q: %d days, without it %d", now, dir, len(page.Bars), len(first))
			}
			if err := past.Close(nil); err != nil {
				t.Error(err)
			}
		}
	}
}
