package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"ticklane/internal/bus"
	"ticklane/internal/bus/natsbus"
	"ticklane/internal/cluster/relay"
	"ticklane/internal/config"
	"ticklane/internal/history"
	"ticklane/internal/market"
	"ticklane/internal/market/ingest"
	"ticklane/internal/quote"
)

// connectBus connects to the bus on NATS of the settings, nil with another kind of bus, and takes the seed of the market from the other
// servers if it may be any. The caller must close it.
func connectBus(ctx context.Context, cfg *config.Config, at *stage, logger *slog.Logger) (*natsBus, error) {
	if cfg.Bus.Kind != "nats" {
		return nil, nil
	}
	settings, err := sharedSettings(*cfg)
	if err != nil {
		return nil, err
	}
	n := cfg.Bus.NATS
	o := natsbus.Options{
		Name: nodeName(*cfg), URL: n.URL, CA: n.CA, Cert: n.Cert, Key: n.Key, Credentials: n.Credentials, SyncAlways: n.Sync,
		Prefix: n.Stream, MaxBytes: int64(n.MaxBytes), MaxAge: n.MaxAge, Replicas: n.Replicas,
		Settings: settings, Ack: cfg.Bus.Ack, Lead: cfg.Bus.Lead, Logger: logger, OnWait: at.awaitNATS(n.URL),
	}
	if n.URL == "" {
		o.Dir = filepath.Join(cfg.Data.Dir, "nats")
	}
	b, err := natsbus.Connect(ctx, o)
	if err != nil {
		return nil, err
	}
	if seed, err := strconv.ParseInt(b.Setting("market.seed"), 10, 64); err == nil && cfg.Market.Seed == 0 {
		cfg.Market.Seed = seed
		logger.Info("random seed of the servers of the stream; set market.seed to reproduce this market", "seed", seed)
	}
	if warmup, err := time.ParseDuration(b.Setting("market.warmup")); err == nil {
		cfg.Market.Warmup = warmup
	}
	return &natsBus{Bus: b, staleAfter: cfg.Feed.StaleAfter, at: at}, nil
}

// pastEndSetting is the name of the setting that has the end of the simulated past.
const pastEndSetting = "past-end"

// pastEnd returns when the simulated past ends: now, or when the stream was made, so that all servers simulate the same.
func (n *natsBus) pastEnd() time.Time {
	if n != nil {
		if end, err := time.Parse(time.RFC3339Nano, n.Setting(pastEndSetting)); err == nil {
			return end
		}
	}
	return time.Now()
}

// sharedSettings returns the settings that must be the same on all servers of a stream.
func sharedSettings(cfg config.Config) ([]natsbus.Setting, error) {
	all := []natsbus.Setting{{Name: "feed.source", Value: cfg.Feed.Source}}
	if cfg.Feed.Source != "simulator" {
		return all, nil
	}
	version, err := market.Version(cfg.Market.Symbols)
	if err != nil {
		return nil, fmt.Errorf("market.symbols: %w", err)
	}
	seed := cfg.Market.Seed
	if seed == 0 {
		seed = randomSeed()
	}
	return append(all,
		natsbus.Setting{Name: "market.symbols", Value: strconv.Itoa(cfg.Market.Symbols)},
		natsbus.Setting{Name: "market.seed", Value: strconv.FormatInt(seed, 10), Any: cfg.Market.Seed == 0},
		natsbus.Setting{Name: "market.warmup", Value: cfg.Market.Warmup.String(), Any: true},
		natsbus.Setting{Name: pastEndSetting, Value: time.Now().Format(time.RFC3339Nano), Any: true},
		natsbus.Setting{Name: "the version of the simulated symbols", Value: version, Advice: "run the same version of Ticklane"},
	), nil
}

// openBus returns the bus of the settings, which is nats unless that is nil.
func openBus(ctx context.Context, cfg config.Config, nats *natsBus, feed market.Source, events *quote.Events, past *history.Store, logger *slog.Logger) (bus.Bus, error) {
	u := feed.Universe()
	if nats == nil {
		local := bus.NewLocal(u.Limit())
		if end, ok := past.Previous(); ok { // the log that has ended in order goes on
			local.Continue(end.Position, end.N)
		}
		return local, nil
	}
	nats.at.awaitNATS(cfg.Bus.NATS.URL)
	l := natsbus.Log{LogSize: cfg.Stream.LogSize, Universe: u, Events: events, From: nats.fetchBars(cfg.Bus.NATS.Stream, u, past, logger)}
	if lines, ok := feed.(*ingest.Source); ok {
		l.Source = lines
	}
	if err := nats.OpenLog(ctx, l); err != nil {
		return nil, err
	}
	if start := nats.Start().Position; past.Follow(start.Epoch) < start.Seq {
		logger.Warn("bars are missing: neither the stream nor another server has the ticks before", "from", start.Seq+1)
	}
	return nats, nil
}

