package handlers

import (
	"net/http"
	"sync/atomic"

	"github.com/gofiber/fiber/v2"
)

// health serves the endpoints of probes.
type health struct {
	feed  FeedInfo
	ready atomic.Bool // the server accepts streams
}

// live is GET /healthz: 200 while the process answers.
func (h *health) live(c *fiber.Ctx) error {
	noStore(c)
	return c.SendString("ok\n")
}

// readiness is GET /readyz: 200 while the server accepts streams, 503 once it shuts down. A replay that has ended still has
// quotes, a log and bars, and a feed that is stale may go on, so the server stays ready.
func (h *health) readiness(c *fiber.Ctx) error {
	noStore(c)
	if !h.ready.Load() {
		return c.Status(http.StatusServiceUnavailable).SendString("shutting down\n")
	}
	if h.feed.endedAt() != nil {
		return c.SendString("ready, replay ended\n")
	}
	if h.feed.staleSince() != nil {
		if h.feed.StaleReason != nil {
			if reason := h.feed.StaleReason(); reason != "" {
				return c.SendString("ready, feed stale: " + reason + "\n")
			}
		}
		return c.SendString("ready, feed stale\n")
	}
	return c.SendString("ready\n")
}
