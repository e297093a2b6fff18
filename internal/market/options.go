package market

import (
	"errors"
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

// Bounds of Options.
const (
	MinRate    = 0.001
	MaxRate    = 1_000_000
	MaxSymbols = 10_000
	MaxWarmup  = 24 * time.Hour
)

// Options of a Simulator.
type Options struct {
	Seed     uint64        // the same options with the same seed give the same ticks
	Rate     float64       // mean ticks/s of the whole market, MinRate to MaxRate
	Symbols  int           // 1 to MaxSymbols; the first 50 are well-known ones, the rest are generated
	Arrivals string        // Hawkes (the default if empty) or Steady
	DayShape bool          // more activity at the open and close of the UTC day than at noon
	Warmup   time.Duration // length of the past that Warm simulates, 0 to MaxWarmup
	Logger   *slog.Logger  // slog.Default() if nil
}

func (o Options) validate() error {
	var errs []error
	if err := checkRate(o.Rate); err != nil {
		errs = append(errs, err)
	}
	if o.Symbols < 1 || o.Symbols > MaxSymbols {
		errs = append(errs, fmt.Errorf("symbols: %d: want 1 to %d", o.Symbols, MaxSymbols))
	}
	if o.Arrivals != "" && o.Arrivals != Hawkes && o.Arrivals != Steady {
		errs = append(errs, fmt.Errorf("arrivals: %q: want %s or %s", o.Arrivals, Hawkes, Steady))
	}
	if o.Warmup < 0 || o.Warmup > MaxWarmup {
		errs = append(errs, fmt.Errorf("warmup: %v: want 0 to %v", o.Warmup, MaxWarmup))
	}
	return errors.Join(errs...)
}

func checkRate(rate float64) error {
	if math.IsNaN(rate) || rate < MinRate || rate > MaxRate {
		return fmt.Errorf("rate: %v: want %v to %v ticks/s", rate, MinRate, float64(MaxRate))
	}
	return nil
}
