package handlers

import (
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/audit"
	"ticklane/internal/netconn"
)

// observer counts and logs requests, and contains panics.
type observer struct {
	log    *slog.Logger
	access *access
	audit  *audit.Log // nil for none
	errors *errorHandler

	requests, failures, overloads, panics atomic.Uint64
	rateRefusals                          atomic.Uint64 // the overloads because of limits.accept_rate
	requestRefusals                       atomic.Uint64 // 429 because of limits.requests
	unreadableAddresses                   atomic.Uint64 // X-Forwarded-For of a trusted proxy, missing or unreadable
	acceptFailures                        atomic.Uint64

	refusedStreams, refusedRequests, unreadableAddress, acceptFailure, handoffFailure throttledLog
}

func newObserver(log *slog.Logger, errors *errorHandler) *observer {
	return &observer{log: log, errors: errors,
		refusedStreams:    throttledLog{log: log, message: "streams refused"},
		refusedRequests:   throttledLog{log: log, message: "requests refused: more than limits.requests"},
		unreadableAddress: throttledLog{log: log, message: "X-Forwarded-For of a trusted proxy is missing or unreadable, counting its clients as the proxy; check the proxy's settings"},
		acceptFailure:     throttledLog{log: log, message: "connections can't be accepted"},
		handoffFailure:    throttledLog{log: log, message: "shard handoff failed"},
	}
}

// acceptFailed counts and logs a failure of the listener. It is called in fasthttp's goroutine, where a panic would end the
// process.
func (o *observer) acceptFailed(err error) {
	o.acceptFailures.Add(1)
	o.protect(func() { o.acceptFailure.warn("err", err) })
}

// unreadable counts and logs an X-Forwarded-For that has no address.
func (o *observer) unreadable(proxy, entry string) {
	o.unreadableAddresses.Add(1)
	o.protect(func() { o.unreadableAddress.warn("proxy", proxy, "entry", shortened(strings.TrimSpace(entry))) })
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
		o.recordRefusal(c, err)
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
