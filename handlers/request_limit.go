package handlers

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/netconn"
	"ticklane/internal/wire"
)

// requestLimit enforces limits.requests, the rate of requests of a client address.
type requestLimit struct {
	limiter  *netconn.RateLimiter
	rate     float64 // of the limiter
	streams  *streams
	observer *observer
}

// limit is a middleware that refuses requests over the limit of their client address with 429. An EventSource doesn't
// reconnect after an error status, and a browser's script can't read that of a WebSocket's handshake, so both get a bye.
// Probes are not limited.
func (l *requestLimit) limit(c *fiber.Ctx) error {
	p := c.Path()
	if isProbe(p) {
		return c.Next()
	}
	address := l.streams.access.clientAddress(c)
	wait := l.limiter.Allow(address, time.Now())
	if wait == 0 {
		return c.Next()
	}
	l.observer.requestRefusals.Add(1)
	l.observer.refusedRequests.warn("address", address)
	refused := &refusal{wire.ByeOverload, l.cause(), max(time.Second, wait)}
	switch {
	case p == "/sse/subscribe" && accepts(c, fiber.HeaderAccept, "text/event-stream"):
		return l.streams.refuseSSE(c, refused)
	case p == "/ws/subscribe" && c.Get(fiber.HeaderOrigin) != "":
		if l.streams.refuseHandshake(c, refused) == nil {
			return nil
		} // an invalid handshake gets 429 like other requests
	}
	seconds := strconv.Itoa(int(max(1, math.Ceil(wait.Seconds()))))
	c.Set(fiber.HeaderRetryAfter, seconds)
	return problemOf(http.StatusTooManyRequests, l.cause()+". Try again in "+seconds+" s.")
}

func (l *requestLimit) cause() string {
	return "limits.requests is reached, " + decimal(l.rate) + " requests a second from this client address"
}
