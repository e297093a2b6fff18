package handlers

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/auth"
	"ticklane/internal/quote"
)

// sessionAPI serves the endpoints of credentials. It exists only on servers that require them.
type sessionAPI struct {
	authentication *authentication
	oidc           *auth.OIDC // nil for none
	bodies         *jsonBodies
	logger         *slog.Logger
}

// session is GET /api/session: who the request acts for.
func (h *sessionAPI) session(c *fiber.Ctx) error {
	x := credentialOf(c)
	noStore(c)
	answer := newSessionAnswer(x.principal.Subject, x.principal.Expires)
	answer.Token, answer.Kind, answer.May = x.principal.TokenID, x.kind, x.principal.Rights.Actions()
	return c.JSON(answer)
}

// sessionAnswer is the answer of GET /api/session and POST /api/session/renew.
type sessionAnswer struct {
	Subject string         `json:"subject"`
	Token   string         `json:"token,omitempty"`
	Kind    credentialKind `json:"kind,omitempty"`
	May     []auth.Action  `json:"may,omitempty"`
	Expires int64          `json:"expires,omitempty"` // µs since 1970
}

func newSessionAnswer(subject string, expires time.Time) sessionAnswer {
	return sessionAnswer{Subject: subject, Expires: quote.Micros(expires)}
}

// renew is POST /api/session/renew: the session of the cookie lasts auth.session_time from now, or as long as its provider says.
func (h *sessionAPI) renew(c *fiber.Ctx) error {
	x := credentialOf(c)
	if x.kind != cookieCredential {
		return notRenewable(c, "This request has no session: its token is renewed where it was issued.")
	}
	value, expires, err := h.renewed(c, x.principal)
	switch {
	case errors.Is(err, auth.ErrUnavailable):
		c.Set(fiber.HeaderRetryAfter, "1")
		return problemOf(http.StatusServiceUnavailable, "The identity provider can't be reached.")
	case err != nil:
		return unauthenticated(c, err)
	case !expires.After(x.principal.Expires):
		return notRenewable(c, "The session ends with the token that it was started with. Sign in again.")
	}
	if err := h.authentication.setSessionCookie(c, value, expires); err != nil {
		return problemOf(http.StatusForbidden, "A session from another machine needs HTTPS.")
	}
	noStore(c)
	return c.JSON(newSessionAnswer(x.principal.Subject, expires))
}

func (h *sessionAPI) renewed(c *fiber.Ctx, old *auth.Principal) (value string, expires time.Time, err error) {
	p, ok, err := h.refresh(c, old)
	if err != nil {
		return "", time.Time{}, err
	}
	if ok {
		return h.authentication.sessions.Issue(p)
	}
	if x := credentialOf(c); x.err != nil { // it has expired
		return "", time.Time{}, x.err
	}
	return h.authentication.sessions.Renew(old)
}

// notRenewable is the problem of a session that can't be renewed.
func notRenewable(c *fiber.Ctx, detail string) *problem {
	p := problemOf(http.StatusConflict, detail)
	p.Code = "not_renewable"
	return p
}

// ticket is POST /api/ticket: a credential for one stream, which may be part of its URL.
func (h *sessionAPI) ticket(c *fiber.Ctx) error {
	text, expires, err := h.authentication.tickets.Issue(principalOf(c), h.authentication.access.ticketOrigin(c))
	if errors.Is(err, auth.ErrBusy) {
		c.Set(fiber.HeaderRetryAfter, "30")
		return problemOf(http.StatusServiceUnavailable, "Too many tickets are unused. They expire within 30 s.")
	}
	if errors.Is(err, auth.ErrStoreAway) {
		c.Set(fiber.HeaderRetryAfter, "2")
		return problemOf(http.StatusServiceUnavailable, "Tickets aren't available: the store that the servers share can't be reached.")
	}
	if err != nil {
		return err
	}
	noStore(c)
	return c.JSON(fiber.Map{"ticket": text, "expires": expires.UnixMicro()})
}

// notShared is the answer to a revocation that the other servers don't have yet.
const notShared = "Revoked on this server. The others can't be reached: they get it when this server is connected again."

// revoke is POST /api/revocations.
func (h *sessionAPI) revoke(c *fiber.Ctx) error {
	body, err := h.bodies.read(c)
	if err != nil {
		return err
	}
	r, err := auth.ParseRevocation(body)
	if err != nil {
		return problemOf(http.StatusBadRequest, "body: "+err.Error())
	}
	err = h.authentication.revoked.Add(r)
	local := errors.Is(err, auth.ErrNotShared)
	if err != nil && !local {
		return err
	}
	var revoked []slog.Attr
	for _, a := range []slog.Attr{slog.String("revoked_token", r.TokenID), slog.String("revoked_subject", r.Subject), slog.String("revoked_session", r.Session)} {
		if a.Value.String() != "" {
			revoked = append(revoked, a)
		}
	}
	if local {
		revoked = append(revoked, slog.Bool("other_servers", false))
	}
	c.Locals(auditKey{}, revoked)
	noStore(c)
	if local {
		h.logger.Warn("revocation in force on this server only", "err", err)
		return c.Status(http.StatusAccepted).JSON(fiber.Map{"detail": notShared})
	}
	return c.SendStatus(http.StatusNoContent)
}
