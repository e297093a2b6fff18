package handlers

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/auth"
)

// providerWait bounds how long a request waits for the identity provider.
const providerWait = 10 * time.Second

// callbackRate is how many callbacks a client address may send per second; the burst is ten seconds' worth. Each can cause a request to
// the provider, which might limit this server, and so all its users, if one client sent many.
const callbackRate = 1

// redirect is GET /sign-in/oidc?next=: it sends a browser to the identity provider.
func (h *signIn) redirect(c *fiber.Ctx) error {
	next := nextOf(c.Query("next"))
	address, state, err := h.oidc.Start(next)
	// The provider's redirect comes from another site, and SameSite=Strict would keep the cookie from it.
	if err == nil && !h.authentication.access.setCookie(c, signInName, state, auth.SignInTime, fiber.CookieSameSiteLaxMode) {
		err = errPlainHTTP
	}
	if err != nil {
		h.refused(c, err)
		return h.failed(c, statusOfSignIn(err), next, textOfSignIn(err))
	}
	noStore(c)
	return c.Redirect(address, http.StatusSeeOther)
}

// callback is GET /sign-in/callback: the provider sends the browser back. The answer is a page that loads the next one, not a redirect: to
// the target of a redirect from another site the browser doesn't send the session's cookie.
func (h *signIn) callback(c *fiber.Ctx) error {
	query, err := url.ParseQuery(string(c.Context().URI().QueryString()))
	if err != nil {
		return problemOf(http.StatusBadRequest, "The query can't be parsed.")
	}
	access := h.authentication.access
	if wait := h.callbacks.Allow(access.clientAddress(c), time.Now()); wait > 0 {
		return h.requests.refuse(c, "Too many sign-ins from this client address", wait)
	}
	// Not of c.Context(), which fasthttp reuses, and which a goroutine of the context would still read.
	ctx, cancel := context.WithTimeout(context.Background(), providerWait)
	defer cancel()
	done, err := h.oidc.Finish(ctx, query, access.cookie(c, signInName))
	access.removeCookie(c, signInName)
	if err != nil {
		h.refused(c, err)
		text := textOfSignIn(err)
		if text == "signIn.invalid" {
			text = "signIn.refused"
		}
		return h.failed(c, statusOfSignIn(err), "/", text)
	}
	return h.start(c, done.Principal, done.Next, func() error {
		h.authentication.setRefresh(c, done.Refresh)
		return h.pages.renderForward(c, nextOf(done.Next))
	})
}

// setRefresh sets the cookie of the provider's refresh token.
func (a *authentication) setRefresh(c *fiber.Ctx, sealed string) {
	if sealed == "" {
		a.access.removeCookie(c, refreshName)
		return
	}
	a.access.setCookie(c, refreshName, sealed, maxRefresh, fiber.CookieSameSiteStrictMode)
}

// maxRefresh is how long a browser keeps a refresh token, which ends earlier by itself.
const maxRefresh = 30 * 24 * time.Hour

// refresh returns the principal of the session with the rights that its provider gives it now. ok is false if the session has no
// refresh token.
func (h *sessionAPI) refresh(c *fiber.Ctx, old *auth.Principal) (p *auth.Principal, ok bool, err error) {
	sealed := h.authentication.access.cookie(c, refreshName)
	if h.oidc == nil || sealed == "" {
		return nil, false, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), providerWait)
	defer cancel()
	p, sealed, err = h.oidc.Refresh(ctx, old, sealed)
	if err == nil {
		h.authentication.setRefresh(c, sealed)
	}
	return p, true, err
}
