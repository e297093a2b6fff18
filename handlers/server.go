package handlers

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"net"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"ticklane/internal/audit"
	"ticklane/internal/auth"
	"ticklane/internal/cluster"
	"ticklane/internal/delayed"
	"ticklane/internal/fault"
	"ticklane/internal/history"
	"ticklane/internal/market/ingest"
	"ticklane/internal/metrics"
	"ticklane/internal/netconn"
	"ticklane/internal/shard"
	"ticklane/internal/stream"
)

// Deps are the parts that a Server is made of. The caller closes the log and the store.
type Deps struct {
	Settings Settings
	Listener net.Listener // closed by Shutdown
	Admin    net.Listener // of server.admin_addr; nil for none. Closed by Shutdown
	Stream   *stream.Log
	History  *history.Store
	Delayed  []*delayed.View // with different delays above 0
	Feed     FeedInfo
	Lab      *Lab                           // nil disables experiments
	Ingest   *ingest.Source                 // the feed that clients send; nil for another feed
	Relay    IngestRelay                    // takes the lines of that feed to the server that publishes them; nil if it is this one
	Auth     auth.Authenticator             // verifies tokens; nil for no authentication
	Sessions *auth.Sessions                 // of browsers; nil without Auth, as are the next two
	Tickets  *auth.Tickets                  // for streams of other sites' pages
	Revoked  *auth.Revocations              // what was revoked
	Others   OtherStreams                   // of subjects, on other servers; nil for none
	OIDC     *auth.OIDC                     // signing in by a provider; nil if none is configured
	Audit    *audit.Log                     // nil for none. The caller closes it
	Cluster  func(after int64) cluster.View // lists the nodes, with their points after a time; nil for a server without such a list
	Files    fs.FS                          // with the folders views, public and docs/api
	Metrics  func(*Server) http.Handler     // makes GET /metrics
	Logger   *slog.Logger
	Version  string
}

// Server answers HTTP on one listener.
type Server struct {
	app      *fiber.App
	tls      *tls.Config
	listener *netconn.Listener
	admin    *adminAddress // nil for none
	observer *observer
	health   *health
	streams  *streams
	ingest   *ingestAPI
	docs     *apiDocs
}

const (
	defaultCloseWait   = 2 * time.Second
	defaultCommandWait = 5 * time.Second
	defaultTokenWait   = 5 * time.Second
)

