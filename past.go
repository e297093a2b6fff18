package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"ticklane/internal/config"
	"ticklane/internal/history"
	"ticklane/internal/market"
	"ticklane/internal/market/replay"
	"ticklane/internal/quote"
)

// newHistory returns the store of bars, in memory or in data.dir.
func newHistory(cfg config.Config, u *quote.Universe, logger *slog.Logger) (*history.Store, error) {
	if cfg.Data.Dir == "" {
		return history.New(u, history.DefaultKeep)
	}
	k := cfg.History.Keep
	s, err := history.Open(history.Options{
		Universe: u, Dir: cfg.Data.Dir, Feed: cfg.Feed.Source, Logger: logger,
		Keep: map[history.Interval]time.Duration{
			history.TenSeconds: k.Bars10s, history.Minute: k.Bars1m, history.FiveMinutes: k.Bars5m,
			history.FifteenMinutes: k.Bars15m, history.Hour: k.Bars1h, history.Day: k.Bars1d,
		},
	})
	if err != nil {
		return nil, usageError(fmt.Errorf("data.dir: %w", err))
	}
	return s, nil
}

// simulatePast fills empty charts with the simulated market's past, up to now. Stored bars are continued instead, at their last prices: what
// happened between the processes is not made up.
func simulatePast(sim *market.Simulator, now time.Time, past *history.Store, delayed *delayedFeed, logger *slog.Logger) error {
	newest, ok := past.Restored()
	if !ok {
		sim.Days(now, past.Days(), func(days []quote.Tick) {
			past.AddDays(days)
			delayed.addDays(days)
		})
		past.SaveIfNeeded()
		sim.Warm(now, func(ticks []quote.Tick) {
			past.AddPaced(ticks)
			delayed.addPast(ticks)
		})
		return nil
	}
	var last []quote.Tick
	for id := range quote.ID(sim.Universe().Len()) {
		if page, err := past.Bars(id, history.TenSeconds, history.Latest, 1); err == nil && len(page.Bars) > 0 {
			last = append(last, quote.Tick{Symbol: id, Last: page.Bars[0].C})
		}
	}
	if err := sim.Resume(last); err != nil {
		return err
	}
	end := time.UnixMicro(newest).UTC()
	logger.Info("stored bars are continued; there are none for the time in between, and no past is simulated", "last", end, "between", time.Since(end).Round(time.Second))
	return nil
}

// replayPast fills charts with the rows of a file before feed.start, unless they have stored bars, which may be newer.
func replayPast(ctx context.Context, r *replay.Source, past *history.Store, delayed *delayedFeed) error {
	sink := func(ticks []quote.Tick) {
		past.AddPaced(ticks)
		delayed.addPast(ticks)
	}
	if _, stored := past.Restored(); stored {
		sink = func([]quote.Tick) {}
	}
	return r.Past(ctx, time.Now(), sink)
}
