package handlers

import (
	"errors"
	"fmt"
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
	if own := a.forwardedScheme(c); own != "" {
		return scheme == own
	}
	return scheme == "http" || scheme == "https"
}

// forwardedScheme returns the scheme that a trusted proxy reports, "" if none does.
func (a *access) forwardedScheme(c *fiber.Ctx) string {
	if peer, ok := netip.AddrFromSlice(c.Context().RemoteIP()); ok && a.trusted(peer.Unmap()) {
		return strings.ToLower(c.Get(fiber.HeaderXForwardedProto))
	}
	return ""
}

// ownPage reports whether a request with a cookie comes from a page that may use it: one of this server, or of an origin that may
// send credentials, or from the address bar. A browser adds a cookie to requests of every page of the site, which other ports of the
// host are part of. change says that the request may change something or opens a WebSocket: then a browser always reports its page.
func (a *access) ownPage(c *fiber.Ctx, change bool) bool {
	origin, site := strings.ToLower(c.Get(fiber.HeaderOrigin)), c.Get("Sec-Fetch-Site")
	switch {
	case site == "same-origin": // even if the Referrer-Policy has made Origin null, or a proxy has changed Host
		return true
	case slices.Contains(a.origins, origin) && origin != "":
		return a.credentials && !a.admin.open(c) // on the admin address a request may need no credentials
	case site == "none": // the address bar, a bookmark
		return true
	case site == "": // an old browser, plain HTTP or a program
		return origin != "" && a.sameOrigin(c) || origin == "" && !change
	}
	// A link on a page of another site.
	return !change && origin == "" && c.Get("Sec-Fetch-Mode") == "navigate" && c.Get("Sec-Fetch-Dest") == "document"
}

// errForeignPage is the reason of requests with a cookie that come from a page that may not use it.
var errForeignPage = errors.New("the session's cookie, from a page of another origin")

// foreignPage is the problem of such a request.
func (a *access) foreignPage(c *fiber.Ctx) *problem {
	p := problemOf(http.StatusForbidden, "Origin: a request with the session's cookie must come from a page of this server and have Origin or Sec-Fetch-Site. "+
		"Pages of other origins need server.origins and server.cors_credentials, or a token or ticket.")
	p.Code, p.reason = codeForeignPage, fmt.Errorf("%w: %s", errForeignPage, quoted(c.Get(fiber.HeaderOrigin)))
	return p
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
		if a.setCORS(c.Get(fiber.HeaderOrigin), c.Method(), c.Set) && c.Method() == fiber.MethodOptions {
			return c.SendStatus(http.StatusNoContent)
		}
	}
	return c.Next()
}

// setCORS sets the header fields of an answer to a page of an allowed origin. It reports whether the origin is allowed.
func (a *access) setCORS(origin, method string, set func(name, value string)) bool {
	if origin == "" || !slices.Contains(a.origins, strings.ToLower(origin)) {
		return false
	}
	set(fiber.HeaderAccessControlAllowOrigin, origin)
	set("Cross-Origin-Resource-Policy", "cross-origin")
	if a.credentials {
		set(fiber.HeaderAccessControlAllowCredentials, "true")
	}
	set(fiber.HeaderAccessControlExposeHeaders, "Ticklane-Position, Ticklane-More, Retry-After")
	if method == fiber.MethodOptions {
		set(fiber.HeaderAccessControlAllowMethods, "GET, HEAD, POST")
		set(fiber.HeaderAccessControlAllowHeaders, "Authorization, Cache-Control, Content-Type, Last-Event-ID")
		set(fiber.HeaderAccessControlMaxAge, "600")
	}
	return true
}