// New returns a server. Serve starts it.
func New(d Deps) (*Server, error) {
	set := d.Settings
	set.CloseWait = cmp.Or(set.CloseWait, defaultCloseWait)
	set.CommandWait = cmp.Or(set.CommandWait, defaultCommandWait)
	set.TokenWait = cmp.Or(set.TokenWait, defaultTokenWait)
	access, err := newAccess(set)
	if err != nil {
		return nil, err
	}
	feeds := newFeedViews(&d)
	pages, err := newPages(d.Files, feeds, d.Feed, set, d.Version, d.Lab != nil, d.Auth != nil)
	if err != nil {
		return nil, fmt.Errorf("load views: %w", err)
	}
	pages.private = d.Auth != nil
	static, err := loadStatic(d.Files)
	if err != nil {
		return nil, fmt.Errorf("load public files: %w", err)
	}
	// Without trusted proxies, clients on loopback are on this machine.
	exemptLoopback := len(access.proxies) == 0
	observer := newObserver(d.Logger, &errorHandler{pages: pages, log: d.Logger})
	observer.access, observer.audit, access.unreadable = access, d.Audit, observer.unreadable
	access.admin = newAdminAddress(d.Admin, set, observer.acceptFailed)
	if d.Lab != nil {
		pages.mayLab = func(c *fiber.Ctx) bool {
			return access.admin.serves(c, may(auth.Lab)) && principalOf(c).Rights.May(auth.Lab)
		}
	}
	nodes := d.Cluster
	if nodes == nil {
		nodes = func(int64) cluster.View { return noNodes }
	}
	pages.admin = access.admin.received
	if nodes(math.MaxInt64).Bus == "nats" {
		pages.mayCluster = func(c *fiber.Ctx) bool {
			return access.admin.serves(c, may(auth.Metrics)) && principalOf(c).Rights.May(auth.Metrics)
		}
	}
	limiter := netconn.NewLimiter(set.MaxStreams, set.MaxPerAddress, exemptLoopback)
	shard := &shardEngine{tls: set.TLS != nil, logger: d.Logger, options: shard.Options{Writers: set.Shards,
		WriteTimeout: set.WriteTimeout, CloseWait: set.CloseWait, OnPanic: func(where string, v any) { observer.panicked(where, v) }}}
	bodies := &jsonBodies{access: access, maxSize: set.MessageSize}
	streams := &streams{
		set: set, views: feeds, logger: d.Logger, access: access, observer: observer, shard: shard,
		limiter: limiter, audit: d.Audit, admission: newAdmission(set, limiter, d.Others, observer),
		tokenReaders:    netconn.NewLimiter(maxTokenReaders, maxTokenReadersOfAddress, exemptLoopback),
		credentials:     &credentials{tokens: d.Auth, revoked: d.Revoked},
		subscriptions:   &subscriptions{set: set, views: feeds, shard: shard, lab: d.Lab != nil, auth: d.Auth != nil},
		commandLimiters: &commandLimiters{views: feeds, rate: rate.Limit(set.MessageRate), burst: set.MessageBurst},
	}
	if d.Revoked != nil {
		d.Revoked.OnChange(streams.endUnauthorized)
	}
	inputs := newIngestAPI(&d, set, streams)
	s := &Server{app: newApp(set, pages, streams), tls: set.TLS, listener: newListener(d.Listener, set, access, exemptLoopback, observer.acceptFailed),
		admin: access.admin, observer: observer, health: &health{feed: d.Feed}, streams: streams, ingest: inputs}
	identify := &authentication{tokens: d.Auth, sessions: d.Sessions, tickets: d.Tickets, revoked: d.Revoked, feed: set.IngestToken, access: access}
	e := &endpoints{
		authentication: identify,
		guard:          &guard{access: access, streams: streams, pages: pages, audit: d.Audit, base: basePath(set.BasePath)},
		profiles:       access.admin != nil || d.Auth != nil,
		requests: &requestLimit{limiter: netconn.NewRateLimiter(set.RequestRate, exemptLoopback), rate: set.RequestRate,
			subjects: netconn.NewRateLimiter(0, false), streams: streams, observer: observer},
		streams:  streams,
		commands: &commands{views: feeds, wait: set.CommandWait, limiters: streams.commandLimiters, bodies: bodies, credentials: streams.credentials},
		api:      &api{views: feeds, feed: d.Feed, maxTopics: set.MaxTopics, version: d.Version, listings: newAnswers(sizeOf(feeds.universe()))},
		history:  &historyAPI{views: feeds, maxTopics: set.MaxTopics},
		ingest:   inputs,
		health:   s.health,
		metrics:  d.Metrics(s),
		pages:    pages,
		reports:  &reports{folder: set.Reports, pages: pages},
		cluster:  &clusterAPI{nodes: nodes, pages: pages},
		docs:     newAPIDocs(d.Files, pages),
		static:   static,
		base:     basePath(set.BasePath),
	}
	if d.Sessions != nil {
		e.signIn = &signIn{authentication: identify, oidc: d.OIDC, requests: e.requests, callbacks: netconn.NewRateLimiter(callbackRate, exemptLoopback), pages: pages, audit: d.Audit, base: basePath(set.BasePath),
			logger: d.Logger}
		e.session = &sessionAPI{authentication: identify, oidc: d.OIDC, bodies: bodies, logger: d.Logger}
	}
	if d.Lab != nil {
		streams.faults = fault.New()
		e.lab = &labAPI{lab: d.Lab, faults: streams.faults, subscriptions: streams.subscriptions, bodies: bodies}
	}
	s.docs = e.docs
	e.register(s.app, observer, access, set.TLS != nil)
	return s, nil
}

