package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"ticklane/handlers"
	"ticklane/internal/bus"
	"ticklane/internal/bus/natsbus"
	"ticklane/internal/config"
	"ticklane/internal/history"
	"ticklane/internal/market"
	"ticklane/internal/market/ingest"
	"ticklane/internal/market/replay"
	"ticklane/internal/metrics"
	"ticklane/internal/quote"
	"ticklane/internal/shard"
	"ticklane/internal/stream"
)

// serve serves until ctx is done or a part fails. When the log can't be continued, it ends all streams and serves anew.
func serve(ctx context.Context, cfg config.Config, out io.Writer) error {
	open := new(ports)
	defer open.close()
	defer context.AfterFunc(ctx, open.close)()
	at := new(stage)
	for {
		started := time.Now()
		err := serveLog(ctx, cfg, out, open, at)
		if !errors.Is(err, natsbus.ErrEpoch) || ctx.Err() != nil {
			return err
		}
		out = io.Discard // the address was printed
		at = &stage{anew: true, pause: 2*time.Second - time.Since(started)}
	}
}

// serveLog connects the packages, prints the URL and runs until ctx is done or a part fails. Start order: listener, bus, warm-up of the
// feed, feed, log of the bus, HTTP; meanwhile a responder answers requests with the stage of the start. Stop order: streams and HTTP
// within server.shutdown_timeout, feed, bus, log, history.
func serveLog(ctx context.Context, cfg config.Config, out io.Writer, open *ports, at *stage) (err error) {
	logs := &logWriter{out: os.Stderr, format: cfg.Log.Format}
	logger := newLogger(cfg.Log, logs)
	cert, err := loadCertificate(cfg.Server)
	if err != nil {
		return usageError(err)
	}
	access, err := newAccess(cfg.Auth, logger)
	if err != nil {
		return usageError(err)
	}
	delays, err := delaysOf(cfg.Auth, access)
	if err != nil {
		return usageError(err)
	}
	ln, admin, err := open.listen(cfg.Server)
	if ctx.Err() != nil {
		return nil // which closes the ports
	}
	if err != nil {
		return err
	}
	defer ln.Close()
	if admin != nil {
		defer admin.Close()
		logger.Info("administration is served on server.admin_addr only", "addr", admin.Addr())
	}
	starting := answerWhileStarting(cfg, cert.config(), ln, admin, at, logger)
	defer starting.close()
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(at.pause):
	}

	warnUnused(cfg, logger)
	nats, err := connectBus(ctx, &cfg, at, logger)
	if ctx.Err() != nil {
		return nil // stopped while it waited for a server of NATS
	}
	if err != nil {
		return usageError(err)
	}
	defer nats.close()
	if cfg.Feed.Source == "replay" {
		at.enter("reading the file to replay")
	}
	feed, info, err := newFeed(ctx, &cfg, logger)
	if ctx.Err() != nil {
		return nil // stopped while the file to replay was read
	}
	if err != nil {
		return usageError(err)
	}
	u := feed.Universe()
	at.enter("reading stored bars")
	past, err := newHistory(cfg, u, logger)
	if err != nil {
		return err
	}
	events := eventsOf(feed, cfg.Stream.LogSize)
	b, err := openBus(ctx, cfg, nats, feed, events, past, logger)
	if err != nil {
		return errors.Join(err, past.Close(nil))
	}
	if nats != nil {
		info.Stale, info.StaleReason = nats.Stale, nats.StaleReason
	}
	shared, err := shareAccess(ctx, cfg, access, nats, logger)
	if err != nil {
		return errors.Join(err, past.Close(nil))
	}
	start := b.Start()
	// The last step: nothing is published any more.
	defer func() {
		end := b.State()
		err = errors.Join(err, past.Close(&history.LogState{Position: end.Position, N: end.N}))
	}()
	logConfig := stream.Config{
		Universe: u, Events: events, Epoch: start.Position.Epoch, Start: start.Position.Seq, Newest: start.Newest, Size: cfg.Stream.LogSize, MaxLag: cfg.Stream.MaxLag, OnLag: cfg.Stream.OnLag,
		Heartbeat: cfg.Stream.Heartbeat, Retry: cfg.Stream.Retry, FlushInterval: cfg.Stream.FlushInterval,
		SnapshotChunk: cfg.Stream.SnapshotChunk, Grace: cfg.Auth.Grace,
		Interval: cfg.Stream.Interval, Compress: cfg.Stream.Compress, MaxSharedEncoders: cfg.Stream.CompressSets,
	}
	log, err := stream.New(logConfig)
	if err != nil {
		return err
	}
	defer log.Close()
	delayed, err := newDelayedFeed(delays, logConfig, past)
	if err != nil {
		return err
	}
	defer delayed.close()
	if delayed != nil {
		logger.Info("feed kept for clients with delayed rights", "delays", delays)
	}
	// History first: a tick that a client has received is in its bars.
	b.Attach(past.AddPaced)
	b.Attach(log.Append)
	if delayed != nil {
		b.Attach(delayed.line.Add)
	}

	lines, _ := feed.(*ingest.Source)
	if lines != nil {
		lines.Attach(delayed.observer(log))
	}
	record, err := openAudit(cfg.Audit.File, logger)
	if err != nil {
		return err
	}
	defer func() { _ = record.Close() }()
	var server *handlers.Server
	nodes := newNodes(cfg, nats, ln.Addr(), log, delayed, commonSettings(cfg, access), func() bool { return server.Ready() }, logger)
	scrape := func(s *handlers.Server) http.Handler {
		of := metrics.Sources{Stream: log, Reanchored: feed.Reanchored, Server: s.Counts, LogFailures: logs.Failed, HistoryFailures: past.Failures, AuditFailures: record.Lost}
		if lines != nil {
			of.Lines = lines.Lines
		}
		delayed.measure(&of)
		nats.measure(&of, nodes)
		shared.measure(&of)
		return metrics.Handler(of)
	}
	extra := &extraClients{addr: ln.Addr().String(), base: cfg.Server.BasePath}
	defer extra.stop()
	if err := nats.relayLines(cfg, lines, logger); err != nil {
		return usageError(err)
	}
	lab := newLab(cfg, feed, extra)
	rate := newSharedRate(cfg, nats, feed, lab, logger)
	deps := handlers.Deps{
		Settings: settings(cfg, cert.config()), Listener: ln, Admin: admin, Stream: log, History: past, Feed: info, Ingest: lines, Files: files, Metrics: scrape, Audit: record, Cluster: nodes.View,
		Lab:    lab,
		Logger: logger, Version: version,
	}
	access.addTo(&deps)
	shared.addTo(&deps)
	if deps.Auth != nil {
		deps.Auth = extra.authenticator(deps.Auth)
	}
	delayed.addTo(&deps)
	nats.addTo(&deps)
	if server, err = handlers.New(deps); err != nil {
		return err
	}
	switch feed := feed.(type) {
	case *market.Simulator:
		at.enter("simulating the market's past")
		if nats == nil || start.Position.Seq == 0 && past.Follow(start.Position.Epoch) == 0 {
			if err := simulatePast(feed, nats.pastEnd(), past, delayed, logger); err != nil {
				return err
			}
		}
	case *replay.Source:
		at.enter("reading the file's rows before feed.start")
		if err := replayPast(ctx, feed, past, delayed); err != nil {
			return err
		}
	}
	past.ReportBars(events)
	hangup, stop := hangups()
	defer stop()
	watching, stopWatching := context.WithCancel(ctx)
	var watchers sync.WaitGroup
	watchers.Go(func() { reopenAudit(watching, record, logger) })
	watchers.Go(func() { cert.watch(watching, hangup, logger) })
	watchers.Go(func() { access.run(watching) })
	watchers.Go(func() { shared.run(watching) })
	watchers.Go(func() { nodes.Run(watching) })
	if rate != nil {
		watchers.Go(func() { rate.Run(watching) })
	}
	if nats != nil {
		watchers.Go(func() { nats.watch(watching, delayed.observer(log), logger) })
		watchers.Go(func() { nats.serveBars(watching, cfg, u, past, logger) })
	}
	watchers.Go(func() {
		returnMemory(watching, func() (opened uint64, live int) { return countStreams(delayed.logs(log)) }, freeMemory)
	})
	defer logger.Info("shut down")
	defer watchers.Wait()
	defer stopWatching()
	if nats != nil {
		at.readLog(nats)
	}
	p := parts{ln, starting, server, feed, delayed, b}
	return p.run(ctx, cfg, out, logger)
}

