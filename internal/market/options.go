package market

import (
	"fmt"
	"log/slog"
	"math"
	"time"
)

// Arrivals of the simulator.
const (
	Hawkes = "hawkes" // in bursts, as in a real market
	Steady = "steady" // one tick every 1/rate seconds, round robin over the symbols: for load tests
)

// Bounds of Simulator.SetRate.
const (
	MinRate = 0.001
	MaxRate = 1_000_000
)

// MaxSymbols is the largest size of a universe.
const MaxSymbols = 10_000

// Options of a Simulator. Their values are not checked: package config has the bounds of the settings.
type Options struct {
	Seed     uint64        // the same options with the same seed give the same ticks
	Rate     float64       // mean ticks/s of the whole market, MinRate to MaxRate
	Symbols  int           // 1 to MaxSymbols; the first 50 are well-known ones, the rest are generated
	Arrivals string        // Hawkes (the default if empty) or Steady
	DayShape bool          // more activity at the open and close of the UTC day than at noon
	Warmup   time.Duration // length of the past that Warm simulates
	Logger   *slog.Logger  // slog.Default() if nil
}

func checkRate(rate float64) error {
	if math.IsNaN(rate) || rate < MinRate || rate > MaxRate {
		return fmt.Errorf("rate: %v: want %v to %v ticks/s", rate, MinRate, float64(MaxRate))
	}
	return nil
}
