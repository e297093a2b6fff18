package websocket

import (
	"crypto/sha1"
	"encoding/base64"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// IsUpgrade reports whether the values of a request's Connection and Upgrade headers request WebSocket (RFC 6455 §4.2.1).
func IsUpgrade(connection, upgrade []string) bool {
	return httpguts.HeaderValuesContainsToken(connection, "upgrade") && httpguts.HeaderValuesContainsToken(upgrade, "websocket")
}

// IsVersion13 reports whether the values of Sec-WebSocket-Version are the one version of RFC 6455.
func IsVersion13(values []string) bool { return slices.Equal(values, []string{"13"}) }

// acceptGUID is a constant of RFC 6455 §1.3.
const acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// AcceptKey returns the value of Sec-WebSocket-Accept for the values of Sec-WebSocket-Key (RFC 6455 §4.2.2). ok is false
// unless there is exactly one, of 16 bytes in base64.
func AcceptKey(values []string) (accept string, ok bool) {
	if len(values) != 1 {
		return "", false
	}
	if raw, err := base64.StdEncoding.DecodeString(values[0]); err != nil || len(raw) != 16 {
		return "", false
	}
	sum := sha1.Sum([]byte(values[0] + acceptGUID))
	return base64.StdEncoding.EncodeToString(sum[:]), true
}

// Subprotocol returns the first of the client's subprotocols that is supported: a client lists them in order of preference
// (RFC 6455 §4.1), in one or several values of Sec-WebSocket-Protocol. Case matters. It returns "" if the client lists
// none; ok is false if it lists only others.
func Subprotocol(values []string, supported ...string) (chosen string, ok bool) {
	ok = true
	for _, value := range values {
		ok = ok && value == ""
		for _, p := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
			if slices.Contains(supported, p) {
				return p, true
			}
		}
	}
	return "", ok
}
