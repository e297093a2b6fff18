package handlers

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/auth"
)

// authentication finds out who a request acts for.
type authentication struct {
	tokens   auth.Authenticator // nil if the server requires no credentials
	sessions *auth.Sessions     // nil for none
	tickets  *auth.Tickets      // nil for none
	revoked  *auth.Revocations  // nil for none
	feed     string             // feed.ingest.token, also valid for its routes; "" for none
	access   *access
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

// authenticate is a middleware that sets the request's credential. It rejects none: see guard.
func (a *authentication) authenticate(c *fiber.Ctx) error {
	if a.tokens == nil || a.access.admin.open(c) {
		c.Locals(credentialKey{}, unrestricted)
		return c.Next()
	}
	if p := c.Path(); isProbe(p) || strings.HasPrefix(p, "/assets/") || strings.HasPrefix(p, "/static/") {
		return c.Next() // their routes need no credentials
	}
	x, err := a.find(c)
	if err != nil {
		return err
	}
	if x.principal == nil || x.err != nil && !x.expired() {
		x.principal = anonymous
	}
	c.Locals(credentialKey{}, x)
	return c.Next()
}

// find returns the credential of a request. The first that the request contains decides, even if it isn't valid:
// Authorization, the subprotocol of a WebSocket, the ticket of a stream, the cookie of a session. The error is a problem.
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
	token, present, err := bearerSubprotocol(values(&c.Request().Header, "Sec-WebSocket-Protocol"))
	if err != nil {
		return nil, err
	}
	if present {
		return a.verify(c, subprotocolCredential, token), nil
	}
	if x := a.ticket(c); x != nil {
		return x, nil
	}
	if x := a.session(c); x != nil {
		return x, nil
	}
	return &credential{err: errNoCredentials}, nil
}

// ticketParameter is the parameter of a stream's query that contains a ticket.
const ticketParameter = "ticket"

// ticket redeems the ticket of a request for a stream. It returns nil if there is none.
func (a *authentication) ticket(c *fiber.Ctx) *credential {
	if p := c.Path(); a.tickets == nil || p != "/sse/subscribe" && p != "/ws/subscribe" || !c.Context().QueryArgs().Has(ticketParameter) {
		return nil
	}
	x := &credential{kind: ticketCredential}
	x.principal, x.err = a.tickets.Redeem(strings.Clone(c.Query(ticketParameter)), a.access.ticketOrigin(c))
	if x.err == nil && a.revoked != nil {
		x.err = a.revoked.Check(x.principal)
	}
	return x
}

// ticketOrigin returns the origin that a ticket is bound to: that of the page, "" for programs and pages of this server. A browser
// leaves out Origin in a page's GET to its own server.
func (a *access) ticketOrigin(c *fiber.Ctx) string {
	origin := strings.Clone(strings.ToLower(c.Get(fiber.HeaderOrigin))) // it is kept
	if origin == "" || !slices.Contains(a.origins, origin) && a.sameOrigin(c) {
		return ""
	}
	return origin
}

// session verifies the cookie of a request. It returns nil if there is none.
func (a *authentication) session(c *fiber.Ctx) *credential {
	if a.sessions == nil {
		return nil
	}
	value := a.access.cookie(c, sessionName)
	if value == "" {
		return nil
	}
	x := &credential{kind: cookieCredential}
	change := c.Method() != fiber.MethodGet && c.Method() != fiber.MethodHead || len(c.Request().Header.Peek(fiber.HeaderUpgrade)) > 0
	if !a.access.ownPage(c, change) {
		x.err = errForeignPage
		return x
	}
	x.principal, x.err = a.sessions.Verify(value)
	return x
}

func (a *authentication) verify(c *fiber.Ctx, kind credentialKind, token string) *credential {
	p, err := a.tokens.Verify(token)
	return &credential{principal: p, kind: kind, err: err}
}

// bearer returns a copy of the token of the Authorization header (RFC 6750 §2.1), "" if there is none. Other schemes are ignored:
// a proxy in front of the server may use them. The error is a problem.
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

// bearerSubprotocol returns the token among the subprotocols of a handshake, the values of Sec-WebSocket-Protocol. The error is a
// problem.
func bearerSubprotocol(lists []string) (token string, present bool, err error) {
	for _, value := range lists {
		for name := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
			encoded, ok := strings.CutPrefix(name, bearerProtocol)
			if !ok {
				continue
			}
			if present {
				return "", true, problemOf(http.StatusBadRequest, "Sec-WebSocket-Protocol: want one "+bearerProtocol+"… at most.")
			}
			raw, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
			if err != nil || len(raw) == 0 {
				return "", true, problemOf(http.StatusBadRequest, "Sec-WebSocket-Protocol: want a token in base64url without padding after "+bearerProtocol+".")
			}
			token, present = string(raw), true
		}
	}
	return token, present, nil
}
