package handlers

import (
	"net/http"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	fiberrecover "github.com/gofiber/fiber/v2/middleware/recover"

	"ticklane/internal/wire"
)

// routes registers the middleware and every endpoint.
func (s *Server) routes(d Deps, pages *pages, static staticFiles) {
	app := s.app
	app.Use(s.observer.observe, fiberrecover.New(fiberrecover.Config{EnableStackTrace: true, StackTraceHandler: s.observer.handlerPanicked}),
		headers(s.set.TLS != nil), s.access.allowHost, s.access.allowOrigin)

	app.Get("/sse/subscribe", s.subscribeSSE)
	app.Get("/ws/subscribe", s.subscribeWS)
	app.Post("/sse/connections/:conn", s.command)
	for _, lane := range []wire.Lane{wire.SSE, wire.WS} {
		app.Get("/"+lane.String()+"/home", pages.home(lane))
		app.Get("/"+lane.String()+"/connections/:conn", s.connection(lane))
	}
	app.Get("/api/connections", s.connections)
	if s.lab != nil {
		app.Get("/api/lab", s.labState)
		app.Post("/api/lab/drill", s.labDrill)
		app.Post("/api/lab/rate", s.labRate)
		app.Post("/api/lab/background", s.labBackground)
	}

	api := &api{log: d.Stream, feed: d.Feed, maxTopics: s.set.MaxTopics, version: d.Version}
	app.Get("/api/symbols", api.symbols)
	app.Get("/api/quotes", api.quotes)
	app.Get("/api/time", api.time)
	app.Get("/api/stats", api.stats)

	history := &historyAPI{log: d.Stream, store: d.History, maxTopics: s.set.MaxTopics}
	app.Get("/api/history", history.bars)
	app.Get("/api/closes", history.closes)

	app.Get("/healthz", s.health.live)
	app.Get("/readyz", s.health.readiness)
	app.Get("/metrics", adaptor.HTTPHandler(d.Metrics(s)))

	app.Get("/", pages.dashboard)
	app.Get("/compare", pages.compare)

	reports := &reports{folder: s.set.Reports, pages: pages}
	app.Get("/reports", reports.page)
	app.Get("/reports/:name", reports.file)
	app.Get("/api/reports", reports.names)

	docs := newAPIDocs(d.Files, pages)
	app.Get("/docs", docs.page)
	app.Get("/api/openapi.yaml", docs.yaml(openapi))
	app.Get("/api/openapi.json", docs.json(openapi))
	app.Get("/api/asyncapi.yaml", docs.yaml(asyncapi))
	app.Get("/api/asyncapi.json", docs.json(asyncapi))

	app.Get("/assets/*", static.serve("assets/", "public, max-age=31536000, immutable"))
	app.Get("/static/*", static.serve("", "no-cache"))
	app.Get("/favicon.ico", func(c *fiber.Ctx) error { return c.Redirect("/static/favicon.svg", http.StatusMovedPermanently) })
}
