package handlers

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/audit"
	"ticklane/internal/auth"
	"ticklane/internal/netconn"
)

// signIn serves the pages by which people sign in and out. It exists only on servers that require credentials.
type signIn struct {
	authentication *authentication
	oidc           *auth.OIDC // nil for none
	requests       *requestLimit
	callbacks      *netconn.RateLimiter // of client addresses
	pages          *pages
	audit          *audit.Log // nil for none
	base           basePath
	logger         *slog.Logger
}

// formPolicy allows the forms of the sign-in page.
var formPolicy = strings.Replace(policy, "form-action 'none'", "form-action 'self'", 1)

// page is GET /sign-in?next=. With signed-out=here the session that has just ended goes on at other servers.
func (h *signIn) page(c *fiber.Ctx) error {
	next := nextOf(c.Query("next"))
	if x := credentialOf(c); x.err == nil && x.kind == cookieCredential && c.Query("next") != "" {
		noStore(c)
		return c.Redirect(string(h.base)+next, http.StatusSeeOther)
	}
	v := h.view(c, next)
	if c.Query("signed-out") == "here" {
		v.Notice = v.T("signOut.notShared")
	}
	return h.pages.renderForm(c, "sign-in", http.StatusOK, &v)
}

func (h *signIn) view(c *fiber.Ctx, next string) view {
	v := h.pages.view(c, "page.title.signIn", "sign-in")
	v.Next, v.OIDC = next, h.oidc != nil
	return v
}

// failed answers with the sign-in page. problem is the key of a text.
func (h *signIn) failed(c *fiber.Ctx, status int, next, problem string) error {
	v := h.view(c, next)
	v.Problem = v.T(problem)
	return h.pages.renderForm(c, "sign-in", status, &v)
}

// post is POST /sign-in: the form of the page, with a token.
func (h *signIn) post(c *fiber.Ctx) error {
	form := c.Context().PostArgs()
	next, token := nextOf(string(form.Peek("next"))), strings.TrimSpace(string(form.Peek("token")))
	if !h.authentication.access.ownForm(c) {
		return h.authentication.access.foreignPage(c)
	}
	if token == "" {
		return h.failed(c, http.StatusUnauthorized, next, "signIn.missing")
	}
	p, err := h.authentication.tokens.Verify(token)
	if err == nil {
		return h.start(c, p, next, func() error {
			h.authentication.setRefresh(c, "") // of an earlier session
			return c.Redirect(string(h.base)+next, http.StatusSeeOther)
		})
	}
	h.refused(c, err)
	return h.failed(c, statusOfSignIn(err), next, textOfSignIn(err))
}

// start begins a session and answers.
func (h *signIn) start(c *fiber.Ctx, p *auth.Principal, next string, answer func() error) error {
	err := h.authentication.setSession(c, p)
	if err != nil {
		h.refused(c, err)
		return h.failed(c, statusOfSignIn(err), next, textOfSignIn(err))
	}
	event := requestEvent(c, audit.SignIn, h.authentication.access.clientAddress(c))
	event.Subject, event.Token = p.Subject, p.TokenID
	h.audit.Record(event)
	noStore(c)
	return answer()
}

// refused records a failed sign-in.
func (h *signIn) refused(c *fiber.Ctx, err error) {
	event := requestEvent(c, audit.SignIn, h.authentication.access.clientAddress(c))
	event.Decision, event.Reason = audit.Denied, err.Error()
	h.audit.Record(event)
}

// errPlainHTTP means that a cookie could be read by others.
var errPlainHTTP = errors.New("signing in from another machine needs HTTPS")

// setSession begins a session, or renews that of the principal.
func (a *authentication) setSession(c *fiber.Ctx, p *auth.Principal) error {
	value, expires, err := a.sessions.Issue(p)
	if err != nil {
		return err
	}
	return a.setSessionCookie(c, value, expires)
}

func (a *authentication) setSessionCookie(c *fiber.Ctx, value string, expires time.Time) error {
	if !a.access.setCookie(c, sessionName, value, time.Until(expires)+cookieOverlap, fiber.CookieSameSiteStrictMode) {
		return errPlainHTTP
	}
	return nil
}

func statusOfSignIn(err error) int {
	switch {
	case errors.Is(err, errPlainHTTP), errors.Is(err, auth.ErrTooLarge):
		return http.StatusForbidden
	case errors.Is(err, auth.ErrUnavailable):
		return http.StatusServiceUnavailable
	}
	return http.StatusUnauthorized
}

func textOfSignIn(err error) string {
	switch {
	case errors.Is(err, errPlainHTTP):
		return "signIn.plainHTTP"
	case errors.Is(err, auth.ErrTooLarge):
		return "signIn.tooLarge"
	case errors.Is(err, auth.ErrUnavailable):
		return "signIn.unavailable"
	case errors.Is(err, auth.ErrExpired):
		return "signIn.expired"
	case errors.Is(err, auth.ErrRevoked):
		return "signIn.revoked"
	}
	return "signIn.invalid"
}

// outPage is GET /sign-out.
func (h *signIn) outPage(c *fiber.Ctx) error {
	v := h.pages.view(c, "page.title.signOut", "sign-out")
	return h.pages.renderForm(c, "sign-out", http.StatusOK, &v)
}

// out is POST /sign-out: it ends the session of the cookie, in all tabs and on all streams.
func (h *signIn) out(c *fiber.Ctx) error {
	x, access := credentialOf(c), h.authentication.access
	if errors.Is(x.err, errForeignPage) || !access.ownForm(c) {
		return access.foreignPage(c)
	}
	local := false // the session goes on at other servers
	if x.kind == cookieCredential && (x.err == nil || x.expired()) {
		err := h.authentication.sessions.End(x.principal)
		if local = errors.Is(err, auth.ErrNotShared); local {
			h.logger.Warn("session ended on this server only", "err", err)
		} else if err != nil {
			return err
		}
		h.audit.Record(requestEvent(c, audit.SignOut, access.clientAddress(c)))
	}
	access.removeCookie(c, sessionName)
	access.removeCookie(c, refreshName)
	noStore(c)
	switch {
	case local && acceptsHTML(c):
		return c.Redirect(string(h.base)+"/sign-in?signed-out=here", http.StatusSeeOther)
	case local:
		return c.Status(http.StatusAccepted).JSON(fiber.Map{"detail": notShared})
	case acceptsHTML(c):
		return c.Redirect(string(h.base)+"/sign-in", http.StatusSeeOther)
	}
	return c.SendStatus(http.StatusNoContent)
}

// ownForm reports whether a form comes from a page of this server, or from a program.
func (a *access) ownForm(c *fiber.Ctx) bool {
	return a.ownPage(c, true) || c.Get(fiber.HeaderOrigin) == "" && c.Get("Sec-Fetch-Site") == ""
}

// nextOf returns a path of this server, with its query, to which a person returns after signing in: next, or / if that is anything
// else, such as the address of another site.
func nextOf(next string) string {
	u, err := url.Parse(next)
	if err != nil || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") || u.Host != "" || u.Scheme != "" ||
		strings.HasPrefix(u.Path, "/sign-") || strings.Contains(u.Path+"/", "/../") || // out of server.base_path
		strings.ContainsFunc(next, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "/"
	}
	return strings.Clone(next)
}
