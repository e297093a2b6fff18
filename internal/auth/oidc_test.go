package auth

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ticklane/internal/testkit"
)

const clientSecret = "client-secret-of-the-test"

// testProvider is an OpenID Connect provider. It checks PKCE and the client's secret.
type testProvider struct {
	*httptest.Server
	key crypto.Signer

	mu        sync.Mutex
	broken    map[string]http.HandlerFunc       // answers instead of the handlers of these paths
	forge     func(claims jwt.MapClaims) string // makes the ID token; nil for a good one
	down      bool
	announces bool                  // authorization_response_iss_parameter_supported (RFC 9207)
	codes     map[string]url.Values // of the authorization request
	refresh   string                // the valid refresh token; "" if none is given
	claims    map[string]any        // added to the ID token
	challenge string                // that the last token request has proved
}

func newTestProvider(t *testing.T) *testProvider {
	p := &testProvider{key: testKeys()["RSA"], codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.down {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/auth", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"}, "authorization_response_iss_parameter_supported": p.announces})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(jwks(t, map[string]crypto.Signer{"k": p.key})))
	})
	mux.HandleFunc("/token", p.token)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		broken := p.broken[r.URL.Path]
		p.mu.Unlock()
		if broken != nil {
			broken(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

// authorize is what a person does at the provider: it returns the query of the way back.
func (p *testProvider) authorize(t *testing.T, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if u.Path != "/auth" || q.Get("response_type") != "code" || q.Get("client_id") != "ticklane-test" || q.Get("redirect_uri") != "https://quotes.example/sign-in/callback" ||
		q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" || q.Get("nonce") == "" || q.Get("state") == "" || q.Get("scope") != "openid offline_access" {
		t.Fatalf("authorization request %s", address)
	}
	code := random()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.codes[code] = q
	return url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {p.URL}}
}

func (p *testProvider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	refuse := func(code string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": "echo " + r.FormValue("code") + clientSecret})
	}
	if _, secret, _ := r.BasicAuth(); secret != clientSecret && r.FormValue("client_secret") != clientSecret {
		refuse("invalid_client")
		return
	}
	nonce := ""
	switch r.FormValue("grant_type") {
	case "authorization_code":
		asked, ok := p.codes[r.FormValue("code")]
		delete(p.codes, r.FormValue("code"))
		proof := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		if !ok || base64.RawURLEncoding.EncodeToString(proof[:]) != asked.Get("code_challenge") {
			refuse("invalid_grant")
			return
		}
		nonce, p.challenge = asked.Get("nonce"), asked.Get("code_challenge")
	case "refresh_token":
		if p.refresh == "" || r.FormValue("refresh_token") != p.refresh {
			refuse("invalid_grant")
			return
		}
		p.refresh = random() // rotates
	}
	claims := jwt.MapClaims{"iss": p.URL, "aud": "ticklane-test", "sub": "ann", "iat": time.Now().Unix(), "exp": time.Now().Add(5 * time.Minute).Unix(), "nonce": nonce}
	maps.Copy(claims, p.claims)
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = "k"
	id, err := token.SignedString(p.key)
	if err != nil {
		panic(err)
	}
	if p.forge != nil {
		id = p.forge(claims)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 300, "id_token": id, "refresh_token": p.refresh})
}

