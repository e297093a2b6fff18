package handlers

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/netconn"
)

// observer counts and logs requests, and contains panics.
type observer struct {
	log    *slog.Logger
	access *access
	errors *errorHandler

	requests, failures, overloads, panics atomic.Uint64
}

// observe is the outermost middleware.
func (o *observer) observe(c *fiber.Ctx) error { return o.request(c, c.Next) }

// request handles a request by next, and ends the counting of the connection's stream before it. An error of next is
// answered here, so that the status is known.
func (o *observer) request(c *fiber.Ctx, next func() error) error {
	netconn.Of(c.Context().Conn()).NextRequest() // a pipelined request was read together with the one before
	start := time.Now()
	err := o.call(c, next)
	if err != nil {
		err = o.respond(c, err)
	}
	status := c.Response().StatusCode()
	o.requests.Add(1)
	if status >= 500 {
		o.failures.Add(1)
	}
	// The route, since the path may contain a stream's secret id.
	o.protect(func() {
		o.log.Debug("request", "method", c.Method(), "route", c.Route().Path, "status", status, "address", o.access.clientAddress(c), "took", time.Since(start))
	})
	return err
}
