package handlers_test

import (
	"context"
	"strings"
	"testing"

	"ticklane/handlers"
	"ticklane/internal/auth"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
)

// accessOperations are the ids of the operations that exist only on servers that require credentials, besides those of /sign-in and
// /sign-out.
var accessOperations = []string{"session", "renewSession", "ticket", "revoke", "profile"}

// newCompleteServer starts a server with every route. Its identity provider is away.
func newCompleteServer(t testing.TB) *testserver.Server {
	t.Helper()
	return newSessionServer(t, testserver.Options{Deps: func(d *handlers.Deps) { d.Lab = &handlers.Lab{} }}, withProvider("http://127.0.0.1:1")).Server
}

// checkAccess checks the endpoints of credentials.
func (d *apiChecker) checkAccess(all map[string]operation) {
	d.Helper()
	p := newProvider(d)
	srv := newProviderServer(d, p)
	_, cookie := srv.signIn(srv.token["reader"], "/")
	_, short := srv.signIn(srv.token["short"], "/")
	admin, own := withToken(srv.token["admin"]), srv.own()
	big := `{"jti":"x"` + strings.Repeat(" ", 5000) + "}"
	query, state := p.begin(srv, "/docs")
	testkit.Eventually(d, func() bool { // sessions end at whole seconds: one of the same second isn't renewed
		c, _ := srv.Post("/api/session/renew", "", cookie, own)
		return c.Status == 200
	}, "a session that can be renewed")
	for _, x := range []attempt{
		{id: "signInPage", path: "/sign-in?next=/docs", status: 200}, {id: "signInPage", path: "/sign-in?next=/docs", status: 303, extra: []string{cookie}},
		{id: "signIn", path: "/sign-in", status: 303, body: "token=" + srv.token["reader"], extra: []string{form, own}},
		{id: "signIn", path: "/sign-in", status: 401, body: "token=x", extra: []string{form, own}},
		{id: "signIn", path: "/sign-in", status: 403, body: "token=x", extra: []string{form, "Origin: null"}},
		{id: "signInOIDC", path: "/sign-in/oidc?next=/docs", status: 303},
		{id: "signInCallback", path: "/sign-in/callback?" + query, status: 401}, {id: "signInCallback", path: "/sign-in/callback?" + query, status: 200, extra: []string{state}},
		{id: "signInCallback", path: "/sign-in/callback?a=%", status: 400},
		{id: "session", path: "/api/session", status: 200, extra: []string{cookie}}, {id: "session", path: "/api/session", status: 401},
		{id: "renewSession", path: "/api/session/renew", status: 200, extra: []string{cookie, own}},
		{id: "renewSession", path: "/api/session/renew", status: 409, extra: []string{short, own}},
		{id: "renewSession", path: "/api/session/renew", status: 403, extra: []string{cookie}},
		{id: "ticket", path: "/api/ticket", status: 200, extra: []string{admin}}, {id: "ticket", path: "/api/ticket", status: 401},
		{id: "revoke", path: "/api/revocations", status: 204, body: `{"jti":"short","expires":"2100-01-31T12:00:00Z","reason":"lost"}`, extra: []string{admin}},
		{id: "revoke", path: "/api/revocations", status: 204, body: `{"subject":"x","before":"2026-01-31T12:00:00Z"}`, extra: []string{admin}},
		{id: "revoke", path: "/api/revocations", status: 400, body: `{"jti":1}`, extra: []string{admin}},
		{id: "revoke", path: "/api/revocations", status: 403, body: `{"jti":"x"}`, extra: []string{withToken(srv.token["reader"])}},
		{id: "revoke", path: "/api/revocations", status: 413, body: big, extra: []string{admin}},
		{id: "revoke", path: "/api/revocations", status: 415, body: `{"jti":"x"}`, extra: []string{admin, "Content-Type: text/plain"}},
		{id: "profile", path: "/debug/pprof/goroutine", status: 200, extra: []string{admin}}, {id: "profile", path: "/debug/pprof/none", status: 404, extra: []string{admin}},
		{id: "signOutPage", path: "/sign-out", status: 200}, {id: "signOut", path: "/sign-out", status: 403, extra: []string{cookie}},
		{id: "signOut", path: "/sign-out", status: 204, extra: []string{cookie, own}}, {id: "signOut", path: "/sign-out", status: 303, extra: []string{own, "Accept: text/html"}},
		{id: "symbols", path: "/api/symbols", status: 401, extra: []string{cookie}}, {id: "metrics", path: "/metrics", status: 403, extra: []string{withToken(srv.token["reader"])}},
	} {
		d.try(srv.Server, all, x)
	}
	away := newSessionServer(d, testserver.Options{}, withProvider("http://127.0.0.1:1"))
	d.try(away.Server, all, attempt{id: "signInOIDC", path: "/sign-in/oidc", status: 503})
	alone := newSessionServer(d, testserver.Options{Deps: func(d *handlers.Deps) {
		d.Revoked.Share(awayStore{})
		d.Tickets.Share(awayStore{})
	}}, nil)
	_, cookie = alone.signIn(alone.token["reader"], "/")
	for _, x := range []attempt{
		{id: "ticket", path: "/api/ticket", status: 503, extra: []string{cookie, alone.own()}},
		{id: "signOut", path: "/sign-out", status: 202, extra: []string{cookie, alone.own()}},
		{id: "revoke", path: "/api/revocations", status: 202, body: `{"jti":"short"}`, extra: []string{withToken(alone.token["admin"])}},
	} {
		d.try(alone.Server, all, x)
	}
	for range 100 { // the limit of a subject
		if _, _, err := srv.service.Tickets.Issue(&auth.Principal{Subject: "reader"}, ""); err != nil {
			d.Fatal(err)
		}
	}
	d.try(srv.Server, all, attempt{id: "ticket", path: "/api/ticket", status: 503, extra: []string{withToken(srv.token["reader"])}})
}

// awayStore is a store of all servers that can't be reached.
type awayStore struct{}

func (awayStore) Publish(auth.Revocation) error                { return auth.ErrStoreAway }
func (awayStore) Changed()                                     {}
func (awayStore) Put(context.Context, string, []byte) error    { return auth.ErrStoreAway }
func (awayStore) Take(context.Context, string) ([]byte, error) { return nil, auth.ErrStoreAway }
