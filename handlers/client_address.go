package handlers

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// addressKey is the key of Fiber's locals for the client address of a request.
type addressKey struct{}

// clientAddress returns the address of the peer or, if that is a trusted proxy, the last address in X-Forwarded-For that
// isn't one. Clients of the admin address come without a proxy. Earlier addresses in the header may be forged by the client.
func (a *access) clientAddress(c *fiber.Ctx) string {
	if known, ok := c.Locals(addressKey{}).(string); ok {
		return known
	}
	address := a.forwardedAddress(c)
	c.Locals(addressKey{}, address)
	return address
}

func (a *access) forwardedAddress(c *fiber.Ctx) string {
	peer, ok := netip.AddrFromSlice(c.Context().RemoteIP())
	peer = peer.Unmap()
	if !ok || !a.trusted(peer) || a.admin.received(c) {
		return c.Context().RemoteIP().String()
	}
	// Several lines with this name are one list (RFC 9110 §5.2).
	lines := c.Request().Header.PeekAll(fiber.HeaderXForwardedFor)
	for _, entry := range slices.Backward(strings.Split(string(bytes.Join(lines, []byte(","))), ",")) {
		addr, ok := parseHop(entry)
		if !ok {
			if !isProbe(c.Path()) { // a proxy's own probes have no header
				a.unreadable(peer.String(), entry)
			}
			break
		}
		peer = addr
		if !a.trusted(addr) {
			break
		}
	}
	return peer.String()
}

// parseHop parses an entry of X-Forwarded-For: an address, also in brackets, also with a port.
func parseHop(entry string) (addr netip.Addr, ok bool) {
	entry = strings.Trim(entry, " \t\"")
	addr, err := netip.ParseAddr(entry)
	if err != nil {
		if in, ok := strings.CutPrefix(entry, "["); ok && strings.HasSuffix(in, "]") {
			addr, err = netip.ParseAddr(in[:len(in)-1])
		}
	}
	if err != nil {
		var withPort netip.AddrPort
		withPort, err = netip.ParseAddrPort(entry)
		addr = withPort.Addr()
	}
	return addr.Unmap().WithZone(""), err == nil
}

// trusted reports whether an address is that of a trusted proxy.
func (a *access) trusted(addr netip.Addr) bool {
	return slices.ContainsFunc(a.proxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}
