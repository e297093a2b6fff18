package handlers_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ticklane/handlers"
	"ticklane/internal/audit"
	"ticklane/internal/auth"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/oidctest"
	"ticklane/internal/testkit/testserver"
)

// provider is an OpenID Connect provider, with the log of the server that uses it.
type provider struct {
	*oidctest.Provider
	log testkit.Log
}

func newProvider(t testing.TB) *provider {
	t.Helper()
	return &provider{Provider: oidctest.New(t)}
}

// newProviderServer starts a server with an identity provider, whose addresses it knows.
func newProviderServer(t testing.TB, p *provider, settings ...func(*handlers.Settings)) *sessionServer {
	t.Helper()
	o := testserver.Options{Logger: slog.New(slog.NewTextHandler(&p.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, set := range settings {
		o.Settings = set
	}
	srv := newSessionServer(t, o, func(o *auth.Options) {
		withProvider(p.URL)(o)
		o.OIDC.ClientSecret = filepath.Join(t.TempDir(), "client")
		if err := os.WriteFile(o.OIDC.ClientSecret, []byte(oidctest.ClientSecret), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	runService(t, srv.service)
	testkit.Eventually(t, func() bool { c, _ := srv.Get("/sign-in/oidc"); return c.Status == 303 }, "the provider's addresses")
	return srv
}

// withProvider configures an identity provider.
func withProvider(address string) func(*auth.Options) {
	return func(o *auth.Options) {
		o.OIDC = auth.OIDCOptions{Issuer: address, ClientID: oidctest.ClientID, RedirectURL: "http://127.0.0.1:1/sign-in/callback", Rights: `[{"read":["*"]}]`}
	}
}

// begin starts signing in, and returns the query by which the provider sends the browser back, and its cookie.
func (p *provider) begin(srv *sessionServer, next string) (query, cookie string) {
	srv.Helper()
	c, _ := srv.Get("/sign-in/oidc?next=" + url.QueryEscape(next))
	to, err := url.Parse(c.Header.Get("Location"))
	if err != nil || c.Status != 303 || !strings.HasPrefix(to.String(), p.URL+"/authorize?") {
		srv.Fatalf("status %d to %s", c.Status, to)
	}
	if set := c.Header.Get("Set-Cookie"); !strings.HasPrefix(set, "ticklane-sign-in=") || !strings.Contains(set, "SameSite=Lax") || !strings.Contains(set, "HttpOnly") {
		srv.Errorf("cookie %s", set)
	}
	p.Nonce.Store(to.Query().Get("nonce"))
	return "code=code-secret&state=" + url.QueryEscape(to.Query().Get("state")), cookieOf(c)
}

// cookies returns the cookies that an answer sets, by name.
func cookies(c *testserver.Client) map[string]*http.Cookie {
	all := map[string]*http.Cookie{}
	for _, x := range (&http.Response{Header: http.Header(c.Header)}).Cookies() {
		all[x.Name] = x
	}
	return all
}

func TestSignInByAProvider(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	srv := newProviderServer(t, p)
	if _, body := srv.Get("/sign-in?next=/docs?x=1", "Accept: text/html"); !strings.Contains(body, `href="/sign-in/oidc?next=%2fdocs%3fx%3d1"`) {
		t.Errorf("the page has no link to the provider: %s", body)
	}
	query, cookie := p.begin(srv, "/docs?x=1")
	// A redirect from another site: the browser wouldn't send the cookie of a session that was set here to the target of a redirect.
	c, body := srv.Get("/sign-in/callback?"+query, cookie, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Accept: text/html")
	set := cookies(c)
	if c.Status != 200 || !strings.Contains(body, `content="0;url=/docs?x=1"`) || c.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Fatalf("status %d, %v: %s", c.Status, c.Header, body)
	}
	if s := set["ticklane"]; s == nil || s.SameSite != http.SameSiteStrictMode || !s.HttpOnly {
		t.Errorf("session %v", s)
	}
	if s := set["ticklane-refresh"]; s == nil || s.SameSite != http.SameSiteStrictMode || !s.HttpOnly || strings.Contains(s.Value, p.Refresh) {
		t.Errorf("refresh token %v", s)
	}
	if s := set["ticklane-sign-in"]; s == nil || s.Value != "" {
		t.Errorf("state %v", s)
	}
	srv.audit.wait(audit.SignIn, map[string]any{"subject": "ann", "decision": "allowed", "route": "GET /sign-in/callback"})
	session := "Cookie: ticklane=" + set["ticklane"].Value
	if c, _ := srv.Get("/api/symbols", session); c.Status != 200 {
		t.Errorf("status %d with the session", c.Status)
	}
	both := session + "; ticklane-refresh=" + set["ticklane-refresh"].Value
	testkit.Eventually(t, func() bool { // ID tokens expire at whole seconds
		c, body = srv.Post("/api/session/renew", "", both, srv.own())
		return c.Status == 200
	}, "renewal")
	if cookies(c)["ticklane"] == nil || cookies(c)["ticklane-refresh"] == nil {
		t.Errorf("renewal: %v: %s", c.Header, body)
	}
	// Signing in with a token ends the provider's part: a refresh token is of its session only.
	if c, other := srv.signIn(srv.token["reader"], "/", "Cookie: ticklane-refresh="+set["ticklane-refresh"].Value); cookies(c)["ticklane-refresh"] == nil || cookies(c)["ticklane-refresh"].Value != "" {
		t.Errorf("the refresh token stays: %v", c.Header)
	} else if c, _ := srv.Post("/api/session/renew", "", other+"; ticklane-refresh="+set["ticklane-refresh"].Value, srv.own()); c.Status != 401 {
		t.Errorf("renewal with the refresh token of another session: status %d", c.Status)
	}
	p.Refused.Store(true)
	c, body = srv.Post("/api/session/renew", "", both, srv.own())
	if c.Status != 401 || cookies(c)["ticklane"] != nil {
		t.Errorf("renewal after the provider ended it: status %d: %s", c.Status, body)
	}
	if err := srv.Stop(testserver.Timeout); err != nil {
		t.Error(err)
	}
	srv.audit.log.Close()
	record, err := os.ReadFile(srv.audit.file)
	if err != nil || !strings.Contains(p.log.String(), "/sign-in/callback") {
		t.Fatalf("%v, log %.500s", err, p.log.String())
	}
	for _, secret := range []string{"code-secret", "access-secret", oidctest.ClientSecret, p.Refresh, set["ticklane"].Value, set["ticklane-refresh"].Value, strings.TrimPrefix(cookie, "Cookie: ticklane-sign-in=")} {
		if all := p.log.String() + string(record); strings.Contains(all, secret) || strings.Contains(body, secret) {
			t.Errorf("%s is in the log, the audit log or an answer", secret)
		}
	}
}

func TestSignInByAProviderRefused(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	srv := newProviderServer(t, p)
	query, cookie := p.begin(srv, "//evil.example")
	for name, c := range map[string]struct{ query, cookie string }{
		"another browser": {query, "X: y"}, "another state": {"code=x&state=y", cookie}, "an error": {"error=access_denied&" + query, cookie},
	} {
		got, body := srv.Get("/sign-in/callback?"+c.query, c.cookie, "Accept: text/html")
		if got.Status != 401 || cookies(got)["ticklane"] != nil || !strings.Contains(body, `role="alert"`) || strings.Contains(body, "code-secret") {
			t.Errorf("%s: status %d, %v: %s", name, got.Status, got.Header, body)
		}
	}
	if c, body := srv.Get("/sign-in/callback?"+query, cookie); c.Status != 200 || strings.Contains(body, "evil") {
		t.Errorf("next of another site: status %d: %s", c.Status, body)
	}
	srv.audit.wait(audit.SignIn, map[string]any{"decision": "denied", "route": "GET /sign-in/callback"})
}

// TestCallbacksAreLimited: a client without credentials must not make the provider refuse the sign-ins of others.
func TestCallbacksAreLimited(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	srv := newProviderServer(t, p, func(s *handlers.Settings) { s.TrustedProxies = []string{"127.0.0.1"} })
	query, cookie := p.begin(srv, "/")
	p.Refused.Store(true)
	last := 0
	for range 40 {
		c, body := srv.Get("/sign-in/callback?"+query, cookie, "X-Forwarded-For: 203.0.113.1")
		if last = c.Status; last == 429 {
			if p := wantProblem(t, c, body, 429); !strings.Contains(p.Detail, "sign-ins") || c.Header.Get("Retry-After") == "" || len(cookies(c)) > 0 {
				t.Errorf("%v: %s", c.Header, body)
			}
			break
		}
	}
	if last != 429 {
		t.Errorf("status %d", last)
	}
	p.Refused.Store(false)
	if c, body := srv.Get("/sign-in/callback?"+query, cookie, "X-Forwarded-For: 203.0.113.2"); c.Status != 200 {
		t.Errorf("another client: status %d: %s", c.Status, body)
	}
}
