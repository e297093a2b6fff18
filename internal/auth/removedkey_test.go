package auth

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ticklane/internal/testkit"
)

// TestRemovedKey: with a key end the tokens that it has signed, the sessions that were started with them, and their open streams.
// Those of other keys stay, also of one of the same algorithm.
func TestRemovedKey(t *testing.T) {
	_, next, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	old := testKeys()["Ed25519"]
	secret := strings.Repeat("s", 32)
	for name, c := range map[string]struct {
		both, one     string // what the server trusts before and after
		method        jwt.SigningMethod
		old, next     any
		options       func(file string) JWTOptions
		oldID, nextID string
	}{
		"public keys": {publicPEM(t, old) + publicPEM(t, next), publicPEM(t, next), jwt.SigningMethodEdDSA, old, next,
			func(file string) JWTOptions { return JWTOptions{Keys: []string{file}} }, "", ""},
		"another secret": {secret, strings.Repeat("n", 32), jwt.SigningMethodHS256, []byte(secret), nil,
			func(file string) JWTOptions { return JWTOptions{Secret: file} }, "", ""},
		"provider": {jwks(t, map[string]crypto.Signer{"a": old, "b": next}), jwks(t, map[string]crypto.Signer{"b": next}), jwt.SigningMethodEdDSA, old, next, nil, "a", "b"},
		"provider, another key of the same id": {jwks(t, map[string]crypto.Signer{"a": old}), jwks(t, map[string]crypto.Signer{"a": next}), jwt.SigningMethodEdDSA,
			old, nil, nil, "a", ""},
	} {
		t.Run(name, func(t *testing.T) {
			file := write(t, "key", c.both)
			var served atomic.Value
			served.Store(c.both)
			provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(served.Load().(string))) }))
			defer provider.Close()
			o := Options{Mode: ModeJWT, SessionKey: write(t, "session", secret), Client: provider.Client()}
			if c.options != nil {
				o.JWT = c.options(file)
			} else {
				o.JWT.JWKS = provider.URL
			}
			o.JWT.Issuer, o.JWT.Audience = "me", "ticklane"
			s, err := New(o)
			if err != nil {
				t.Fatal(err)
			}
			var calls atomic.Int32
			s.Revocations.OnChange(func() { calls.Add(1) })
			stop := running(t, s)
			defer func() { stop(); o.Client.CloseIdleConnections() }()
			open := func(key any, id string) (p *Principal, session string) {
				token := signed(t, c.method, key, claimsWith(nil), "kid", id)
				testkit.Eventually(t, func() bool { p, err = s.Verifier.Verify(token); return err == nil }, "the token")
				session, _, err := s.Sessions.Issue(p)
				if err != nil {
					t.Fatal(err)
				}
				p, err = s.Sessions.Verify(session)
				if err != nil {
					t.Fatal(err)
				}
				return p, session
			}
			p, session := open(c.old, c.oldID)
			var stays *Principal
			var other string
			if c.next != nil {
				stays, other = open(c.next, c.nextID)
			}
			before := calls.Load()
			served.Store(c.one)
			if c.options != nil {
				rewrite(t, file, c.one)
			} else {
				s.remote.fetched.Store(time.Now().Add(-keysRetry).UnixNano())
				s.remote.refetch()
			}
			testkit.Eventually(t, func() bool { return s.Revocations.Revoked(p) && calls.Load() > before }, "the streams of the removed key")
			if got, err := s.Sessions.Verify(session); got != nil || !errors.Is(err, ErrRevoked) {
				t.Errorf("session of the removed key: %+v, %v", got, err)
			}
			if stays == nil {
				return
			}
			if err := s.Revocations.Check(stays); err != nil {
				t.Errorf("stream of the other key: %v", err)
			}
			if _, err := s.Sessions.Verify(other); err != nil {
				t.Errorf("session of the other key: %v", err)
			}
		})
	}
}

// TestSessionBeforeTheKeysAreFetched: after a restart a session's key isn't known until the provider was reached.
func TestSessionBeforeTheKeysAreFetched(t *testing.T) {
	key := testKeys()["Ed25519"]
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(jwks(t, map[string]crypto.Signer{"a": key})))
	}))
	defer provider.Close()
	o := Options{Mode: ModeJWT, SessionKey: write(t, "session", strings.Repeat("k", 32)), Client: provider.Client(),
		JWT: JWTOptions{JWKS: provider.URL, Issuer: "me", Audience: "ticklane"}}
	defer o.Client.CloseIdleConnections()
	started := func() *Service {
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := started()
	if err := first.remote.fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	p, err := first.Verifier.Verify(signed(t, jwt.SigningMethodEdDSA, key, claimsWith(nil), "kid", "a"))
	if err != nil {
		t.Fatal(err)
	}
	session, _, err := first.Sessions.Issue(p)
	if err != nil {
		t.Fatal(err)
	}
	second := started()
	if p, err := second.Sessions.Verify(session); p != nil || !errors.Is(err, ErrUnavailable) {
		t.Errorf("before: %+v, %v", p, err)
	}
	if err := second.remote.fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Sessions.Verify(session); err != nil {
		t.Errorf("after: %v", err)
	}
}

// running runs a service until the function that it returns is called.
func running(t testing.TB, s *Service) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	return func() { cancel(); <-done }
}
