package handlers

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// allowHost rejects requests whose Host isn't one of the server, so that a foreign page can't reach a loopback server
// through a name that resolves to it (DNS rebinding). Probes use addresses as Host and get no data.
func (a *access) allowHost(c *fiber.Ctx) error {
	if isProbe(c.Path()) {
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
