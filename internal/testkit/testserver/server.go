// Package testserver runs a whole server on a free port of loopback, with a feed that the test drives, and clients for
// both lanes. The clients decode what the server sends without its code: see wiretest.
package testserver

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"ticklane/handlers"
	"ticklane/internal/bus"
	"ticklane/internal/delay"
	"ticklane/internal/delayed"
	"ticklane/internal/history"
	"ticklane/internal/metrics"
	"ticklane/internal/quote"
	"ticklane/internal/shard"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// Timeout bounds every wait of a client, and is the server's value of every timeout unless a test sets another. No
// working server reaches it, however busy the machine is.
const Timeout = time.Minute

// Engines of a server.
const (
	Stream = "stream"
	Shard  = "shard"
)

// Engines returns the engines that this system has, the default first.
func Engines() []string {
	if shard.Available {
		return []string{Stream, Shard}
	}
	return []string{Stream}
}

// Options differ from a server's defaults where a test needs it.
type Options struct {
	Engine      string             // default Stream
	Symbols     int                // S0, S1, …; default 20. Publish leaves the last one quiet.
	Instruments []quote.Instrument // instead of those
	Universe    *quote.Universe    // instead of them
	Log         stream.Config
	Delays      []time.Duration // of views for clients with delayed rights
	Settings    func(*handlers.Settings)
	Listener    func(net.Listener) net.Listener
	Logger      *slog.Logger
	Deps        func(*handlers.Deps)
	Subprotocol string // requested by WebSocket clients; none by default
}

// Server is a running server. Its test's Cleanup stops it.
type Server struct {
	testing.TB
	Addr     string // host:port
	Handlers *handlers.Server
	TickLog  *stream.Log
	Bus      *bus.Local
	History  *history.Store
	Events   *quote.Events   // that the ticks refer to
	Line     *delay.Line     // nil without Options.Delays
	Delayed  []*delayed.View // by Options.Delays
	Settings handlers.Settings
	Ticks    *Recorder

	Subprotocol string // requested by WebSocket clients; "" for none
	served      chan error
	stopOnce    sync.Once
	stopErr     error
	stopDelayed func()
}

// New starts a server.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	s, log := &Server{TB: t, Subprotocol: o.Subprotocol, served: make(chan error, 1)}, o.Log
	if o.Instruments == nil {
		o.Instruments = instruments(cmp.Or(o.Symbols, 20))
	}
	universe, err := o.Universe, error(nil)
	if universe == nil {
		universe, err = quote.NewUniverse(o.Instruments)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.Bus = bus.NewLocal(universe.Limit())
	log.Universe, log.Epoch, log.CompressBudget = universe, s.Bus.Epoch(), time.Hour
	log.Heartbeat, log.Size = cmp.Or(log.Heartbeat, time.Hour), cmp.Or(log.Size, 65536)
	if log.Events == nil {
		log.Events = quote.NewEvents(log.Size)
	}
	if s.TickLog, err = stream.New(log); err != nil {
		t.Fatal(err)
	}
	if s.History, err = history.New(universe, 100); err != nil {
		t.Fatal(err)
	}
	s.Events = log.Events
	s.History.ReportBars(log.Events)
	s.Ticks = &Recorder{universe: universe, Epoch: s.Bus.Epoch()}
	s.Bus.Attach(s.Ticks.add)
	s.Bus.Attach(s.History.Add)
	s.Bus.Attach(s.TickLog.Append)
	s.stopDelayed = func() {}
	s.Delayed = s.addDelayed(o.Delays, log)

	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Addr = ln.Addr().String()
	if o.Listener != nil {
		ln = o.Listener(ln)
	}
	s.Settings = handlers.Settings{
		Addr: s.Addr, ReadTimeout: Timeout, IdleTimeout: Timeout, WriteTimeout: Timeout, CloseWait: Timeout, CommandWait: Timeout,
		Interval: 50 * time.Millisecond, MaxStreams: 1000, MaxPerAddress: 100, MaxTopics: 8,
		MessageSize: 4096, MessageRate: 10, MessageBurst: 20, HeaderSize: 8192, BodySize: 65536, Engine: cmp.Or(o.Engine, Stream), Shards: 2,
	}
	if o.Settings != nil {
		o.Settings(&s.Settings)
	}
	deps := handlers.Deps{
		Settings: s.Settings, Listener: ln, Stream: s.TickLog, History: s.History, Delayed: s.Delayed, Feed: handlers.FeedInfo{Source: "simulator", Seed: 7, Timed: true},
		Files: Files(), Logger: cmp.Or(o.Logger, slog.New(slog.DiscardHandler)), Version: "test",
		Metrics: func(h *handlers.Server) http.Handler {
			return metrics.Handler(metrics.Sources{Stream: s.TickLog, Server: h.Counts})
		},
	}
	if o.Deps != nil {
		o.Deps(&deps)
	}
	if s.Handlers, err = handlers.New(deps); err != nil {
		t.Fatal(err)
	}
	go func() { s.served <- s.Handlers.Serve() }()
	t.Cleanup(func() { s.Stop(Timeout) })
	return s
}

// Stop shuts the server down, as Handlers.Shutdown does with this limit, and waits for its end. Further calls wait for
// the first and return its error.
func (s *Server) Stop(limit time.Duration) error {
	s.stopOnce.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		s.stopErr = s.Handlers.Shutdown(ctx)
		if err := <-s.served; err != nil {
			s.Errorf("Serve: %v", err)
		}
		s.stopDelayed()
		s.TickLog.Close()
	})
	return s.stopErr
}

// Engine returns the engine that serves a lane: shard serves no TLS.
func (s *Server) Engine(wire.Lane) string {
	if s.Settings.TLS != nil {
		return Stream
	}
	return s.Settings.Engine
}

func instruments(n int) []quote.Instrument {
	list := make([]quote.Instrument, n)
	for i := range list {
		list[i] = quote.Instrument{Symbol: fmt.Sprintf("S%d", i), Decimals: 2, Name: fmt.Sprintf("Test %d", i), Sector: []string{"even", "odd"}[i%2]}
	}
	return list
}

// Files returns what the server serves, without the bundles of public/assets: compressing those at the start of every
// server would take a third of a second.
var Files = sync.OnceValue(func() fstest.MapFS {
	_, here, _, _ := runtime.Caller(0)
	root, all := os.DirFS(filepath.Join(filepath.Dir(here), "../../..")), fstest.MapFS{}
	for _, dir := range []string{"views", "public", "docs/api"} {
		err := fs.WalkDir(root, dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() {
				if name == "public/assets" {
					return fs.SkipDir
				}
				return nil
			}
			b, err := fs.ReadFile(root, name)
			all[name] = &fstest.MapFile{Data: b}
			return err
		})
		if err != nil {
			panic(err)
		}
	}
	return all
})
