package handlers

import (
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// subprotocolJSON is what a client may ask for by Sec-WebSocket-Protocol; without one it gets the same.
const subprotocolJSON = "ticklane.v1.json"

// handshake checks an opening handshake (RFC 6455 §4.2) and prepares the 101. The error is a problem.
func (s *Server) handshake(c *fiber.Ctx) error {
	if c.Method() != fiber.MethodGet || !hasToken(c.Get(fiber.HeaderConnection), "upgrade") || !hasToken(c.Get(fiber.HeaderUpgrade), "websocket") {
		c.Set(fiber.HeaderUpgrade, "websocket")
		return problemOf(http.StatusUpgradeRequired, "This address speaks WebSocket: open it with a WebSocket client, or use /sse/subscribe.")
	}
	if v := c.Get("Sec-WebSocket-Version"); v != "13" {
		c.Set("Sec-WebSocket-Version", "13")
		return problemOf(http.StatusUpgradeRequired, "Sec-WebSocket-Version: want 13.")
	}
	key := c.Get("Sec-WebSocket-Key")
	if raw, err := base64.StdEncoding.DecodeString(key); err != nil || len(raw) != 16 {
		return problemOf(http.StatusBadRequest, "Sec-WebSocket-Key: want 16 bytes in base64.")
	}
	if !s.sameOrigin(c) {
		return problemOf(http.StatusForbidden, "Origin: pages of this origin may not open streams here; server.origins allows them.")
	}
	if offer := c.Get("Sec-WebSocket-Protocol"); offer != "" {
		if !slices.Contains(strings.FieldsFunc(offer, func(r rune) bool { return r == ',' || r == ' ' }), subprotocolJSON) { // case matters here
			return problemOf(http.StatusBadRequest, "Sec-WebSocket-Protocol: want "+subprotocolJSON+", or none.")
		}
		c.Set("Sec-WebSocket-Protocol", subprotocolJSON)
	}
	c.Status(http.StatusSwitchingProtocols)
	c.Set(fiber.HeaderConnection, "Upgrade")
	c.Set(fiber.HeaderUpgrade, "websocket")
	c.Set("Sec-WebSocket-Accept", acceptKey(key))
	return nil
}

// acceptKey is RFC 6455 §4.2.2, step 5.4.
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// hasToken looks for a token in a comma list, as RFC 9110 §5.6.1 has them; case doesn't matter.
func hasToken(list, token string) bool {
	for part := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.TrimSpace(part), token) {
			return true
		}
	}
	return false
}