func (p *testProvider) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// oidcService returns a running service with the provider. set changes its options.
func oidcService(t *testing.T, p *testProvider, rights string, set ...func(*Options)) *Service {
	t.Helper()
	token, _ := NewToken("a", readAll, time.Time{})
	file := t.TempDir() + "/tokens.yaml"
	if err := WriteTokens(file, []Token{token}); err != nil {
		t.Fatal(err)
	}
	client := p.Client()
	o := Options{Mode: ModeToken, TokenFile: file, Client: client, SessionTime: time.Hour, OIDC: OIDCOptions{
		Issuer: p.URL, ClientID: "ticklane-test", ClientSecret: write(t, "client-secret", clientSecret+"\n"), Scopes: []string{"offline_access"}, Rights: rights,
		RedirectURL: "https://quotes.example/sign-in/callback",
	}}
	for _, change := range set {
		change(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	stop := running(t, s)
	t.Cleanup(func() { stop(); client.CloseIdleConnections() })
	return s
}

// started waits for discovery.
func started(t *testing.T, s *Service, next string) (address, cookie string) {
	t.Helper()
	var err error
	testkit.Eventually(t, func() bool { address, cookie, err = s.OIDC.Start(next); return err == nil }, "discovery")
	return address, cookie
}

func TestOIDCSignIn(t *testing.T) {
	p := newTestProvider(t)
	p.claims = map[string]any{"ticklane": []any{map[string]any{"read": []string{"AAPL"}}}}
	s := oidcService(t, p, "")
	address, cookie := started(t, s, "/compare?x=1")
	query := p.authorize(t, address)
	in, err := s.OIDC.Finish(t.Context(), query, cookie)
	if err != nil {
		t.Fatal(err)
	}
	if u := in.Principal; u.Subject != "ann" || !u.Rights.CanRead("AAPL", "") || u.Rights.ReadsAll() || !u.Expires.IsZero() || in.Refresh != "" || in.Next != "/compare?x=1" {
		t.Errorf("%+v, %+v", in, in.Principal)
	}
	session, expires, err := s.Sessions.Issue(in.Principal)
	if err != nil || time.Until(expires) < 59*time.Minute {
		t.Fatalf("%v, %v", expires, err)
	}
	if got, err := s.Sessions.Verify(session); err != nil || got.Subject != "ann" || got.Session != in.Principal.Session {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := s.OIDC.Finish(t.Context(), query, cookie); !errors.Is(err, ErrInvalid) || strings.Contains(err.Error(), clientSecret) || strings.Contains(err.Error(), query.Get("code")) {
		t.Errorf("the same code again: %v", err)
	}
}

// TestOIDCOnTwoServers: with the same session key one server finishes, renews and verifies what another has begun.
func TestOIDCOnTwoServers(t *testing.T) {
	p := newTestProvider(t)
	p.refresh = random()
	key := write(t, "session-key", strings.Repeat("k", 40))
	same := func(o *Options) { o.SessionKey = key }
	a, b, other := oidcService(t, p, `[{"read":["*"]}]`, same), oidcService(t, p, `[{"read":["*"]}]`, same), oidcService(t, p, `[{"read":["*"]}]`)
	address, cookie := started(t, a, "/")
	started(t, b, "/")
	started(t, other, "/")
	query := p.authorize(t, address)
	if _, err := other.OIDC.Finish(t.Context(), query, cookie); !errors.Is(err, ErrInvalid) {
		t.Errorf("with another key: %v", err)
	}
	in, err := b.OIDC.Finish(t.Context(), query, cookie)
	if err != nil {
		t.Fatal(err)
	}
	session, _, err := b.Sessions.Issue(in.Principal)
	if err != nil {
		t.Fatal(err)
	}
	u, err := a.Sessions.Verify(session)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.OIDC.Refresh(t.Context(), u, in.Refresh); err != nil {
		t.Error(err)
	}
}

func TestOIDCRefresh(t *testing.T) {
	p := newTestProvider(t)
	p.refresh = random()
	first := p.refresh
	s := oidcService(t, p, `[{"read":["*"]}]`)
	address, cookie := started(t, s, "/")
	in, err := s.OIDC.Finish(t.Context(), p.authorize(t, address), cookie)
	if err != nil || in.Refresh == "" || strings.Contains(in.Refresh, first) || !in.Principal.Rights.ReadsAll() || time.Until(in.Principal.Expires) > 5*time.Minute {
		t.Fatalf("%+v, %v", in, err)
	}
	p.set(func() { // the ID token of a refresh is newer
		p.claims = map[string]any{"ticklane": []any{map[string]any{"read": []string{"AAPL"}}}, "iat": time.Now().Add(time.Minute).Unix()}
	})
	u, sealed, err := s.OIDC.Refresh(t.Context(), in.Principal, in.Refresh)
	if err != nil || u.Session != in.Principal.Session || !u.Issued.Equal(in.Principal.Issued) || u.Rights.ReadsAll() || sealed == in.Refresh {
		t.Fatalf("%+v, %v", u, err)
	}
	if _, _, err := s.OIDC.Refresh(t.Context(), in.Principal, in.Refresh); !errors.Is(err, ErrInvalid) {
		t.Errorf("a refresh token that was used: %v", err)
	}
	for _, wrong := range []string{"", "x", sealed[:len(sealed)-4], cookie} {
		if _, _, err := s.OIDC.Refresh(t.Context(), in.Principal, wrong); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	for _, other := range []Principal{{Subject: "ann", Session: "x"}, {Subject: "bob", Session: u.Session}} {
		if _, _, err := s.OIDC.Refresh(t.Context(), &other, sealed); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "another session") {
			t.Errorf("of another session: %v", err)
		}
	}
	p.set(func() { p.claims = map[string]any{"sub": "bob"} })
	if _, _, err := s.OIDC.Refresh(t.Context(), in.Principal, sealed); !errors.Is(err, ErrInvalid) {
		t.Errorf("another subject: %v", err)
	}
	if err := s.Sessions.End(in.Principal); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.OIDC.Refresh(t.Context(), in.Principal, sealed); !errors.Is(err, ErrRevoked) {
		t.Errorf("after the sign-out: %v", err)
	}
}

// TestOIDCRefused: what an attacker may bring to the callback.
func TestOIDCRefused(t *testing.T) {
	p := newTestProvider(t)
	s := oidcService(t, p, "")
	rights := []any{map[string]any{"read": []string{"*"}}}
	_, foreign := started(t, s, "/")
	for name, c := range map[string]struct {
		claims map[string]any
		change func(query url.Values, cookie *string)
		want   string
	}{
		"no cookie":                     {nil, func(_ url.Values, c *string) { *c = "" }, "cookie"},
		"the cookie of another":         {nil, func(_ url.Values, c *string) { *c = foreign }, "state"},
		"a changed cookie":              {nil, func(_ url.Values, c *string) { *c = "A" + *c }, "cookie"},
		"no state":                      {nil, func(q url.Values, _ *string) { q.Del("state") }, "state"},
		"another state":                 {nil, func(q url.Values, _ *string) { q.Set("state", "x") }, "state"},
		"another issuer":                {nil, func(q url.Values, _ *string) { q.Set("iss", "https://evil.example") }, "iss"},
		"an error":                      {nil, func(q url.Values, _ *string) { q.Set("error", "access_denied") }, `"access_denied"`},
		"an unknown code":               {nil, func(q url.Values, _ *string) { q.Set("code", "x") }, `"invalid_grant"`},
		"another nonce":                 {map[string]any{"nonce": "x"}, nil, "nonce"},
		"no nonce":                      {map[string]any{"nonce": ""}, nil, "nonce"},
		"for another client":            {map[string]any{"aud": "other"}, nil, "audience"},
		"issued to another client":      {map[string]any{"aud": []string{"ticklane-test", "other"}, "azp": "other"}, nil, "claim azp"},
		"ID token of another issuer":    {map[string]any{"iss": "https://evil.example"}, nil, "issuer"},
		"expired":                       {map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}, nil, "expired"},
		"no rights":                     {map[string]any{"ticklane": nil}, nil, "claim ticklane"},
		"malformed rights":              {map[string]any{"ticklane": []any{map[string]any{"Read": []string{"*"}}}}, nil, "claim ticklane"},
		"a subject that can't be shown": {map[string]any{"sub": "a\nb"}, nil, "claim sub"},
	} {
		p.set(func() {
			p.claims = map[string]any{"ticklane": rights}
			maps.Copy(p.claims, c.claims)
			if p.claims["ticklane"] == nil {
				delete(p.claims, "ticklane")
			}
		})
		address, cookie := started(t, s, "/")
		query := p.authorize(t, address)
		if c.change != nil {
			c.change(query, &cookie)
		}
		in, err := s.OIDC.Finish(t.Context(), query, cookie)
		if in != nil || !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), clientSecret) {
			t.Errorf("%s: %+v, %v; want %q", name, in, err, c.want)
		}
	}
	p.set(func() { p.claims = map[string]any{"ticklane": rights} })
	if err := s.Revocations.Add(Revocation{Subject: "ann", Before: time.Now().Add(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	address, cookie := started(t, s, "/")
	if _, err := s.OIDC.Finish(t.Context(), p.authorize(t, address), cookie); !errors.Is(err, ErrRevoked) {
		t.Errorf("a revoked subject: %v", err)
	}
}

// TestOIDCCookiesExpire: a person has ten minutes at the provider, and auth.session_time between two refreshes.
func TestOIDCCookiesExpire(t *testing.T) {
	p := newTestProvider(t)
	p.refresh = random()
	s := oidcService(t, p, `[{"read":["*"]}]`)
	address, cookie := started(t, s, "/")
	query := p.authorize(t, address)
	var state signIn
	if err := s.OIDC.keys.state.open(cookie, &state); err != nil || time.Until(time.Unix(state.Expires, 0)) > SignInTime {
		t.Fatalf("%+v, %v", state, err)
	}
	state.Expires = time.Now().Unix()
	late, err := s.OIDC.keys.state.seal(state)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.OIDC.Finish(t.Context(), query, late); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "older than 10m") {
		t.Errorf("too late: %v", err)
	}
	in, err := s.OIDC.Finish(t.Context(), query, cookie)
	if err != nil {
		t.Fatal(err)
	}
	var kept sealedRefresh
	if err := s.OIDC.keys.refresh.open(in.Refresh, &kept); err != nil || time.Until(time.Unix(kept.Expires, 0)) > time.Hour {
		t.Fatalf("%+v, %v", kept, err)
	}
	kept.Expires = time.Now().Unix()
	if late, err = s.OIDC.keys.refresh.seal(kept); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.OIDC.Refresh(t.Context(), in.Principal, late); !errors.Is(err, ErrExpired) {
		t.Errorf("a refresh too late: %v", err)
	}
}

// TestOIDCProviderAway: the server starts and reports it; it goes on when the provider is there.
func TestOIDCProviderAway(t *testing.T) {
	p := newTestProvider(t)
	p.down = true
	s := oidcService(t, p, "")
	if _, _, err := s.OIDC.Start("/"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("start: %v", err)
	}
	if _, err := s.OIDC.Finish(t.Context(), url.Values{}, ""); !errors.Is(err, ErrUnavailable) {
		t.Errorf("finish: %v", err)
	}
	if _, _, err := s.OIDC.Refresh(t.Context(), Unrestricted, ""); !errors.Is(err, ErrUnavailable) {
		t.Errorf("refresh: %v", err)
	}
	p.set(func() { p.down = false })
	address, cookie := started(t, s, "/")
	query := p.authorize(t, address)
	p.Close()
	if _, err := s.OIDC.Finish(t.Context(), query, cookie); !errors.Is(err, ErrUnavailable) {
		t.Errorf("the provider went away: %v", err)
	}
}

func TestOIDCSettingsRefused(t *testing.T) {
	token, _ := NewToken("a", readAll, time.Time{})
	_, file := tokenService(t, token)
	full := OIDCOptions{Issuer: "https://id.example", ClientID: "c", RedirectURL: "https://a.example/sign-in/callback"}
	for want, change := range map[string]func(*OIDCOptions){
		"auth.oidc.client_id":          func(o *OIDCOptions) { o.ClientID = "" },
		"auth.oidc.redirect_url":       func(o *OIDCOptions) { o.RedirectURL = "" },
		"auth.oidc.client_secret_file": func(o *OIDCOptions) { o.ClientSecret = "/none/such" },
		"auth.oidc.rights: entry 1":    func(o *OIDCOptions) { o.Rights = `[{"rite":1}]` },
	} {
		o := full
		change(&o)
		if _, err := New(Options{Mode: ModeToken, TokenFile: file, OIDC: o}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %s", err, want)
		}
	}
}

func FuzzSealed(f *testing.F) {
	keys, err := newSecretKeys("")
	if err != nil {
		f.Fatal(err)
	}
	good, err := keys.state.seal(signIn{State: "x"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, sealed string) {
		var s signIn
		if err := keys.state.open(sealed, &s); (err == nil) != (sealed == good) {
			t.Fatalf("%q: %+v, %v", sealed, s, err)
		}
		if err := keys.refresh.open(sealed, &s); err == nil {
			t.Fatalf("%q: opened by the key of another purpose", sealed)
		}
	})
}
