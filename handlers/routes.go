package handlers

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/wire"
)

// endpoints are the handlers of all routes.
type endpoints struct {
	requests *requestLimit
	streams  *streams
	commands *commands
	lab      *labAPI // nil unless the lab is enabled
	api      *api
	history  *historyAPI
	ingest   *ingestAPI
	health   *health
	metrics  http.Handler
	pages    *pages
	reports  *reports
	docs     *apiDocs
	static   staticFiles
	base     basePath
}

// register registers the middleware and every endpoint.
func (e *endpoints) register(app *fiber.App, o *observer, a *access, tls bool) {
	app.Use(o.observe, headers(tls), a.allowHost, a.allowOrigin, e.requests.limit, e.base.refuseOutside)

	app.Use("/api", compressJSON)
	app.Get("/sse/subscribe", e.streams.subscribeSSE)
	app.Add(http.MethodGet, "/ws/subscribe", e.streams.subscribeWS) // a handshake is a GET (RFC 6455 §4.1), never a HEAD
	app.Post("/sse/connections/:conn", e.commands.command)
	for _, lane := range []wire.Lane{wire.SSE, wire.WS} {
		app.Get("/"+lane.String()+"/home", e.pages.home(lane))
		app.Get("/"+lane.String()+"/connections/:conn", e.commands.connection(lane))
	}
	app.Get("/api/connections", e.commands.connections)
	if e.lab != nil {
		app.Get("/api/lab", withoutParameters(e.lab.state))
		app.Post("/api/lab/drill", e.lab.drill)
		app.Post("/api/lab/rate", e.lab.rate)
		app.Post("/api/lab/background", e.lab.background)
	}

	app.Get("/api/symbols", withoutParameters(e.api.symbols))
	app.Get("/api/quotes", e.api.quotes)
	app.Get("/api/time", withoutParameters(e.api.time))
	app.Get("/api/stats", withoutParameters(e.api.stats))

	app.Get("/api/history", e.history.bars)
	app.Get("/api/closes", e.history.closes)

	app.Get(ingestPath, e.ingest.progress)
	app.Post(ingestPath, e.ingest.post)
	app.Add(http.MethodGet, "/ws/ingest", e.ingest.socket)

	app.Get("/healthz", e.health.live)
	app.Get("/readyz", e.health.readiness)
	app.Get("/metrics", adapt(e.metrics))

	app.Get("/", e.pages.dashboard)
	app.Get("/compare", e.pages.compare)

	app.Get("/reports", e.reports.page)
	app.Get("/reports/:name", e.reports.file)
	app.Get("/api/reports", withoutParameters(e.reports.names))

	app.Get("/docs", e.docs.page)
	app.Get("/api/openapi.yaml", withoutParameters(e.docs.yaml(openapi)))
	app.Get("/api/openapi.json", withoutParameters(e.docs.json(openapi)))
	app.Get("/api/asyncapi.yaml", withoutParameters(e.docs.yaml(asyncapi)))
	app.Get("/api/asyncapi.json", withoutParameters(e.docs.json(asyncapi)))

	app.Get("/assets/*", e.static.serve("assets/", "public, max-age=31536000, immutable"))
	app.Get("/static/*", e.static.serve("", "no-cache"))
	app.Get("/favicon.ico", func(c *fiber.Ctx) error {
		return c.Redirect(string(e.base)+"/static/favicon.svg", http.StatusMovedPermanently)
	})
}
