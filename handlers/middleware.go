package handlers

import (
	"bytes"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/helmet"
)

// policy is the Content-Security-Policy of every answer: nothing inline, nothing evaluated, nothing from elsewhere.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; worker-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// headers sets what browsers are told about every answer but a stream, which eventStream gives its few: half a
// kilobyte about documents would only blur what the lanes cost.
func headers(tls bool) fiber.Handler {
	cfg := helmet.Config{
		Next:                  func(c *fiber.Ctx) bool { return strings.HasSuffix(c.Path(), "/subscribe") },
		ContentSecurityPolicy: policy,
		XFrameOptions:         "DENY",
		ReferrerPolicy:        "no-referrer",
		PermissionPolicy:      "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
	}
	if tls {
		cfg.HSTSMaxAge, cfg.HSTSExcludeSubdomains = 31536000, true
	}
	return helmet.New(cfg)
}

// allowHost refuses names that aren't ours, so that a page elsewhere can't reach a loopback server by making its own
// name resolve to it (DNS rebinding). Probes ask by address, and learn nothing.
func (s *Server) allowHost(c *fiber.Ctx) error {
	if p := c.Path(); p == "/healthz" || p == "/readyz" {
		return c.Next()
	}
	host := hostname(string(c.Context().Host()))
	if s.hosts[host] {
		return c.Next()
	}
	if a, err := netip.ParseAddr(host); err == nil && a.Unmap().IsLoopback() {
		return c.Next()
	}
	return problemOf(http.StatusMisdirectedRequest, "Host: "+quoted(host)+" is not a name of this server; server.hosts adds one.")
}

// LoopbackOnly keeps what is served on loopback, such as a profiler, from pages that make their own name resolve to it.
func LoopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostname(r.Host)
		if a, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !a.Unmap().IsLoopback()) {
			http.Error(w, "Host: want localhost or a loopback address", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostname strips the port and IPv6's brackets, and folds case.
func hostname(hostport string) string {
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		hostport = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(hostport, "[]"), "."))
}

// allowedHosts are loopback's name, the name or address that the server was told to listen on, and the configured
// ones.
func allowedHosts(set Settings) map[string]bool {
	hosts := map[string]bool{"localhost": true}
	if h := hostname(set.Addr); h != "" && h != "0.0.0.0" && h != "::" {
		hosts[h] = true
	}
	for _, h := range set.Hosts {
		hosts[hostname(h)] = true
	}
	return hosts
}

// sameOrigin tells whether a request comes from a page of ours, from a page of an allowed origin, or from no page.
func (s *Server) sameOrigin(c *fiber.Ctx) bool {
	origin := c.Get(fiber.HeaderOrigin)
	if origin == "" || slices.Contains(s.set.Origins, strings.ToLower(origin)) {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	return withPort(u.Scheme, u.Host) == withPort(u.Scheme, string(c.Context().Host()))
}

// withPort adds the scheme's own port where none is given.
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

// allowOrigin lets pages of the configured origins read answers (CORS); streams over SSE need it.
func (s *Server) allowOrigin(c *fiber.Ctx) error {
	if len(s.set.Origins) > 0 {
		c.Vary(fiber.HeaderOrigin)
		if origin := c.Get(fiber.HeaderOrigin); slices.Contains(s.set.Origins, strings.ToLower(origin)) && origin != "" {
			c.Set(fiber.HeaderAccessControlAllowOrigin, origin)
			c.Set("Cross-Origin-Resource-Policy", "cross-origin")
			c.Set(fiber.HeaderAccessControlExposeHeaders, "Ticklane-Position, Retry-After")
			if c.Method() == fiber.MethodOptions { // a preflight: JSON needs one
				c.Set(fiber.HeaderAccessControlAllowMethods, "GET, HEAD, POST")
				c.Set(fiber.HeaderAccessControlAllowHeaders, "Content-Type, Last-Event-ID")
				c.Set(fiber.HeaderAccessControlMaxAge, "600")
				return c.SendStatus(http.StatusNoContent)
			}
		}
	}
	return c.Next()
}

// address is the client's: the peer, or behind trusted proxies the last address in X-Forwarded-For that isn't one of
// theirs. What stands before it there is the client's own claim.
func (s *Server) address(c *fiber.Ctx) string {
	peer := c.Context().RemoteIP().String()
	if !s.trusted(peer) {
		return peer
	}
	// Some proxies add a line of their own to the client's; together they are one list (RFC 9110 §5.2).
	lines := c.Request().Header.PeekAll(fiber.HeaderXForwardedFor)
	hops := strings.Split(string(bytes.Join(lines, []byte(","))), ",")
	for _, hop := range slices.Backward(hops) {
		hop = strings.TrimSpace(hop)
		a, err := netip.ParseAddr(hop)
		if err != nil {
			return peer
		}
		if !s.trusted(hop) {
			return a.Unmap().String()
		}
		peer = a.Unmap().String()
	}
	return peer
}

func (s *Server) trusted(address string) bool {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(s.proxies, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}

// prefixes reads addresses and ranges.
func prefixes(list []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, text := range list {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			a, err := netip.ParseAddr(text)
			if err != nil {
				return nil, err
			}
			p = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())
		}
		all = append(all, p)
	}
	return all, nil
}
