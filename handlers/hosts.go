package handlers

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// allowHost rejects requests whose Host isn't one of the server, so that a foreign page can't reach a loopback server
// through a name that resolves to it (DNS rebinding). Probes use addresses as Host and get no data. An admin address that demands
// credentials needs no such check: a page can't send them to another name.
func (a *access) allowHost(c *fiber.Ctx) error {
	if isProbe(c.Path()) {
		return c.Next()
	}
	host := hostname(string(c.Context().Host()))
	switch {
	case a.admin.demandsRight(c), host == "localhost", isLoopback(host):
		return c.Next()
	case a.admin.received(c):
		return problemOf(http.StatusMisdirectedRequest, "Host: want localhost or a loopback address.")
	case a.hosts[host]:
		return c.Next()
	}
	return problemOf(http.StatusMisdirectedRequest, "Host: "+quoted(host)+" is not a name of this server; add it to server.hosts.")
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
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
