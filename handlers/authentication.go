package handlers

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/auth"
)

// authentication finds out who a request acts for.
type authentication struct {
	tokens auth.Authenticator // nil if the server requires no credentials
	feed   string             // feed.ingest.token, also valid for its routes; "" for none
	access *access
}

// feedClient is the principal of feed.ingest.token.
var feedClient = &auth.Principal{Subject: "feed", Rights: mustRights(`[{"write":["*"]}]`)}

func mustRights(text string) auth.Rights {
	rights, err := auth.ParseRights([]byte(text))
	if err != nil {
		panic(err)
	}
	return rights
}

// authenticate is a middleware that sets the request's credential. It rejects none: that is up to the need of the route.
func (a *authentication) authenticate(c *fiber.Ctx) error {
	if a.tokens == nil || a.access.admin.open(c) {
		c.Locals(credentialKey{}, everyone)
		return c.Next()
	}
	x, err := a.find(c)
	if err != nil {
		return err
	}
	if x.principal == nil || x.err != nil && !x.expired() {
		x.principal = nobody
	}
	c.Locals(credentialKey{}, x)
	return c.Next()
}

// find returns the credential of a request. The first that the request contains decides, even if it isn't valid:
// Authorization, then the subprotocol of a WebSocket. The error is a problem.
func (a *authentication) find(c *fiber.Ctx) (*credential, error) {
	token, err := bearer(c)
	if err != nil {
		return nil, err
	}
	if p := c.Path(); token != "" && a.feed != "" && (p == ingestPath || p == ingestSocketPath) && sameToken(c.Get(fiber.HeaderAuthorization), a.feed) {
		return &credential{principal: feedClient, kind: bearerCredential}, nil
	}
	if token != "" {
		return a.verify(c, bearerCredential, token), nil
	}
	token, present, err := bearerSubprotocol(c)
	if err != nil {
		return nil, err
	}
	if present {
		return a.verify(c, subprotocolCredential, token), nil
	}
	return &credential{err: errNoCredentials}, nil
}

func (a *authentication) verify(c *fiber.Ctx, kind credentialKind, token string) *credential {
	p, err := a.tokens.Verify(c.Context(), token)
	return &credential{principal: p, kind: kind, err: err}
}

// bearer returns a copy of the token of the Authorization header (RFC 6750 §2.1), "" if there is none. Other schemes are ignored:
// a proxy may have asked for a password. The error is a problem.
func bearer(c *fiber.Ctx) (token string, err error) {
	all := c.Request().Header.PeekAll(fiber.HeaderAuthorization)
	for _, value := range all {
		scheme, rest, _ := strings.Cut(string(value), " ")
		if !strings.EqualFold(scheme, "bearer") {
			continue
		}
		if len(all) > 1 {
			return "", problemOf(http.StatusBadRequest, "Authorization: given several times; want it once.")
		}
		if token = strings.TrimSpace(rest); token == "" {
			return "", problemOf(http.StatusBadRequest, "Authorization: Bearer without a token.")
		}
	}
	return token, nil
}

// bearerProtocol is the prefix of a subprotocol that contains a token, in base64url without padding. The page of a browser
// can't set another header of a handshake. It is never chosen, so the client must list a real subprotocol too.
const bearerProtocol = "ticklane.bearer."

// bearerSubprotocol returns the token among the subprotocols of a handshake. The error is a problem.
func bearerSubprotocol(c *fiber.Ctx) (token string, present bool, err error) {
	for _, value := range values(&c.Request().Header, "Sec-WebSocket-Protocol") {
		for name := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
			encoded, ok := strings.CutPrefix(name, bearerProtocol)
			if !ok {
				continue
			}
			if present {
				return "", true, problemOf(http.StatusBadRequest, "Sec-WebSocket-Protocol: want one "+bearerProtocol+"… at most.")
			}
			raw, err := base64.RawURLEncoding.DecodeString(encoded)
			if err != nil || len(raw) == 0 {
				return "", true, problemOf(http.StatusBadRequest, "Sec-WebSocket-Protocol: want a token in base64url without padding after "+bearerProtocol+".")
			}
			token, present = string(raw), true
		}
	}
	return token, present, nil
}
