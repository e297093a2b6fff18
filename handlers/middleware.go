package handlers

import (
	"fmt"
	"net/netip"
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
	cookies     string          // end of the names of cookies
	admin       *adminAddress   // nil for none
	proxies     []netip.Prefix  // trusted to report a client's address
	// unreadable is called with a trusted proxy whose X-Forwarded-For has no address where one is needed.
	unreadable func(proxy, entry string)
}

func newAccess(set Settings) (*access, error) {
	proxies, err := prefixes(set.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("server.trusted_proxies: %w", err)
	}
	return &access{hosts: allowedHosts(set), origins: normalOrigins(set.Origins), secure: set.TLS != nil, credentials: set.CORSCredentials,
		cookies: strings.ReplaceAll(set.BasePath, "/", "."), proxies: proxies}, nil
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
		if p.Addr().Is4In6() && p.Bits() >= 96 { // addresses are compared as IPv4
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		all = append(all, p)
	}
	return all, nil
}
