package handlers

import (
	"net/http"

	"github.com/gofiber/fiber/v2"
)

// healthz is GET /healthz: the process answers.
func (s *Server) healthz(c *fiber.Ctx) error {
	noStore(c)
	return c.SendString("ok\n")
}

// readyz is GET /readyz: 200 while the server accepts streams, 503 once it shuts down.
func (s *Server) readyz(c *fiber.Ctx) error {
	noStore(c)
	if !s.ready.Load() {
		return c.Status(http.StatusServiceUnavailable).SendString("shutting down\n")
	}
	return c.SendString("ready\n")
}
