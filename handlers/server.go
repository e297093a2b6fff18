package handlers

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"ticklane/internal/fault"
	"ticklane/internal/history"
	"ticklane/internal/netconn"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// Settings are the server's own, checked by whoever loads them.
type Settings struct {
	Addr           string   // as asked for; its host is an allowed Host
	Hosts          []string // further allowed Host names
	Origins        []string // further origins that may open streams, lower case
	TrustedProxies []string // addresses and ranges
	ReadTimeout    time.Duration
	IdleTimeout    time.Duration
	WriteTimeout   time.Duration // of one write into a socket
	CloseWait      time.Duration // how long a client gets to answer a close frame before its connection is closed (RFC 6455 §7.1.1); 0 for 2 s
	CommandWait    time.Duration // how long a POST waits for a stream whose client doesn't read; 0 for 5 s
	WriteBuffer    int           // bytes; 0 for the kernel's choice
	Engine         string        // stream (default) or shard; stream where the system has no shard
	Shards         int           // writers of engine shard; 0 for one for each two processors
	Interval       time.Duration // default of interval in mode latest
	MaxStreams     int
	MaxPerAddress  int
	MaxTopics      int
	MessageSize    int // bytes
	MessageRate    float64
	MessageBurst   int
	HeaderSize     int         // bytes
	BodySize       int         // bytes
	Reports        string      // folder of the load tester's reports; it need not exist
	TLS            *tls.Config // nil for plain HTTP
}

// Deps is what the server shows.
type Deps struct {
	Settings Settings
	Listener net.Listener // the server closes it
	Stream   *stream.Log
	History  *history.Store
	Feed     FeedInfo
	Lab      *Lab                       // nil to allow no experiments
	Files    fs.FS                      // with the folders views, public and docs/api
	Metrics  func(*Server) http.Handler // makes GET /metrics
	Logger   *slog.Logger
	Version  string
}

// Server answers HTTP on one listener. Its own methods serve the streams and what belongs to them; the other endpoints are
// types of their own.
type Server struct {
	app      *fiber.App
	set      Settings
	stream   *stream.Log
	log      *slog.Logger
	access   *access
	observer *observer
	health   health
	limiter  *netconn.Limiter // of streams
	lab      *Lab             // nil unless experiments are allowed
	faults   *fault.Injector  // nil without a lab
	paces    sync.Map         // *stream.Subscriber → *rate.Limiter of commands by POST
	ln       *netconn.Listener
	shards   shards
}

// New builds the server. Serve starts it.
func New(d Deps) (*Server, error) {
	access, err := newAccess(d.Settings)
	if err != nil {
		return nil, err
	}
	pages, err := newPages(d)
	if err != nil {
		return nil, fmt.Errorf("load views: %w", err)
	}
	static, err := loadStatic(d.Files)
	if err != nil {
		return nil, fmt.Errorf("load public files: %w", err)
	}
	d.Settings.CloseWait = cmp.Or(d.Settings.CloseWait, closeWait)
	d.Settings.CommandWait = cmp.Or(d.Settings.CommandWait, commandWait)
	exemptLoopback := len(access.proxies) == 0
	s := &Server{
		set: d.Settings, stream: d.Stream, log: d.Logger, access: access,
		observer: &observer{log: d.Logger, access: access, errors: &errorHandler{pages: pages, log: d.Logger}},
		limiter:  netconn.NewLimiter(d.Settings.MaxStreams, d.Settings.MaxPerAddress, exemptLoopback),
		ln:       newListener(d.Listener, d.Settings, exemptLoopback),
	}
	if d.Lab != nil {
		s.lab, s.faults = d.Lab, fault.New()
	}
	s.app = fiber.New(fiber.Config{
		DisableStartupMessage: true,
		ReadBufferSize:        s.set.HeaderSize,
		WriteBufferSize:       chunkSize,
		ReduceMemoryUsage:     true,
		BodyLimit:             s.set.BodySize,
		ReadTimeout:           s.set.ReadTimeout, // no WriteTimeout: set once for an answer, it would cut every stream at that age
		IdleTimeout:           s.set.IdleTimeout,
		Concurrency:           maxConns(s.set) + 1024, // more than the listener lets in: fasthttp's own 503 would end an EventSource for good
		ErrorHandler:          s.observer.errors.respond,
		Views:                 pages.engine,
		ViewsLayout:           "layouts/main",
		CaseSensitive:         true,
	})
	fast := s.app.Server()
	fast.KeepHijackedConns = true
	// A stream's worker is fasthttp's goroutine for as long as the stream lives: handlers grow another stack.
	handle := fast.Handler
	fast.Handler = func(c *fasthttp.RequestCtx) {
		stream.OnFreshStack(func() {
			if !s.strict(c) {
				handle(c)
			}
		})
	}
	s.routes(d, pages, static)
	return s, nil
}

// Counts returns counters since the start of the server: answered requests, those with a status of 500 or above, streams
// refused because a limit was reached, and recovered panics.
func (s *Server) Counts() (requests, failures, overloads, panics uint64) {
	o := s.observer
	return o.requests.Load(), o.failures.Load(), o.overloads.Load(), o.panics.Load()
}

// Serve answers on the listener until Shutdown, and returns nil after one.
func (s *Server) Serve() error {
	if !s.limiter.Closed() {
		s.health.ready.Store(true)
	}
	if s.set.TLS != nil {
		return s.app.Listener(tls.NewListener(s.ln, s.set.TLS))
	}
	return s.app.Listener(s.ln)
}

// Shutdown stops in order: not ready, bye to every stream, drain until ctx is done, close what is left. The error
// says that something had to be cut.
func (s *Server) Shutdown(ctx context.Context) error {
	s.health.ready.Store(false)
	drained := s.limiter.Close()
	s.stream.End(wire.ByeShutdown)
	var late error
	select {
	case <-drained:
	case <-ctx.Done():
		late = fmt.Errorf("streams were cut: %w", ctx.Err())
	}
	if late != nil {
		s.ln.CloseAll()
		s.shards.closeAll()
	}
	if err := s.app.ShutdownWithContext(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		late = errors.Join(late, err)
	}
	s.ln.Close() // fasthttp doesn't know it yet when Serve hasn't begun
	s.ln.CloseAll()
	s.shards.close()
	<-drained // their connections are closed, so they end
	return late
}

// newListener bounds the connections of one client to twice its streams: a page or a command beside each of them. Behind a
// proxy all connections come from the proxy.
func newListener(ln net.Listener, set Settings, exemptLoopback bool) *netconn.Listener {
	perAddress := 2 * set.MaxPerAddress
	if !exemptLoopback {
		perAddress = maxConns(set)
	}
	return netconn.NewListener(ln, netconn.Config{WriteTimeout: set.WriteTimeout, WriteBuffer: set.WriteBuffer,
		Limiter: netconn.NewLimiter(maxConns(set), perAddress, exemptLoopback)})
}

// maxConns is the largest number of open connections: one for each stream, and 1,024 for pages and the API.
func maxConns(set Settings) int { return set.MaxStreams + 1024 }
