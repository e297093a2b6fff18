package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"ticklane/handlers"
	"ticklane/internal/auth"
	"ticklane/internal/cluster/relay"
	"ticklane/internal/config"
	"ticklane/internal/market"
	"ticklane/internal/market/ingest"
)

// relayLines makes the lines that clients send to this server go to the one that runs the feed. lines is nil for another feed.
func (n *natsBus) relayLines(cfg config.Config, lines *ingest.Source, logger *slog.Logger) (err error) {
	if n == nil || lines == nil {
		return nil
	}
	n.relay, err = relay.New(relay.Options{Conn: n.Conn(), Prefix: cfg.Bus.NATS.Stream, Term: n.Term, Source: lines, MaxLine: cfg.Feed.Ingest.LineSize, Logger: logger})
	return err
}

// leadIngest runs the feed of clients while this server publishes it, with the lines that were sent to the other servers.
func (n *natsBus) leadIngest(ctx context.Context, lines *ingest.Source, publish ingest.Publish) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return n.relay.Serve(ctx) })
	group.Go(func() error { return lines.Lead(ctx, publish) })
	return group.Wait()
}

// addTo sets the relay of a server.
func (n *natsBus) addTo(d *handlers.Deps) {
	if n != nil && n.relay != nil {
		d.Relay = ingestRelay{n.relay}
	}
}

// ingestRelay is a relay for package handlers.
type ingestRelay struct{ *relay.Relay }

func (r ingestRelay) Open(name string, client *auth.Principal) handlers.IngestInput {
	if client == auth.Unrestricted {
		return r.Relay.Open(name, "", nil)
	}
	return r.Relay.Open(name, client.Subject, &client.Rights)
}

func (r ingestRelay) Progress(ctx context.Context, name string, client *auth.Principal) (ingest.Result, error) {
	return r.Relay.Progress(ctx, name, client.Subject)
}

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