// newApp returns Fiber's app, without routes.
func newApp(set Settings, pages *pages, s *streams) *fiber.App {
	o := s.observer
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true,
		ReadBufferSize:        set.HeaderSize,
		WriteBufferSize:       chunkSize,
		ReduceMemoryUsage:     true,
		BodyLimit:             set.BodySize,
		ReadTimeout:           set.ReadTimeout, // no WriteTimeout: it is set once for a response, and would end every stream at that age
		IdleTimeout:           set.IdleTimeout,
		Concurrency:           maxConns(set) + 1024, // more than the listener admits: after fasthttp's own 503 an EventSource doesn't reconnect
		ErrorHandler:          o.errors.respond,
		Views:                 pages.engine,
		ViewsLayout:           layout,
		CaseSensitive:         true,
	})
	fast := app.Server()
	fast.KeepHijackedConns = true
	fast.HeaderReceived = leaveOpen(set.BodySize, set.BasePath+ingestPath)
	v, base := &validator{app: app, observer: o}, basePath(set.BasePath)
	handle := fast.Handler
	// A stream keeps fasthttp's goroutine for its lifetime, with the stack that its deepest call needed. So handlers run on
	// another stack.
	fast.Handler = func(c *fasthttp.RequestCtx) {
		stream.OnFreshStack(func() {
			defer o.containRequest(c)
			defer s.closeOpenBody(c)
			base.strip(c)
			if !v.validate(c) {
				handle(c)
			}
			closeRefusedUpgrade(c)
		})
	}
	onError := fast.ErrorHandler // of requests that can't be parsed
	fast.ErrorHandler = func(c *fasthttp.RequestCtx, err error) {
		defer o.containRequest(c)
		onError(c, err)
	}
	return app
}

// Counts returns counters since the start of the server.
func (s *Server) Counts() metrics.ServerCounts {
	o := s.observer
	return metrics.ServerCounts{
		Requests: o.requests.Load(), Failures: o.failures.Load(), Overloads: o.overloads.Load(), Panics: o.panics.Load(),
		RateRefusals: o.rateRefusals.Load(), RequestRefusals: o.requestRefusals.Load(), Waiting: s.streams.admission.waiting.count(time.Now()),
		UnreadableAddresses: o.unreadableAddresses.Load(), AcceptFailures: o.acceptFailures.Load(),
	}
}

// RenderDocs renders /docs ahead of the first request, which takes some hundredths of a second.
func (s *Server) RenderDocs() error { return s.docs.renderAll() }

// Serve answers on the listener. It returns nil after Shutdown.
func (s *Server) Serve() error {
	if !s.streams.limiter.Closed() {
		s.health.ready.Store(true)
	}
	var ln net.Listener = s.listener
	if s.tls != nil {
		ln = tls.NewListener(ln, s.tls)
	}
	if s.admin == nil {
		return s.app.Listener(ln)
	}
	s.app.Handler() // prepares the routes, which both listeners use
	var both errgroup.Group
	both.Go(func() error { return s.admin.serve(s.app, s.tls) })
	both.Go(func() error { return s.app.Listener(ln) })
	return both.Wait()
}

// newListener bounds the connections of one client to twice its streams: a page or a command beside each of them. Those of trusted
// proxies have only the bound in total.
func newListener(ln net.Listener, set Settings, access *access, exemptLoopback bool, onFailure func(error)) *netconn.Listener {
	limiter := netconn.NewLimiter(maxConns(set), 2*set.MaxPerAddress, exemptLoopback)
	limiter.Exempt(access.trusted)
	return netconn.NewListener(ln, netconn.Config{WriteTimeout: set.WriteTimeout, WriteBuffer: set.WriteBuffer, OnAcceptError: onFailure, Limiter: limiter})
}

// maxConns is the largest number of open connections: one for each stream, and 1,024 for pages and the API.
func maxConns(set Settings) int { return set.MaxStreams + 1024 }
