package main

import (
	"errors"
	"fmt"
	"log/slog"

	"ticklane/handlers"
	"ticklane/internal/cluster/relay"
	"ticklane/internal/config"
	"ticklane/internal/market"
)

// newSharedRate returns what keeps the rate of the simulator the same on all servers of the bus, and makes the lab set it on all. It is
// nil for another feed or bus. lab may be nil.
func newSharedRate(cfg config.Config, nats *natsBus, feed market.Source, lab *handlers.Lab, logger *slog.Logger) *relay.Rate {
	sim, ok := feed.(*market.Simulator)
	if nats == nil || !ok {
		return nil
	}
	shared := relay.NewRate(relay.RateOptions{
		JetStream: nats.JetStream(), Prefix: cfg.Bus.NATS.Stream, Replicas: cfg.Bus.NATS.Replicas, Market: sim, Configured: cfg.Market.Rate, Logger: logger,
	})
	if lab != nil {
		lab.SetRate = func(rate float64) error {
			err := shared.Set(rate)
			if errors.Is(err, relay.ErrNotShared) {
				logger.Warn("market rate not changed", "err", err)
				err = fmt.Errorf("%w: %w", handlers.ErrUnavailable, err)
			}
			return err
		}
	}
	return shared
}
