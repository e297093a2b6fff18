package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"ticklane/internal/bus/natsbus"
	"ticklane/internal/cluster/bars"
	"ticklane/internal/config"
	"ticklane/internal/history"
	"ticklane/internal/quote"
)

// fetchBars returns a function that takes the bars that the store lacks from another server, and returns up to which tick it then has
// them. Without another server, the ticks after that are read from the stream.
func (n *natsBus) fetchBars(prefix string, u *quote.Universe, past *history.Store, logger *slog.Logger) natsbus.From {
	return func(ctx context.Context, conn *nats.Conn, epoch uint64) (seq uint64, err error) {
		n.at.enter("taking bars from another server")
		past.Follow(epoch)
		newest, err := bars.Fetch(ctx, conn, prefix, past, u, epoch, logger)
		n.barsTo = max(n.barsTo, newest)
		return past.Follow(epoch), err
	}
}

// serveBars answers other servers' requests for bars until ctx is done.
func (n *natsBus) serveBars(ctx context.Context, cfg config.Config, u *quote.Universe, past *history.Store, logger *slog.Logger) {
	for !n.Ready() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
	s, err := bars.Serve(n.Conn(), cfg.Bus.NATS.Stream, nodeName(cfg), past, u, n.Start().Position.Epoch, logger)
	if err != nil {
		logger.Error("other servers get no bars from this one", "err", err)
		return
	}
	defer s.Close()
	<-ctx.Done()
}
