package main

import (
	"context"
	"log/slog"

	"ticklane/handlers"
	"ticklane/internal/cluster/share"
	"ticklane/internal/config"
	"ticklane/internal/metrics"
)

// sharing is what this node shares with the others about credentials. Its methods may be called on nil, which shares nothing.
type sharing struct{ *share.Share }

// shareAccess makes revocations, tickets and the limits of subjects those of all nodes. It returns nil without bus.kind nats or without
// authentication.
func shareAccess(ctx context.Context, cfg config.Config, access access, nats *natsBus, logger *slog.Logger) (*sharing, error) {
	if nats == nil || access.service == nil {
		return nil, nil
	}
	nats.at.awaitNATS(cfg.Bus.NATS.URL)
	if cfg.Auth.SessionKeyFile == "" && cfg.Bus.NATS.URL != "" {
		logger.Warn("auth.session_key_file isn't set: sessions and tickets of this node are not valid on others")
	}
	s, err := share.Open(ctx, share.Options{
		Conn: nats.Conn(), JS: nats.JetStream(), Prefix: cfg.Bus.NATS.Stream, Replicas: cfg.Bus.NATS.Replicas, Node: nodeName(cfg), Service: access.service, Logger: logger,
	})
	if err != nil {
		return nil, err
	}
	return &sharing{s}, nil
}

// addTo adds the parts that handlers need.
func (s *sharing) addTo(d *handlers.Deps) {
	if s != nil {
		d.Others = s.Streams
	}
}

// measure adds the figures of the exchange to those of the metrics.
func (s *sharing) measure(of *metrics.Sources) {
	if s != nil {
		of.PendingRevocations = s.PendingRevocations
	}
}

// run exchanges what changes until ctx is done.
func (s *sharing) run(ctx context.Context) {
	if s != nil {
		s.Run(ctx)
	}
}
