package handlers

import (
	"net/http"
	"sync/atomic"

	"github.com/gofiber/fiber/v2"
)

// health serves the endpoints of probes.
type health struct {
	ready atomic.Bool // the server accepts streams
}

// live is GET /healthz: 200 while the process answers.
func (h *health) live(c *fiber.Ctx) error {
	noStore(c)
	return c.SendString("ok\n")
}

// readiness is GET /readyz: 200 while the server accepts streams, 503 once it shuts down.
func (h *health) readiness(c *fiber.Ctx) error {
	noStore(c)
	if !h.ready.Load() {
		return c.Status(http.StatusServiceUnavailable).SendString("shutting down\n")
	}
	return c.SendString("ready\n")
}
