package handlers

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// sameOrigin reports whether a request comes from a page of this server or of an allowed origin, or from no page at all.
func (a *access) sameOrigin(c *fiber.Ctx) bool {
	origin := c.Get(fiber.HeaderOrigin)
	if origin == "" || slices.Contains(a.origins, strings.ToLower(origin)) {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || !a.ownScheme(c, strings.ToLower(u.Scheme)) {
		return false
	}
	return withPort(u.Scheme, u.Host) == withPort(u.Scheme, string(c.Context().Host()))
}

// ownScheme reports whether a page with this scheme can be one of this server. Without TLS the scheme is what a trusted proxy
// reports, and otherwise unknown: a proxy may have TLS.
func (a *access) ownScheme(c *fiber.Ctx, scheme string) bool {
	if a.secure {
		return scheme == "https"
	}
	own := strings.ToLower(c.Get(fiber.HeaderXForwardedProto))
	if peer, ok := netip.AddrFromSlice(c.Context().RemoteIP()); ok && own != "" && a.trusted(peer.Unmap()) {
		return scheme == own
	}
	return scheme == "http" || scheme == "https"
}

// foreignOrigin is the problem of a request from a page of another origin.
func (a *access) foreignOrigin(c *fiber.Ctx) *problem {
	return problemOf(http.StatusForbidden, "Origin: pages of "+quoted(c.Get(fiber.HeaderOrigin))+" are not allowed; add it to server.origins. "+
		"If it is this server's own: the request came in with the Host "+quoted(string(c.Context().Host()))+", which a proxy may have changed.")
}

// normalOrigins removes default ports, which browsers leave out.
func normalOrigins(list []string) []string {
	var all []string
	for _, o := range list {
		if strings.HasPrefix(o, "https://") {
			o = strings.TrimSuffix(o, ":443")
		} else {
			o = strings.TrimSuffix(o, ":80")
		}
		all = append(all, o)
	}
	return all
}

// withPort adds the scheme's default port to a host without one.
func withPort(scheme, host string) string {
	host = strings.ToLower(host)
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	if scheme == "https" {
		return host + ":443"
	}
	return host + ":80"
}

// allowOrigin lets pages of allowed origins read answers (CORS), SSE streams included, and answers their preflight requests.
func (a *access) allowOrigin(c *fiber.Ctx) error {
	if len(a.origins) > 0 {
		c.Vary(fiber.HeaderOrigin)
		if origin := c.Get(fiber.HeaderOrigin); slices.Contains(a.origins, strings.ToLower(origin)) && origin != "" {
			c.Set(fiber.HeaderAccessControlAllowOrigin, origin)
			c.Set("Cross-Origin-Resource-Policy", "cross-origin")
			if a.credentials {
				c.Set(fiber.HeaderAccessControlAllowCredentials, "true")
			}
			c.Set(fiber.HeaderAccessControlExposeHeaders, "Ticklane-Position, Ticklane-More, Retry-After")
			if c.Method() == fiber.MethodOptions {
				c.Set(fiber.HeaderAccessControlAllowMethods, "GET, HEAD, POST")
				c.Set(fiber.HeaderAccessControlAllowHeaders, "Authorization, Cache-Control, Content-Type, Last-Event-ID")
				c.Set(fiber.HeaderAccessControlMaxAge, "600")
				return c.SendStatus(http.StatusNoContent)
			}
		}
	}
	return c.Next()
}
