package handlers

import (
	"github.com/gofiber/fiber/v2"

	"ticklane/internal/netconn"
)

// adminAddress is server.admin_addr. If there is one, the routes of administration are served there and nowhere else, and no other
// routes but the probes. Clients on the same machine need no credentials if it is a loopback address. Its methods work on nil.
type adminAddress struct {
	listener *netconn.Listener
	loopback bool
}

// received reports whether a request came to the address.
func (a *adminAddress) received(c *fiber.Ctx) bool {
	return a != nil && netconn.Of(c.Context().Conn()).Listener() == a.listener
}

// open reports whether a request needs no credentials because it came to the address.
func (a *adminAddress) open(c *fiber.Ctx) bool { return a.received(c) && a.loopback }

// demandsRight reports whether a request needs the right admin because it came to the address.
func (a *adminAddress) demandsRight(c *fiber.Ctx) bool { return a.received(c) && !a.loopback }

// serves reports whether a route exists on the address that a request came to.
func (a *adminAddress) serves(c *fiber.Ctx, n need) bool {
	return a == nil || n.kind == needProbe || a.received(c) == n.administrative()
}
