package auth

import (
	"crypto"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"ticklane/internal/testkit"
)

// jwks returns a JSON Web Key Set of the public keys of keys, by their ids.
func jwks(t testing.TB, keys map[string]crypto.Signer) string {
	t.Helper()
	set := jose.JSONWebKeySet{}
	for id, k := range keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.Public(), KeyID: id, Use: "sig"})
	}
	text, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestJWKS: keys come from the provider, new ones are fetched when a token names one, and stay while the provider is away.
func TestJWKS(t *testing.T) {
	one, two := testKeys()["RSA"], testKeys()["P-256"]
	var text atomic.Value
	var requests atomic.Int32
	text.Store("")
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		if text.Load() == "" {
			http.Error(w, "away", http.StatusBadGateway)
			return
		}
		_, _ = w.Write([]byte(text.Load().(string)))
	}))
	defer provider.Close()
	client := provider.Client()
	s, err := New(Options{Mode: ModeJWT, Client: client, JWT: JWTOptions{JWKS: provider.URL, Issuer: "me", Audience: "ticklane"}})
	if err != nil {
		t.Fatal(err)
	}
	stop := running(t, s)
	defer func() { stop(); client.CloseIdleConnections() }()

	first := signed(t, jwt.SigningMethodRS256, one, claimsWith(nil), "kid", "one")
	if _, err := s.Verifier.Verify(first); !errors.Is(err, ErrUnavailable) {
		t.Errorf("before the keys were fetched: %v", err)
	}
	text.Store(jwks(t, map[string]crypto.Signer{"one": one}))
	var p *Principal
	testkit.Eventually(t, func() bool { p, err = s.Verifier.Verify(first); return err == nil }, "the first key")
	if again, err := s.Verifier.Verify(first); again != p || err != nil {
		t.Errorf("not from the cache: %v", err)
	}
	s.remote.fetched.Store(time.Now().UnixNano()) // as on a machine that isn't busy
	if _, err := s.Verifier.Verify(signed(t, jwt.SigningMethodRS256, one, claimsWith(nil), "kid", "other")); !errors.Is(err, ErrInvalid) {
		t.Errorf("an unknown kid right after a fetch: %v", err)
	}

	// A token with a new key: it is fetched, at a bounded rate.
	second := signed(t, jwt.SigningMethodES256, two, claimsWith(nil), "kid", "two")
	text.Store(jwks(t, map[string]crypto.Signer{"one": one, "two": two}))
	s.remote.fetched.Store(time.Now().Add(-keysRetry).UnixNano())
	before := requests.Load()
	if _, err := s.Verifier.Verify(second); !errors.Is(err, ErrUnavailable) {
		t.Errorf("while the new key is fetched: %v", err)
	}
	testkit.Eventually(t, func() bool { _, err := s.Verifier.Verify(second); return err == nil }, "the second key")
	for i := range 200 {
		s.remote.fetched.Store(time.Now().UnixNano()) // so that keysRetry doesn't pass, however busy the machine is
		_, err := s.Verifier.Verify(signed(t, jwt.SigningMethodHS256, []byte("x"), claimsWith(nil), "kid", strings.Repeat("k", i%50)))
		if !errors.Is(err, ErrInvalid) {
			t.Fatal(err)
		}
	}
	if n := requests.Load() - before; n != 1 {
		t.Errorf("%d requests of the keys; want 1", n)
	}

	// The provider is away: the keys stay. Then it has removed one: tokens signed by it are no longer valid, cached ones neither.
	text.Store("")
	if err := s.remote.fetch(t.Context()); err == nil {
		t.Error("no error while the provider is away")
	}
	for _, token := range []string{first, second} {
		if _, err := s.Verifier.Verify(token); err != nil {
			t.Errorf("while the provider is away: %v", err)
		}
	}
	text.Store(jwks(t, map[string]crypto.Signer{"two": two}))
	s.remote.fetched.Store(time.Now().Add(-keysRetry).UnixNano())
	s.remote.refetch()
	testkit.Eventually(t, func() bool { _, err := s.Verifier.Verify(first); return errors.Is(err, ErrInvalid) }, "the first key was removed")
}

