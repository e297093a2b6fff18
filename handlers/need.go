package handlers

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/audit"
	"ticklane/internal/auth"
)

// need is what a route demands of the principal of a request. Each route is registered with one: see routes.go. On a server that
// requires no credentials, every principal has every right.
type need struct {
	kind   needKind
	action auth.Action // of needAction
	page   bool        // a browser without credentials is sent to the sign-in page
	admin  bool        // it is administrative whatever its kind
}

type needKind int

const (
	needNothing needKind = iota // no credentials
	needProbe                   // the same, on every address of the server: probes, and the files of pages
	needReader                  // a verified principal. The handler checks its rights to read topics.
	needStream                  // the same, or an expired one, which the handler answers in a way that clients reconnect after
	needSocket                  // the same, or none: the client may send its token as the first message
	needFeeder                  // the right to ingest. The handler checks symbols.
	needAction                  // the right to an action
)

var (
	anyone    = need{kind: needNothing}
	probe     = need{kind: needProbe}
	files     = need{kind: needProbe}
	reader    = need{kind: needReader}
	page      = need{kind: needReader, page: true}
	streaming = need{kind: needStream}
	socket    = need{kind: needSocket}
	listing   = need{kind: needReader, admin: true} // of streams: a client without the right to all gets its own
	feeder    = need{kind: needFeeder}
)

// may returns the need of a route whose clients have the right to an action.
func may(action auth.Action) need { return need{kind: needAction, action: action} }

// pageOf is may for a page.
func pageOf(action auth.Action) need { return need{kind: needAction, action: action, page: true} }

// administrative reports whether the route is served only on server.admin_addr, if there is one.
func (n need) administrative() bool {
	return n.admin || n.kind == needAction && n.action != auth.Reports
}

// guard enforces the needs of routes.
type guard struct {
	access  *access
	streams *streams
	pages   *pages
	audit   *audit.Log // nil for none
	base    basePath
}

// require returns the handler that comes before the one of a route.
func (g *guard) require(n need) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if !g.access.admin.serves(c, n) {
			return fiber.ErrNotFound
		}
		x := credentialOf(c)
		if g.access.admin.open(c) && !g.access.ownPage(c, false) {
			return g.access.foreignPage(c) // it needs no credentials, but a page that a browser shows isn't a client on this machine
		}
		if n.accepts(x) {
			return g.authorize(c, n, x)
		}
		switch {
		case errors.Is(x.err, errForeignPage):
			return g.access.foreignPage(c)
		case errors.Is(x.err, auth.ErrUnavailable):
			return g.streams.refuseRequest(c, http.StatusServiceUnavailable, "The identity provider was not reached yet", time.Second)
		case errors.Is(x.err, auth.ErrStoreAway):
			return g.streams.refuseRequest(c, http.StatusServiceUnavailable, "Tickets aren't available: the store that the servers share can't be reached", 2*time.Second)
		case n.page && acceptsPage(c):
			return g.redirectToSignIn(c, x)
		}
		return unauthenticated(c, x.err)
	}
}

// accepts reports whether a credential suffices, whatever rights its principal has.
func (n need) accepts(x *credential) bool {
	switch n.kind {
	case needNothing, needProbe:
		return true
	case needStream:
		return x.err == nil || x.expired()
	case needSocket:
		return x.err == nil || x.expired() || errors.Is(x.err, errNoCredentials)
	}
	return x.err == nil
}

// authorize calls the handler of a route if the principal has the right.
func (g *guard) authorize(c *fiber.Ctx, n need, x *credential) error {
	rights := &x.principal.Rights
	switch {
	case n.administrative() && g.access.admin.demandsRight(c) && !rights.May(auth.Admin):
		return forbidden(c, codeForbidden, "server.admin_addr: clients from other machines need the right admin.")
	case n.kind == needAction && !rights.May(n.action):
		return forbidden(c, codeForbidden, "This needs the right "+quoted(string(n.action))+", which your token doesn't have.")
	case n.kind == needFeeder && !rights.WritesAny():
		return forbidden(c, codeForbidden, "This needs the right to ingest (write).")
	}
	if err := c.Next(); err != nil {
		return err
	}
	if n.kind == needAction && c.Method() == fiber.MethodPost {
		event := requestEvent(c, audit.Action, g.access.clientAddress(c))
		event.More, _ = c.Locals(auditKey{}).([]slog.Attr)
		g.audit.Record(event)
	}
	return nil
}

