package handlers

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/helmet"
)

// policy is the Content-Security-Policy of every answer: no inline code, no eval, nothing from other origins.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; worker-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// headers sets the security headers of every answer except streams: they are about documents, and their half a kilobyte
// would count as the lanes' cost.
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

// access decides which hosts, origins and proxies a server accepts.
type access struct {
	hosts       map[string]bool // allowed names of the server
	origins     []string        // other origins whose pages are allowed, lower case, without default ports
	secure      bool            // the server has TLS
	credentials bool            // pages of origins may send them
	proxies     []netip.Prefix  // trusted to report a client's address
	// unreadable is called with a trusted proxy whose X-Forwarded-For has no address where one is needed.
	unreadable func(proxy, entry string)
}

func newAccess(set Settings) (*access, error) {
	proxies, err := prefixes(set.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("server.trusted_proxies: %w", err)
	}
	return &access{hosts: allowedHosts(set), origins: normalOrigins(set.Origins), secure: set.TLS != nil, credentials: set.CORSCredentials, proxies: proxies}, nil
}

// allowHost rejects requests whose Host isn't one of the server, so that a foreign page can't reach a loopback server
// through a name that resolves to it (DNS rebinding). Probes use addresses as Host and get no data.
func (a *access) allowHost(c *fiber.Ctx) error {
	if p := c.Path(); p == "/healthz" || p == "/readyz" {
		return c.Next()
	}
	host := hostname(string(c.Context().Host()))
	if a.hosts[host] || isLoopback(host) {
		return c.Next()
	}
	return problemOf(http.StatusMisdirectedRequest, "Host: "+quoted(host)+" is not a name of this server; add it to server.hosts.")
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// LoopbackOnly protects a handler on loopback, such as a profiler, from foreign pages that reach it through a name that
// resolves to loopback: it rejects every Host except localhost and loopback addresses.
func LoopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host := hostname(r.Host); host != "localhost" && !isLoopback(host) {
			http.Error(w, "Host: want localhost or a loopback address", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostname returns the host of host:port in lower case, without the brackets of IPv6 and a final dot.
func hostname(hostport string) string {
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		hostport = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(hostport, "[]"), "."))
}

// allowedHosts returns localhost, the host of server.addr, and server.hosts.
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

// prefixes parses addresses and ranges of addresses.
func prefixes(list []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, text := range list {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			addr, err := netip.ParseAddr(text)
			if err != nil {
				return nil, err
			}
			p = netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen())
		}
		all = append(all, p)
	}
	return all, nil
}