func TestJWKSRefused(t *testing.T) {
	good := jwks(t, map[string]crypto.Signer{"a": testKeys()["P-256"]})
	_, list, _ := strings.Cut(good, "[")
	others := `{"kty":"oct","k":"` + strings.Repeat("A", 43) + `","kid":"h"},{"kty":"EC","crv":"P-999"},{"kty":"new"},` + strings.Replace(strings.TrimSuffix(list, "]}"), `"sig"`, `"enc"`, 1)
	keys, skipped, err := parseJWKS([]byte(`{"keys":[` + others + "," + list))
	if err != nil || len(keys) != 1 || skipped != 4 || keys[0].id != "a" {
		t.Errorf("%+v, %d skipped, %v", keys, skipped, err)
	}
	private, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: testKeys()["P-256"], KeyID: "a"}}})
	if err != nil {
		t.Fatal(err)
	}
	wrongAlg := strings.Replace(good, `"use"`, `"alg":"ES512","use"`, 1)
	for _, text := range []string{"", "null", "[]", "{}", `{"keys":null}`, `{"keys":[]}`, `{"keys":[` + others + "]}", wrongAlg, string(private), `{"keys":[` + strings.Repeat("{},", maxKeys) + "{}]}"} {
		if keys, _, err := parseJWKS([]byte(text)); err == nil {
			t.Errorf("%.60s: %+v", text, keys)
		}
	}
}

// TestKeysTried: a signature is checked with few keys, however many there are.
func TestKeysTried(t *testing.T) {
	k, err := newKey("", testKeys()["P-256"].Public(), "")
	if err != nil {
		t.Fatal(err)
	}
	if keys, _ := (keySet(slices.Repeat([]key{k}, maxKeys))).fitting("", "ES256"); len(keys) != maxTried {
		t.Errorf("%d keys", len(keys))
	}
}

// TestJWKSMethod: a key is used with its member alg only.
func TestJWKSMethod(t *testing.T) {
	key := testKeys()["RSA"]
	text := strings.Replace(jwks(t, map[string]crypto.Signer{"a": key}), `"use"`, `"alg":"PS256","use"`, 1)
	keys, _, err := parseJWKS([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for method, want := range map[string]int{"PS256": 1, "RS256": 0, "HS256": 0} {
		if fitting, _ := keys.fitting("a", method); len(fitting) != want {
			t.Errorf("%s: %d keys", method, len(fitting))
		}
	}
}

func FuzzJWKS(f *testing.F) {
	f.Add([]byte(jwks(f, map[string]crypto.Signer{"a": testKeys()["P-256"], "b": testKeys()["RSA"]})))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, _, err := parseJWKS(text)
		if err != nil {
			return
		}
		for _, k := range keys {
			if _, secret := k.key.([]byte); secret || len(k.methods) == 0 {
				t.Fatalf("%+v", k)
			}
		}
	})
}

func FuzzPEM(f *testing.F) {
	for _, k := range testKeys() {
		f.Add([]byte(publicPEM(f, k)))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if keys, err := parsePEM(text); err == nil && len(keys) == 0 {
			t.Fatal("neither keys nor an error")
		}
	})
}

// TestRedirects: from https to http none is followed.
func TestRedirects(t *testing.T) {
	var to string
	provider := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/keys" {
			_, _ = w.Write([]byte("{}"))
			return
		}
		http.Redirect(w, r, to, http.StatusFound)
	}))
	defer provider.Close()
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	defer plain.Close()
	client := provider.Client()
	client.CheckRedirect = sameScheme
	defer client.CloseIdleConnections()
	for address, want := range map[string]bool{provider.URL + "/keys": true, plain.URL: false, provider.URL + "/loop": false} {
		to = address
		if _, err := get(t.Context(), client, provider.URL); (err == nil) != want {
			t.Errorf("to %s: %v", address, err)
		}
	}
}