// redirectToSignIn sends a browser to the sign-in page, from which it returns. After a link on another site the browser leaves out the
// cookie (SameSite=Strict), so it is first sent to the same address by a page of this server.
func (g *guard) redirectToSignIn(c *fiber.Ctx, x *credential) error {
	next := c.Path()
	if query := withoutCredentials(string(c.Context().URI().QueryString())); query != "" {
		next += "?" + query
	}
	noStore(c)
	if site := c.Get("Sec-Fetch-Site"); x.kind == noCredential && (site == "cross-site" || site == "same-site") {
		return g.pages.renderForward(c, next)
	}
	return c.Redirect(string(g.base)+"/sign-in?next="+url.QueryEscape(next), http.StatusSeeOther)
}

// withoutCredentials removes the parameters of a query that may contain a token by mistake.
func withoutCredentials(query string) string {
	kept := slices.DeleteFunc(strings.Split(query, "&"), func(parameter string) bool {
		name, value, _ := strings.Cut(parameter, "=")
		return slices.Contains([]string{"token", "access_token", "id_token", ticketParameter}, strings.ToLower(name)) ||
			strings.HasPrefix(value, auth.TokenPrefix) || strings.HasPrefix(value, auth.TicketPrefix) || strings.HasPrefix(value, "eyJ") // a JWT
	})
	return strings.Join(kept, "&")
}

// Values of the member code of problems about credentials.
const (
	codeNoCredentials = "no_credentials"
	codeInvalidToken  = "invalid_token"
	codeExpiredToken  = "expired_token"
	codeRevokedToken  = "revoked_token"
	codeForbidden     = "forbidden"
	codeForeignPage   = "foreign_page"
)

// unauthenticated returns the problem of a request without valid credentials, and sets the header that goes with it (RFC 6750
// §3). reason is that of the credential.
func unauthenticated(c *fiber.Ctx, reason error) *problem {
	p := problemOf(http.StatusUnauthorized, "This server requires credentials: send a token with Authorization: Bearer, or sign in with a browser.")
	p.Code, p.reason = codeNoCredentials, reason
	switch {
	case errors.Is(reason, errNoCredentials):
		c.Set(fiber.HeaderWWWAuthenticate, challenge)
		return p
	case errors.Is(reason, auth.ErrExpired):
		p.Code, p.Detail = codeExpiredToken, auth.ErrExpired.Error()
	case errors.Is(reason, auth.ErrRevoked):
		p.Code, p.Detail = codeRevokedToken, auth.ErrRevoked.Error()
	case errors.Is(reason, auth.ErrTicket):
		p.Code, p.Detail = codeInvalidToken, auth.ErrTicket.Error()
	default:
		p.Code, p.Detail = codeInvalidToken, auth.ErrInvalid.Error()
	}
	c.Set(fiber.HeaderWWWAuthenticate, challenge+`, error="invalid_token", error_description="`+p.Detail+`"`)
	p.Detail = strings.ToUpper(p.Detail[:1]) + p.Detail[1:] + "."
	return p
}

// forbidden returns the problem of a request whose principal lacks a right, and sets the header that goes with it.
func forbidden(c *fiber.Ctx, code, detail string) *problem {
	c.Set(fiber.HeaderWWWAuthenticate, challenge+`, error="insufficient_scope"`)
	p := problemOf(http.StatusForbidden, detail)
	p.Code = code
	return p
}

const challenge = `Bearer realm="ticklane"`