// parts are what serveLog has created.
type parts struct {
	ln       net.Listener
	starting *responder
	server   *handlers.Server
	feed     market.Source
	delayed  *delayedFeed
	bus      bus.Bus
}

// run starts the parts and stops them in order.
func (p *parts) run(ctx context.Context, cfg config.Config, out io.Writer, logger *slog.Logger) error {
	feeding, stopFeed := context.WithCancel(context.Background())
	defer stopFeed()
	reading, stopReading := context.WithCancel(context.Background()) // ends after the feed, so that the log has what was published
	defer stopReading()
	led := make(chan struct{})
	group, failed := errgroup.WithContext(ctx)
	group.Go(func() error {
		<-feeding.Done()
		<-led
		stopReading()
		return nil
	})
	group.Go(func() error {
		defer close(led)
		if cfg.Bus.Kind == "nats" && !cfg.Bus.Lead {
			return nil
		}
		if err := lead(feeding, p.bus, p.feed); err != nil {
			return fmt.Errorf("feed: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		if err := p.bus.Run(reading); err != nil {
			return fmt.Errorf("bus: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		p.delayed.run(feeding)
		return nil
	})
	group.Go(p.server.RenderDocs)
	group.Go(func() error {
		if !untilReady(failed, p.bus, logger) {
			return nil
		}
		p.starting.handOver()
		printURL(out, cfg, p.ln.Addr())
		return p.server.Serve()
	})
	warnExposed(out, cfg, p.ln.Addr(), logger)
	if reason := shardUnavailable(cfg); reason != "" {
		logger.Warn("stream.engine shard unavailable, using engine stream", "reason", reason)
	}
	group.Go(func() error {
		<-failed.Done()
		if delay := cfg.Server.DrainDelay; delay > 0 && ctx.Err() != nil && p.server.Ready() { // not after a failure, and not during the start
			logger.Info("/readyz fails, shutdown follows", "delay", delay)
			p.server.NotReady()
			time.Sleep(delay)
		}
		logger.Info("shutting down", "timeout", cfg.Server.ShutdownTimeout)
		limit, cancel := context.WithTimeout(context.Background(), cfg.Server.ShutdownTimeout)
		defer cancel()
		err := p.server.Shutdown(limit)
		if err != nil {
			logger.Warn("graceful shutdown incomplete; closing remaining connections", "err", err)
		}
		stopFeed()
		return nil
	})
	return group.Wait()
}

// eventsOf returns the events of a feed, an empty list if it has none.
func eventsOf(feed market.Source, logSize int) *quote.Events {
	if e, ok := feed.(market.EventSource); ok {
		if events := e.Events(); events != nil {
			return events
		}
	}
	return quote.NewEvents(logSize)
}

// shardUnavailable returns the reason why stream.engine shard can't be used, empty if it can or is not selected.
func shardUnavailable(cfg config.Config) string {
	switch {
	case cfg.Stream.Engine != "shard":
		return ""
	case !shard.Available:
		return shard.ErrUnavailable.Error()
	case cfg.Server.TLSCert != "":
		return "it doesn't support TLS: terminate TLS in a proxy, or use engine stream"
	}
	return ""
}

// warnUnused warns of settings that have no effect.
func warnUnused(cfg config.Config, logger *slog.Logger) {
	if cfg.Data.Dir == "" && cfg.History.Keep != config.Default().History.Keep {
		logger.Warn("history.keep has no effect without data.dir: the newest bars are kept in memory")
	}
}

// newLab returns what the lab may change, nil if it is disabled.
func newLab(cfg config.Config, feed market.Source, extra *extraClients) *handlers.Lab {
	if !cfg.Lab.Enabled {
		return nil
	}
	l := &handlers.Lab{}
	if cfg.Server.TLSCert == "" {
		l.Background, l.Clients = extra.set, extra.running // these clients use plain HTTP
	}
	if sim, ok := feed.(*market.Simulator); ok {
		l.Rate, l.SetRate = sim.Rate, sim.SetRate
	}
	return l
}

// newFeed returns the source of ticks. It replaces a seed of 0 in cfg by a random one.
func newFeed(ctx context.Context, cfg *config.Config, logger *slog.Logger) (market.Source, handlers.FeedInfo, error) {
	if f := cfg.Feed; f.Source == "ingest" {
		logSize := cfg.Stream.LogSize
		if cfg.Bus.Kind == "nats" {
			logSize *= 2 // the node that publishes an event stores it again when it reads it
		}
		s, err := ingest.New(ingest.Options{
			MaxInstruments: f.Ingest.Instruments, MaxLine: f.Ingest.LineSize, LogSize: logSize, Rate: f.Ingest.Rate, StaleAfter: f.StaleAfter, Logger: logger,
		})
		if err != nil {
			return nil, handlers.FeedInfo{}, fmt.Errorf("feed.ingest: %w", err)
		}
		return s, handlers.FeedInfo{Source: "ingest", Timed: true, Stale: s.Stale}, nil
	}
	if cfg.Feed.Source == "replay" {
		r, err := replay.New(ctx, replay.Options{
			File: cfg.Feed.File, Speed: cfg.Feed.Speed, Start: cfg.Feed.Start, Loop: cfg.Feed.Loop, OnBadRow: cfg.Feed.OnBadRow, Format: replay.Format(cfg.Feed.Format),
			LogSize: cfg.Stream.LogSize, Logger: logger,
		})
		if err != nil {
			return nil, handlers.FeedInfo{}, fmt.Errorf("feed.file: %w", err)
		}
		return r, handlers.FeedInfo{Source: "replay", File: filepath.Base(r.Name()), Timed: r.Timed(), Ended: r.Ended}, nil
	}
	if cfg.Market.Seed == 0 {
		cfg.Market.Seed = randomSeed()
		logger.Info("random seed chosen; set market.seed to reproduce this market", "seed", cfg.Market.Seed)
	}
	m := cfg.Market
	s, err := market.NewSimulator(market.Options{
		Seed: uint64(m.Seed), Rate: m.Rate, Symbols: m.Symbols, Arrivals: m.Arrivals, DayShape: m.DayShape, Warmup: m.Warmup, Logger: logger,
	})
	if err != nil {
		return nil, handlers.FeedInfo{}, fmt.Errorf("market: %w", err)
	}
	return s, handlers.FeedInfo{Source: "simulator", Seed: m.Seed, Timed: true}, nil
}

// randomSeed returns a random seed. JavaScript represents integers below 2^53 exactly.
func randomSeed() int64 { return 1 + rand.Int64N(1<<53-1) }

func settings(c config.Config, secure *tls.Config) handlers.Settings {
	return handlers.Settings{
		Addr: c.Server.Addr, BasePath: c.Server.BasePath, Hosts: c.Server.Hosts, Origins: c.Server.Origins, CORSCredentials: c.Server.CORSCredentials, TrustedProxies: c.Server.TrustedProxies,
		ReadTimeout: c.Server.ReadTimeout, IdleTimeout: c.Server.IdleTimeout,
		Engine: c.Stream.Engine, Shards: c.Stream.Shards, WriteTimeout: c.Stream.WriteTimeout, WriteBuffer: c.Stream.WriteBuffer, Interval: c.Stream.Interval,
		MaxStreams: c.Limits.Connections, MaxPerAddress: c.Limits.PerAddress, MaxTopics: c.Limits.Topics,
		AcceptRate: c.Limits.AcceptRate, RequestRate: c.Limits.Requests, SharedLog: c.Bus.Kind == "nats" && c.Bus.NATS.URL != "",
		MessageSize: c.Limits.MessageSize, MessageRate: c.Limits.MessageRate, MessageBurst: c.Limits.MessageBurst,
		HeaderSize: c.Limits.HeaderSize, BodySize: c.Limits.BodySize, IngestToken: string(c.Feed.Ingest.Token), Reports: c.Load.Reports, TLS: secure,
	}
}

func newLogger(c config.Log, out io.Writer) *slog.Logger {
	opt := &slog.HandlerOptions{Level: c.Level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(out, opt))
	}
	return slog.New(slog.NewTextHandler(out, opt))
}
