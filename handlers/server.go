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
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	fiberrecover "github.com/gofiber/fiber/v2/middleware/recover"
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

// Server answers HTTP on one listener.
type Server struct {
	app     *fiber.App
	set     Settings
	stream  *stream.Log
	history *history.Store
	pages   *pages
	files   map[string]*file
	told    func() (*descriptions, error)
	log     *slog.Logger
	version string
	hosts   map[string]bool
	proxies []netip.Prefix
	limiter *netconn.Limiter // of streams
	lab     *Lab             // nil unless experiments are allowed
	faults  *fault.Injector  // nil without a lab
	paces   sync.Map         // *stream.Subscriber → *rate.Limiter of commands by POST
	ready   atomic.Bool
	ln      *netconn.Listener
	shards  shards

	counts struct{ panics, overloads, requests, failures atomic.Uint64 }
}

// New builds the server. Serve starts it.
func New(d Deps) (*Server, error) {
	proxies, err := prefixes(d.Settings.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("server.trusted_proxies: %w", err)
	}
	pages, err := newPages(d.Files, d)
	if err != nil {
		return nil, fmt.Errorf("load views: %w", err)
	}
	files, err := loadFiles(d.Files)
	if err != nil {
		return nil, fmt.Errorf("load public files: %w", err)
	}
	d.Settings.CloseWait = cmp.Or(d.Settings.CloseWait, closeWait)
	d.Settings.CommandWait = cmp.Or(d.Settings.CommandWait, commandWait)
	s := &Server{
		set: d.Settings, stream: d.Stream, history: d.History, pages: pages, files: files, log: d.Logger, version: d.Version,
		hosts: allowedHosts(d.Settings), proxies: proxies,
		limiter: netconn.NewLimiter(d.Settings.MaxStreams, d.Settings.MaxPerAddress, len(proxies) == 0),
		told:    sync.OnceValues(func() (*descriptions, error) { return readDescriptions(d.Files) }),
		ln:      newListener(d.Listener, d.Settings, len(proxies) == 0),
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
		ErrorHandler:          s.fail,
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
	s.routes(d.Metrics(s))
	return s, nil
}

func (s *Server) routes(metrics http.Handler) {
	app := s.app
	app.Use(s.observe, fiberrecover.New(fiberrecover.Config{EnableStackTrace: true, StackTraceHandler: s.panicked}),
		headers(s.set.TLS != nil), s.allowHost, s.allowOrigin)

	app.Get("/", s.dashboard)
	for _, lane := range []wire.Lane{wire.SSE, wire.WS} {
		app.Get("/"+lane.String()+"/home", s.home(lane))
		app.Get("/"+lane.String()+"/connections/:conn", s.connection(lane))
	}
	app.Get("/sse/subscribe", s.subscribeSSE)
	app.Get("/ws/subscribe", s.subscribeWS)
	app.Post("/sse/connections/:conn", s.command)

	app.Get("/api/symbols", s.symbols)
	app.Get("/api/quotes", s.quotes)
	app.Get("/api/history", s.bars)
	app.Get("/api/closes", s.closes)
	app.Get("/api/time", s.time)
	app.Get("/api/stats", s.stats)
	app.Get("/api/connections", s.connections)
	if s.lab != nil {
		app.Get("/api/lab", s.labState)
		app.Post("/api/lab/drill", s.labDrill)
		app.Post("/api/lab/rate", s.labRate)
		app.Post("/api/lab/background", s.labBackground)
	}
	app.Get("/healthz", s.healthz)
	app.Get("/readyz", s.readyz)
	app.Get("/metrics", adaptor.HTTPHandler(metrics))

	app.Get("/compare", s.compare)
	app.Get("/reports", s.reportList)
	app.Get("/reports/:name", s.report)
	app.Get("/api/reports", s.reportNames)

	app.Get("/docs", s.docs)
	app.Get("/api/openapi.yaml", s.description(openapi, false))
	app.Get("/api/openapi.json", s.description(openapi, true))
	app.Get("/api/asyncapi.yaml", s.description(asyncapi, false))
	app.Get("/api/asyncapi.json", s.description(asyncapi, true))

	app.Get("/assets/*", s.static("assets/", "public, max-age=31536000, immutable"))
	app.Get("/static/*", s.static("", "no-cache"))
	app.Get("/favicon.ico", func(c *fiber.Ctx) error { return c.Redirect("/static/favicon.svg", http.StatusMovedPermanently) })
}

// observe counts and logs requests, and ends the counting of the stream before on the connection.
func (s *Server) observe(c *fiber.Ctx) error { return s.observed(c, c.Next) }

func (s *Server) observed(c *fiber.Ctx, next func() error) error {
	netconn.Of(c.Context().Conn()).NextRequest() // a pipelined request was read together with the one before
	start := time.Now()
	err := next()
	if err != nil {
		err = s.fail(c, err) // here, so that the status is known
	}
	status := c.Response().StatusCode()
	s.counts.requests.Add(1)
	if status >= 500 {
		s.counts.failures.Add(1)
	}
	// The route, not the path: a path may hold a stream's secret id.
	s.log.Debug("request", "method", c.Method(), "route", c.Route().Path, "status", status, "address", s.address(c), "took", time.Since(start))
	return err
}

func (s *Server) panicked(c *fiber.Ctx, p any) {
	s.counts.panics.Add(1)
	s.log.Error("handler panicked", "route", c.Route().Path, "panic", p, "stack", stack())
}

// contain keeps a panic in a goroutine of a stream's from ending the process.
func (s *Server) contain(where string) {
	if p := recover(); p != nil {
		s.panickedAt(where, p)
	}
}

func (s *Server) panickedAt(where string, p any) {
	s.counts.panics.Add(1)
	s.log.Error("stream panicked", "where", where, "panic", p, "stack", stack())
}

func stack() string { return string(debug.Stack()) }

// Counts returns what the server itself counted since the start: requests answered, those with a status of 500 or
// above, streams refused for want of a place, panics contained.
func (s *Server) Counts() (requests, failures, overloads, panics uint64) {
	return s.counts.requests.Load(), s.counts.failures.Load(), s.counts.overloads.Load(), s.counts.panics.Load()
}

// Serve answers on the listener until Shutdown, and returns nil after one.
func (s *Server) Serve() error {
	if !s.limiter.Closed() {
		s.ready.Store(true)
	}
	if s.set.TLS != nil {
		return s.app.Listener(tls.NewListener(s.ln, s.set.TLS))
	}
	return s.app.Listener(s.ln)
}

// Shutdown stops in order: not ready, bye to every stream, drain until ctx is done, close what is left. The error
// says that something had to be cut.
func (s *Server) Shutdown(ctx context.Context) error {
	s.ready.Store(false)
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
