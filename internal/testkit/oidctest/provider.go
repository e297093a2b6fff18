// Package oidctest is an OpenID Connect provider for tests.
package oidctest

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// The credentials of the client that is registered at the provider.
const (
	ClientID     = "ticklane"
	ClientSecret = "client-secret-of-this-test-0123456789"
)

// Provider signs every user in as ann, without a form. It listens on localhost, which for a browser is another site than a server on
// 127.0.0.1.
type Provider struct {
	*httptest.Server
	Nonce    atomic.Value // text: that of the last authorization
	Refused  atomic.Bool  // the token endpoint answers 400
	Refresh  string       // the refresh token that it gives
	Callback string       // where it sends browsers back to; "": the redirect_uri of the request
}

// New starts a provider, which is closed when the test ends.
func New(t testing.TB) *Provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &Provider{Refresh: "refresh-secret"}
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"}})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		text := base64.RawURLEncoding.EncodeToString
		answer(w, map[string]any{"keys": []any{map[string]string{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "k",
			"n": text(key.N.Bytes()), "e": text(big.NewInt(int64(key.E)).Bytes())}}})
	})
	mux.HandleFunc("/authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		p.Nonce.Store(q.Get("nonce"))
		back := url.Values{"code": {"code-secret"}, "state": {q.Get("state")}}
		http.Redirect(w, r, cmp.Or(p.Callback, q.Get("redirect_uri"))+"?"+back.Encode(), http.StatusSeeOther)
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		_, basic, _ := r.BasicAuth()
		if secret := cmp.Or(basic, r.PostFormValue("client_secret")); secret != ClientSecret {
			t.Errorf("client secret %q", secret)
		}
		if p.Refused.Load() {
			w.WriteHeader(http.StatusBadRequest)
			answer(w, map[string]string{"error": "invalid_grant"})
			return
		}
		now := time.Now()
		claims := jwt.MapClaims{"iss": p.URL, "aud": ClientID, "sub": "ann", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "nonce": p.Nonce.Load()}
		token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
		token.Header["kid"] = "k"
		id, err := token.SignedString(key)
		if err != nil {
			t.Error(err)
		}
		answer(w, map[string]any{"access_token": "access-secret", "token_type": "Bearer", "id_token": id, "refresh_token": p.Refresh, "expires_in": 3600})
	})
	p.Server = httptest.NewServer(mux)
	p.URL = strings.Replace(p.URL, "127.0.0.1", "localhost", 1)
	t.Cleanup(p.Close)
	return p
}
