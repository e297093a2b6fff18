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

// requestLimit enforces limits.requests, the rate of requests of a client address, and the limits of subjects.
type requestLimit struct {
	limiter  *netconn.RateLimiter
	rate     float64              // of the limiter
	subjects *netconn.RateLimiter // by subject
	streams  *streams
	observer *observer
}

// limit is a middleware that refuses requests over the limit of their client address with 429. Probes are not limited.
func (l *requestLimit) limit(c *fiber.Ctx) error {
	if isProbe(c.Path()) {
		return c.Next()
	}
	address := l.streams.access.clientAddress(c)
	wait := l.limiter.Allow(address, time.Now())
	if wait == 0 {
		return c.Next()
	}
	return l.refuse(c, "limits.requests is reached, "+decimal(l.rate)+" requests a second from this client address", wait)
}

// limitSubject is a middleware that refuses requests over the limit that the rights of their principal set.
func (l *requestLimit) limitSubject(c *fiber.Ctx) error {
	p := principalOf(c)
	rate := p.Rights.Requests()
	if rate == 0 || isProbe(c.Path()) {
		return c.Next()
	}
	wait := l.subjects.AllowRate(p.Subject, rate, time.Now())
	if wait == 0 {
		return c.Next()
	}
	return l.refuse(c, "requests is reached, a limit of the token's rights: "+decimal(rate)+" requests a second of its subject", wait)
}

// refuse answers a request over a limit.
func (l *requestLimit) refuse(c *fiber.Ctx, cause string, wait time.Duration) error {
	l.observer.requestRefusals.Add(1)
	l.observer.refusedRequests.warn("address", l.streams.access.clientAddress(c))
	return l.streams.refuseRequest(c, http.StatusTooManyRequests, cause, wait)
}

// refuseRequest answers a request that the client may make again after a time: with a bye on a stream, else with a status. An
// EventSource doesn't reconnect after an error status, and a browser's script can't read that of a WebSocket's handshake.
func (s *streams) refuseRequest(c *fiber.Ctx, status int, cause string, wait time.Duration) error {
	refused := &refusal{wire.ByeOverload, cause, max(time.Second, wait)}
	switch p := c.Path(); {
	case p == "/sse/subscribe" && accepts(c, fiber.HeaderAccept, "text/event-stream"):
		return s.refuseSSE(c, refused)
	case p == "/ws/subscribe" && c.Get(fiber.HeaderOrigin) != "":
		if s.refuseHandshake(c, refused) == nil {
			return nil
		} // an invalid handshake gets the status like other requests
	}
	seconds := strconv.Itoa(int(max(1, math.Ceil(wait.Seconds()))))
	c.Set(fiber.HeaderRetryAfter, seconds)
	return problemOf(status, cause+". Try again in "+seconds+" s.")
}
