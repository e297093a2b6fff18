package handlers

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/auth"
	"ticklane/internal/wire"
)

// endpoints are the handlers of all routes.
type endpoints struct {
	authentication *authentication
	guard          *guard
	signIn         *signIn     // nil on a server that requires no credentials
	session        *sessionAPI // nil on such a server
	requests       *requestLimit
	streams        *streams
	commands       *commands
	lab            *labAPI // nil unless the lab is enabled
	api            *api
	history        *historyAPI
	ingest         *ingestAPI
	health         *health
	metrics        http.Handler
	pages          *pages
	reports        *reports
	cluster        *clusterAPI
	docs           *apiDocs
	static         staticFiles
	base           basePath
	profiles       bool // they are served
}

// register registers the middleware and every endpoint.
func (e *endpoints) register(app *fiber.App, o *observer, a *access, tls bool) {
	app.Use(o.observe, headers(tls), a.allowHost, a.allowOrigin, e.requests.limit, e.refuseOutside, e.authentication.authenticate, e.requests.limitSubject)
	app.Use("/api", compressJSON)
	// Every route is registered by these, so that each has a need.
	get := func(path string, n need, h fiber.Handler) { app.Get(path, e.guard.require(n), h) }
	post := func(path string, n need, h fiber.Handler) { app.Post(path, e.guard.require(n), h) }
	// A handshake is a GET (RFC 6455 §4.1), never a HEAD.
	handshake := func(path string, n need, h fiber.Handler) { app.Add(http.MethodGet, path, e.guard.require(n), h) }

	get("/sse/subscribe", streaming, e.streams.subscribeSSE)
	handshake("/ws/subscribe", socket, e.streams.subscribeWS)
	for _, lane := range []wire.Lane{wire.SSE, wire.WS} {
		get("/"+lane.String()+"/home", page, e.pages.home(lane))
		get("/"+lane.String()+"/connections/:conn", streaming, e.commands.connection(lane))
		post("/"+lane.String()+"/connections/:conn", streaming, e.commands.command(lane))
	}
	get("/api/connections", listing, e.commands.connections)
	if e.lab != nil {
		get("/api/lab", may(auth.Lab), withoutParameters(e.lab.state))
		post("/api/lab/drill", may(auth.Lab), e.lab.drill)
		post("/api/lab/rate", may(auth.Lab), e.lab.rate)
		post("/api/lab/background", may(auth.Lab), e.lab.background)
	}

	get("/api/symbols", reader, withoutParameters(e.api.symbols))
	get("/api/quotes", reader, e.api.quotes)
	get("/api/time", reader, withoutParameters(e.api.time))
	get("/api/stats", may(auth.Metrics), withoutParameters(e.api.stats))

	get("/api/cluster", may(auth.Metrics), e.cluster.list)
	get("/cluster", pageOf(auth.Metrics), e.cluster.page)

	get("/api/history", reader, e.history.bars)
	get("/api/closes", reader, e.history.closes)

	get(ingestPath, feeder, e.ingest.progress)
	post(ingestPath, feeder, e.ingest.post)
	handshake(ingestSocketPath, feeder, e.ingest.socket)

	get("/healthz", probe, e.health.live)
	get("/readyz", probe, e.health.readiness)
	get("/metrics", may(auth.Metrics), adapt(e.metrics))

	if e.signIn != nil {
		get("/sign-in", anyone, e.signIn.page)
		post("/sign-in", anyone, e.signIn.post)
		get("/sign-out", anyone, e.signIn.outPage)
		post("/sign-out", anyone, e.signIn.out)
		get("/api/session", reader, withoutParameters(e.session.session))
		post("/api/session/renew", streaming, e.session.renew) // also a session that has just expired
		post("/api/ticket", reader, e.session.ticket)
		post("/api/revocations", may(auth.Admin), e.session.revoke)
		if e.signIn.oidc != nil {
			get("/sign-in/oidc", anyone, e.signIn.redirect)
			get("/sign-in/callback", anyone, e.signIn.callback)
		}
	}
	if e.profiles {
		get("/debug/pprof/*", may(auth.Metrics), profile)
	}

	get("/", page, e.pages.dashboard)
	get("/compare", page, e.pages.compare)

	get("/reports", pageOf(auth.Reports), e.reports.page)
	get("/reports/:name", pageOf(auth.Reports), e.reports.file)
	get("/api/reports", may(auth.Reports), withoutParameters(e.reports.names))

	get("/docs", page, e.docs.page)
	get("/api/openapi.yaml", reader, withoutParameters(e.docs.yaml(openapi)))
	get("/api/openapi.json", reader, withoutParameters(e.docs.json(openapi)))
	get("/api/asyncapi.yaml", reader, withoutParameters(e.docs.yaml(asyncapi)))
	get("/api/asyncapi.json", reader, withoutParameters(e.docs.json(asyncapi)))

	get("/assets/*", files, e.static.serve("assets/", "public, max-age=31536000, immutable"))
	get("/static/*", files, e.static.serve("", "no-cache"))
	get("/favicon.ico", anyone, func(c *fiber.Ctx) error {
		return c.Redirect(string(e.base)+"/static/favicon.svg", http.StatusMovedPermanently)
	})
}

// refuseOutside is a middleware that answers requests outside of the base path with 404, except those to the admin address.
func (e *endpoints) refuseOutside(c *fiber.Ctx) error {
	if e.guard.access.admin.received(c) {
		return c.Next()
	}
	return e.base.refuseOutside(c)
}
