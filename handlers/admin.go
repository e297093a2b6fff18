package handlers

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/netconn"
)

// adminAddress is server.admin_addr. If there is one, the routes of administration are served there and nowhere else, and no other
// routes but the probes and the files of pages. Its clients need no credentials if it is a loopback address. Its methods work on nil.
type adminAddress struct {
	listener *netconn.Listener
	loopback bool
}

// maxAdminConns is the largest number of open connections of the admin address.
const maxAdminConns = 256

// newAdminAddress returns nil without a listener.
func newAdminAddress(ln net.Listener, set Settings, onFailure func(error)) *adminAddress {
	if ln == nil {
		return nil
	}
	tcp, ok := ln.Addr().(*net.TCPAddr)
	return &adminAddress{loopback: ok && tcp.IP.IsLoopback(), listener: netconn.NewListener(ln, netconn.Config{
		WriteTimeout: set.WriteTimeout, OnAcceptError: onFailure, Limiter: netconn.NewLimiter(maxAdminConns, maxAdminConns, true)})}
}

// serve answers on the address until the server is shut down. Other machines use TLS if the server has a certificate.
func (a *adminAddress) serve(app *fiber.App, secure *tls.Config) error {
	if secure != nil && !a.loopback {
		return app.Server().Serve(tls.NewListener(a.listener, secure))
	}
	return app.Server().Serve(a.listener)
}

// close closes the listener and all connections.
func (a *adminAddress) close() {
	if a != nil {
		a.listener.Close()
		a.listener.CloseAll()
	}
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

// profile is GET /debug/pprof/<name>: the profiles of package pprof, except cmdline: arguments may contain a secret.
func profile(c *fiber.Ctx) error {
	name := strings.Clone(c.Params("*"))
	var h http.Handler
	switch name {
	case "":
		h = http.HandlerFunc(pprof.Index)
	case "profile":
		h = http.HandlerFunc(pprof.Profile)
	case "trace":
		h = http.HandlerFunc(pprof.Trace)
	case "symbol":
		h = http.HandlerFunc(pprof.Symbol)
	default:
		h = pprof.Handler(name)
	}
	noStore(c)
	return adapt(h)(c)
}
