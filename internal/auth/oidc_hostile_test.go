package auth

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"ticklane/internal/testkit"
)

// TestOIDCForgedTokens: an ID token counts only with a signature of the provider's key, by its method.
func TestOIDCForgedTokens(t *testing.T) {
	p := newTestProvider(t)
	s := oidcService(t, p, `[{"read":["*"]}]`)
	public, err := x509.MarshalPKIXPublicKey(p.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		method jwt.SigningMethod
		key    any
	}{
		"unsigned":                           {jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType},
		"HMAC by the client's secret":        {jwt.SigningMethodHS256, []byte(clientSecret)},
		"HMAC by the public key":             {jwt.SigningMethodHS256, public},
		"HMAC by the public key as PEM":      {jwt.SigningMethodHS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})},
		"another key":                        {jwt.SigningMethodRS256, other},
		"a method that isn't the provider's": {jwt.SigningMethodPS256, p.key},
	} {
		p.set(func() {
			p.forge = func(claims jwt.MapClaims) string {
				token := jwt.NewWithClaims(c.method, claims)
				token.Header["kid"] = "k"
				text, err := token.SignedString(c.key)
				if err != nil {
					t.Error(err)
				}
				return text
			}
		})
		address, cookie := started(t, s, "/")
		if in, err := s.OIDC.Finish(t.Context(), p.authorize(t, address), cookie); in != nil || !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "signature") {
			t.Errorf("%s: %+v, %v", name, in, err)
		}
	}
}

// TestOIDCProviderOutOfOrder: an answer that isn't the provider's own neither ends a session nor takes much memory.
func TestOIDCProviderOutOfOrder(t *testing.T) {
	p := newTestProvider(t)
	p.refresh = random()
	s := oidcService(t, p, `[{"read":["*"]}]`)
	address, cookie := started(t, s, "/")
	in, err := s.OIDC.Finish(t.Context(), p.authorize(t, address), cookie)
	if err != nil {
		t.Fatal(err)
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", code) }
	}
	for name, broken := range map[string]http.HandlerFunc{
		"bad gateway": status(502), "unavailable": status(503), "too many requests": status(429),
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			for sent := 0; sent < 1<<24; {
				n, err := w.Write(make([]byte, 1<<16))
				if sent += n; err != nil {
					return
				}
			}
			t.Error("16 MiB were read")
		},
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("{"))
		},
	} {
		p.set(func() { p.broken = map[string]http.HandlerFunc{"/token": broken} })
		if _, _, err := s.OIDC.Refresh(t.Context(), in.Principal, in.Refresh); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: %v, want ErrUnavailable", name, err)
		}
		p.set(func() { p.broken = map[string]http.HandlerFunc{"/.well-known/openid-configuration": broken} })
		if err := s.OIDC.discover(t.Context()); err == nil || len(err.Error()) > 300 {
			t.Errorf("%s: discovery: %.300v", name, err)
		}
		p.set(func() { p.broken = nil })
		if err := s.OIDC.discover(t.Context()); err != nil { // without the keys that were fetched before
			t.Fatal(err)
		}
		p.set(func() { p.broken = map[string]http.HandlerFunc{"/keys": broken} })
		address, cookie := started(t, s, "/")
		if _, err := s.OIDC.Finish(t.Context(), p.authorize(t, address), cookie); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: keys: %v, want ErrUnavailable", name, err)
		}
	}
	p.set(func() { p.broken = nil })
	testkit.Eventually(t, func() bool { // go-oidc may give the failure of a fetch to a request that follows at once
		_, _, err := s.OIDC.Refresh(t.Context(), in.Principal, in.Refresh)
		return err == nil
	}, "a refresh afterwards")
}

// TestOIDCMissingIssuer: a provider that announces the parameter iss always sends it (RFC 9207 §2.4).
func TestOIDCMissingIssuer(t *testing.T) {
	p := newTestProvider(t)
	s := oidcService(t, p, `[{"read":["*"]}]`)
	for announced, want := range map[bool]error{false: nil, true: ErrInvalid} {
		p.set(func() { p.announces = announced })
		if err := s.OIDC.discover(t.Context()); err != nil {
			t.Fatal(err)
		}
		address, cookie := started(t, s, "/")
		query := p.authorize(t, address)
		query.Del("iss")
		if _, err := s.OIDC.Finish(t.Context(), query, cookie); !errors.Is(err, want) {
			t.Errorf("announced %t: %v", announced, err)
		}
	}
}
