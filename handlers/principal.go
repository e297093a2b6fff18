package handlers

import (
	"github.com/gofiber/fiber/v2"

	"ticklane/internal/auth"
)

// principalKey is the key of a request's *auth.Principal among its locals.
type principalKey struct{}

// principalOf returns who a request acts for.
func principalOf(c *fiber.Ctx) *auth.Principal {
	if p, ok := c.Locals(principalKey{}).(*auth.Principal); ok {
		return p
	}
	return auth.Everyone
}
