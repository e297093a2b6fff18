package handlers

import (
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/wire"
)

// The subprotocols that a client may ask for by Sec-WebSocket-Protocol; without one it gets JSON.
const (
	subprotocolJSON  = "ticklane.v1.json"
	subprotocolProto = "ticklane.v1.protobuf"
)

// handshake checks an opening handshake (RFC 6455 §4.2), prepares the 101 and returns the format of the stream. The error
// is a problem.
func (s *Server) handshake(c *fiber.Ctx) (wire.Format, error) {
	head := &c.Request().Header
	if c.Method() != fiber.MethodGet || !hasToken(listed(head, fiber.HeaderConnection), "upgrade") || !hasToken(listed(head, fiber.HeaderUpgrade), "websocket") {
		c.Set(fiber.HeaderUpgrade, "websocket")
		c.Set(fiber.HeaderConnection, "Upgrade") // wherever Upgrade stands (RFC 9110 §7.8)
		return 0, problemOf(http.StatusUpgradeRequired, "This address speaks WebSocket: open it with a WebSocket client, or use /sse/subscribe.")
	}
	// Neither may be there twice (RFC 6455 §11.3); together, the two are no version and no key.
	if v := listed(head, "Sec-WebSocket-Version"); v != "13" {
		c.Set("Sec-WebSocket-Version", "13")
		return 0, problemOf(http.StatusUpgradeRequired, "Sec-WebSocket-Version: want 13.")
	}
	key := listed(head, "Sec-WebSocket-Key")
	if raw, err := base64.StdEncoding.DecodeString(key); err != nil || len(raw) != 16 {
		return 0, problemOf(http.StatusBadRequest, "Sec-WebSocket-Key: want 16 bytes in base64.")
	}
	if !s.sameOrigin(c) {
		return 0, problemOf(http.StatusForbidden, "Origin: pages of this origin may not open streams here; server.origins allows them.")
	}
	format, chosen, ok := subprotocol(c)
	if !ok {
		return 0, problemOf(http.StatusBadRequest, "Sec-WebSocket-Protocol: want "+subprotocolJSON+", "+subprotocolProto+", or none.")
	}
	if chosen != "" {
		c.Set("Sec-WebSocket-Protocol", chosen)
	}
	c.Status(http.StatusSwitchingProtocols)
	c.Set(fiber.HeaderConnection, "Upgrade")
	c.Set(fiber.HeaderUpgrade, "websocket")
	c.Set("Sec-WebSocket-Accept", acceptKey(key))
	return format, nil
}

// subprotocol chooses the client's first that we know: its order is that of its preference (RFC 6455 §4.1). ok is false
// when there are offers and none of them is ours.
func subprotocol(c *fiber.Ctx) (format wire.Format, chosen string, ok bool) {
	none := true
	for _, line := range c.Request().Header.PeekAll("Sec-WebSocket-Protocol") {
		none = none && len(line) == 0
		for _, offer := range strings.FieldsFunc(string(line), func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
			switch offer { // case matters here
			case subprotocolJSON:
				return wire.WSJSON, offer, true
			case subprotocolProto:
				return wire.WSProto, offer, true
			}
		}
	}
	return wire.WSJSON, "", none
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