// lead runs the feed whenever this process is the one that may, until ctx is done.
func lead(ctx context.Context, b bus.Bus, feed market.Source) error {
	switch feed := feed.(type) {
	case *ingest.Source:
		if nats, ok := b.(*natsBus); ok {
			return nats.LeadBatches(ctx, func(ctx context.Context, _ bus.State, publish natsbus.Publish) error {
				return nats.leadIngest(ctx, feed, publish)
			})
		}
	case *market.Simulator:
		return b.Lead(ctx, func(ctx context.Context, from bus.State, publish func([]quote.Tick)) error {
			if len(from.Newest) > 0 {
				if err := feed.Resume(from.Newest); err != nil {
					return err
				}
			}
			return feed.Run(ctx, publish)
		})
	}
	return b.Lead(ctx, func(ctx context.Context, _ bus.State, publish func([]quote.Tick)) error {
		return feed.Run(ctx, publish)
	})
}

// nodeName returns the name of this process among those of the bus.
func nodeName(cfg config.Config) string {
	if cfg.Bus.Node != "" {
		return cfg.Bus.Node
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	_, port, _ := net.SplitHostPort(cfg.Server.Addr)
	return fmt.Sprintf("%s:%s", host, port)
}

// natsBus is a bus on NATS whose feed may become stale: the connection is lost, or no process runs the feed. Its methods may be called
// on nil, which is never stale.
type natsBus struct {
	*natsbus.Bus
	staleAfter time.Duration // without a tick; 0 for never
	stale      atomic.Int64  // since when, µs since 1970; 0 if it isn't
	reason     atomic.Value  // why it was stale at the newest look, a string
	relay      *relay.Relay  // of the lines that clients send; nil for another feed
	barsTo     uint64        // seq of the newest tick in the bars when the log was opened
	at         *stage        // of the start
}

// Ready reports whether the log has what the stream held when it was opened, and what the bars have.
func (n *natsBus) Ready() bool {
	s := n.Status()
	return s.Ready && s.Head >= n.barsTo
}

// close closes the bus, after Run and Lead have returned.
func (n *natsBus) close() {
	if n != nil {
		n.Close()
	}
}

// Stale returns since when the feed is stale.
func (n *natsBus) Stale() (since time.Time, ok bool) {
	us := n.stale.Load()
	return time.UnixMicro(us), us != 0
}

// StaleReason returns why the feed is stale: what fails, or has failed until now. It is empty if no ticks come and nothing fails.
func (n *natsBus) StaleReason() string {
	if err := n.Status().Err; err != "" {
		return err
	}
	before, _ := n.reason.Load().(string)
	return before
}

// watch informs an observer when the feed becomes stale and when it is live again, until ctx is done.
func (n *natsBus) watch(ctx context.Context, observer ingest.Observer, logger *slog.Logger) {
	const interval, settled = 500 * time.Millisecond, 3 * time.Second
	tick := time.NewTicker(interval)
	defer tick.Stop()
	head, moved := n.Status().Head, time.Now()
	var failed time.Time // when it was last seen to be stale
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s := n.Status()
		if s.Head != head {
			head, moved = s.Head, time.Now()
		}
		since := s.StaleSince
		if since.IsZero() && n.staleAfter > 0 && time.Since(moved) > n.staleAfter {
			since = moved
		}
		if !since.IsZero() {
			failed = time.Now()
			n.reason.Store(s.Err)
		}
		switch _, before := n.Stale(); {
		case since.IsZero() && before && moved.Before(failed) && time.Since(failed) < settled:
			// While NATS elects leaders its answers succeed and fail in turn.
		case since.IsZero() && before:
			n.stale.Store(0)
			observer.FeedStale(time.Time{})
			logger.Info("feed live again")
		case !since.IsZero() && !before:
			n.stale.Store(since.UnixMicro())
			observer.FeedStale(since)
			logger.Warn("feed stale", "since", since, "writer", s.Writer, "connected", s.Connected, "err", s.Err)
		}
	}
}

// untilReady waits until the bus has delivered what it held when it was opened, and logs that it does. It returns false if ctx is done
// before.
func untilReady(ctx context.Context, b bus.Bus, logger *slog.Logger) bool {
	const interval, report = 20 * time.Millisecond, 5 * time.Second
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for started, reported := time.Now(), time.Now(); !b.Ready(); {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
		if time.Since(reported) > report {
			reported = time.Now()
			logger.Info("reading the log", "at", b.State().Position.Seq, "for", time.Since(started).Round(time.Second))
		}
	}
	return true
}
