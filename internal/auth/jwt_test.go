package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log/slog"
	"maps"
	"math/big"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ticklane/internal/testkit"
)

// testKeys are private keys of each kind.
var testKeys = sync.OnceValue(func() map[string]crypto.Signer {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	all := map[string]crypto.Signer{"RSA": rsaKey}
	for name, curve := range map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521(), "P-224": elliptic.P224()} {
		if all[name], err = ecdsa.GenerateKey(curve, rand.Reader); err != nil {
			panic(err)
		}
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	all["Ed25519"] = edKey
	return all
})

func publicPEM(t testing.TB, k crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// claimsWith returns valid claims, changed by others; nil removes one.
func claimsWith(changes map[string]any) jwt.MapClaims {
	c := jwt.MapClaims{"sub": "ann", "jti": "j1", "iss": "me", "aud": "ticklane", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
		"ticklane": []any{map[string]any{"read": []string{"*"}}}}
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func signed(t testing.TB, method jwt.SigningMethod, k any, claims jwt.Claims, header ...string) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	for i := 0; i+1 < len(header); i += 2 {
		token.Header[header[i]] = header[i+1]
	}
	text, err := token.SignedString(k)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// jwtService returns a service that trusts keys in PEM.
func jwtService(t testing.TB, pems ...string) *Service {
	t.Helper()
	o := Options{Mode: ModeJWT, JWT: JWTOptions{Issuer: "me", Audience: "ticklane", Leeway: 30 * time.Second}}
	for _, text := range pems {
		o.JWT.Keys = append(o.JWT.Keys, write(t, "key.pem", text))
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestJWTMethods(t *testing.T) {
	keys := testKeys()
	var pems []string
	for _, name := range []string{"RSA", "P-256", "P-384", "P-521", "Ed25519"} {
		pems = append(pems, publicPEM(t, keys[name]))
	}
	all := jwtService(t, pems...)
	for method, name := range map[jwt.SigningMethod]string{
		jwt.SigningMethodRS256: "RSA", jwt.SigningMethodRS384: "RSA", jwt.SigningMethodRS512: "RSA", jwt.SigningMethodPS256: "RSA", jwt.SigningMethodPS384: "RSA", jwt.SigningMethodPS512: "RSA",
		jwt.SigningMethodES256: "P-256", jwt.SigningMethodES384: "P-384", jwt.SigningMethodES512: "P-521", jwt.SigningMethodEdDSA: "Ed25519",
	} {
		token := signed(t, method, keys[name], claimsWith(nil))
		p, err := all.Verifier.Verify(token)
		if err != nil || p.Subject != "ann" || p.TokenID != "j1" || !p.Rights.ReadsAll() {
			t.Errorf("%s: %+v, %v", method.Alg(), p, err)
		}
		for _, other := range []string{"RSA", "P-256", "Ed25519"} {
			if other == name {
				continue
			}
			if _, err := jwtService(t, publicPEM(t, keys[other])).Verifier.Verify(token); !errors.Is(err, ErrInvalid) {
				t.Errorf("%s, verified by a key %s: %v", method.Alg(), other, err)
			}
		}
	}
}

func TestJWTForged(t *testing.T) {
	key := testKeys()["RSA"]
	text := publicPEM(t, key)
	s := jwtService(t, text)
	good := signed(t, jwt.SigningMethodRS256, key, claimsWith(nil))
	parts := strings.Split(good, ".")
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for name, token := range map[string]string{
		"a line end":        good[:len(good)-5] + "\n" + good[len(good)-5:],
		"alg none":          signed(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claimsWith(nil)),
		"alg None":          encode(`{"alg":"None"}`) + "." + parts[1] + ".",
		"HMAC with the PEM": signed(t, jwt.SigningMethodHS256, []byte(text), claimsWith(nil)),
		"HMAC, PEM trimmed": signed(t, jwt.SigningMethodHS256, []byte(strings.TrimSpace(text)), claimsWith(nil)),
		"HMAC with the DER": signed(t, jwt.SigningMethodHS512, der, claimsWith(nil)),
		"HMAC, empty key":   signed(t, jwt.SigningMethodHS256, []byte{}, claimsWith(nil)),
		"another key":       signed(t, jwt.SigningMethodRS256, other, claimsWith(nil)),
		"key in the header": signed(t, jwt.SigningMethodRS256, other, claimsWith(nil), "jwk", `{"kty":"RSA"}`, "jku", "https://evil.example", "x5u", "https://evil.example"),
		"crit":              signed(t, jwt.SigningMethodRS256, key, claimsWith(nil), "crit", "x"),
		"another type":      signed(t, jwt.SigningMethodRS256, key, claimsWith(nil), "typ", "secevent+jwt"),
		"other claims":      parts[0] + "." + encode(`{"sub":"root"}`) + "." + parts[2],
		"no signature":      parts[0] + "." + parts[1] + ".",
		"padding":           good + "=",
		"space":             good + " ",
		"two parts":         parts[0] + "." + parts[1],
		"four parts":        good + "." + parts[2],
		"a loose last bit":  good[:len(good)-1] + string(good[len(good)-1]+1),
		"too long":          good + strings.Repeat("A", maxToken),
	} {
		p, err := s.Verifier.Verify(token)
		if !errors.Is(err, ErrInvalid) || p != nil {
			t.Errorf("%s: %+v, %v", name, p, err)
		} else if strings.Contains(err.Error(), parts[1]) || strings.Contains(err.Error(), parts[2]) {
			t.Errorf("%s: the error has the token: %v", name, err)
		}
	}
	for _, typ := range []string{"JWT", "jwt", "at+jwt", "application/at+jwt"} {
		if _, err := s.Verifier.Verify(signed(t, jwt.SigningMethodRS256, key, claimsWith(nil), "typ", typ)); err != nil {
			t.Errorf("typ %s: %v", typ, err)
		}
	}
}

func TestJWTClaims(t *testing.T) {
	key := testKeys()["Ed25519"]
	s := jwtService(t, publicPEM(t, key))
	now := time.Now()
	for _, c := range []struct {
		name   string
		change map[string]any
		want   string // part of the error; "" for none
	}{
		{"all", nil, ""},
		{"no jti, no iat", map[string]any{"jti": nil, "iat": nil}, ""},
		{"list of audiences", map[string]any{"aud": []string{"x", "ticklane"}}, ""},
		{"nbf within the leeway", map[string]any{"nbf": now.Add(20 * time.Second).Unix()}, ""},
		{"unknown claims", map[string]any{"Sub": "bob", "scope": "x"}, ""},
		{"parts of a second", map[string]any{"exp": float64(now.UnixMilli())/1000 + 60}, ""},
		{"no sub", map[string]any{"sub": nil}, "claim sub"},
		{"empty sub", map[string]any{"sub": ""}, "claim sub"},
		{"sub with a line end", map[string]any{"sub": "a\nb"}, "claim sub"},
		{"sub of 257 bytes", map[string]any{"sub": strings.Repeat("a", 257)}, "claim sub"},
		{"sub is a number", map[string]any{"sub": 5}, "claim sub"},
		{"jti with a tab", map[string]any{"jti": "a\tb"}, "claim jti"},
		{"no exp", map[string]any{"exp": nil}, "missing"},
		{"exp is a text", map[string]any{"exp": "never"}, "claim exp"},
		{"exp is null", map[string]any{"exp": json.RawMessage("null")}, "claim exp"},
		{"exp 1e300", map[string]any{"exp": 1e300}, "claim exp"},
		{"negative iat", map[string]any{"iat": -1}, "claim iat"},
		{"not yet valid", map[string]any{"nbf": now.Add(time.Minute).Unix()}, "claim nbf"},
		{"not yet valid and expired", map[string]any{"nbf": now.Add(time.Minute).Unix(), "exp": now.Add(-time.Hour).Unix()}, "claim nbf"},
		{"another audience", map[string]any{"aud": "other"}, "claim aud"},
		{"another audience and expired", map[string]any{"aud": "other", "exp": now.Add(-time.Hour).Unix()}, "claim aud"},
		{"no audience", map[string]any{"aud": nil}, "missing"},
		{"audience in other case", map[string]any{"aud": "Ticklane"}, "claim aud"},
		{"another issuer", map[string]any{"iss": "you"}, "claim iss"},
		{"no issuer", map[string]any{"iss": nil}, "missing"},
		{"no rights", map[string]any{"ticklane": nil}, "claim ticklane: missing"},
		{"rights in other case", map[string]any{"ticklane": nil, "Ticklane": []any{map[string]any{"read": []string{"*"}}}}, "claim ticklane: missing"},
		{"one malformed right", map[string]any{"ticklane": []any{map[string]any{"read": []string{"*"}}, map[string]any{"rite": 1}}}, "claim ticklane: rights: entry 2"},
		{"rights are a text", map[string]any{"ticklane": `[{"read":["*"]}]`}, "claim ticklane"},
	} {
		p, err := s.Verifier.Verify(signed(t, jwt.SigningMethodEdDSA, key, claimsWith(c.change)))
		if c.want == "" && err != nil || c.want != "" && (p != nil || !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %+v, %v; want %q", c.name, p, err, c.want)
		}
	}
	twice := rawClaims(`{"sub":"ann","sub":"root","iss":"me","aud":"ticklane","exp":99999999999,"ticklane":[]}`)
	if _, err := s.Verifier.Verify(signed(t, jwt.SigningMethodEdDSA, key, twice)); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "given twice") {
		t.Errorf("a claim that is given twice: %v", err)
	}
}

// rawClaims are signed as they are written.
type rawClaims string

func (c rawClaims) MarshalJSON() ([]byte, error)               { return []byte(c), nil }
func (rawClaims) GetExpirationTime() (*jwt.NumericDate, error) { return nil, nil }
func (rawClaims) GetIssuedAt() (*jwt.NumericDate, error)       { return nil, nil }
func (rawClaims) GetNotBefore() (*jwt.NumericDate, error)      { return nil, nil }
func (rawClaims) GetIssuer() (string, error)                   { return "", nil }
func (rawClaims) GetSubject() (string, error)                  { return "", nil }
func (rawClaims) GetAudience() (jwt.ClaimStrings, error)       { return nil, nil }

// TestJWTExpiry: a token is valid until the leeway is over, in the cache, too, and an expired one has its principal.
func TestJWTExpiry(t *testing.T) {
	key := testKeys()["P-256"]
	text := publicPEM(t, key)
	synctest.Test(t, func(t *testing.T) {
		s := jwtService(t, text)
		end := time.Now().Add(time.Minute)
		token := signed(t, jwt.SigningMethodES256, key, claimsWith(map[string]any{"exp": end.Unix()}))
		for range 2 {
			p, err := s.Verifier.Verify(token)
			if err != nil || !p.Expires.Equal(end.Add(30*time.Second)) || p.Expired(time.Now()) {
				t.Fatalf("%+v, %v", p, err)
			}
			time.Sleep(89 * time.Second / 2)
		}
		time.Sleep(time.Second)
		for range 2 { // first from the cache
			p, err := s.Verifier.Verify(token)
			if !errors.Is(err, ErrExpired) || p == nil || p.Subject != "ann" || !p.Expired(time.Now()) {
				t.Errorf("%+v, %v", p, err)
			}
		}
	})
}

func TestJWTRevoked(t *testing.T) {
	key := testKeys()["P-256"]
	s := jwtService(t, publicPEM(t, key))
	token := signed(t, jwt.SigningMethodES256, key, claimsWith(nil))
	expired := signed(t, jwt.SigningMethodES256, key, claimsWith(map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}))
	if _, err := s.Verifier.Verify(token); err != nil {
		t.Fatal(err)
	}
	if err := s.Revocations.Add(Revocation{TokenID: "j1"}); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{token, expired} {
		if p, err := s.Verifier.Verify(token); !errors.Is(err, ErrRevoked) || p != nil {
			t.Errorf("%+v, %v", p, err)
		}
	}
	if _, err := s.Verifier.Verify(signed(t, jwt.SigningMethodES256, key, claimsWith(map[string]any{"jti": "j2"}))); err != nil {
		t.Errorf("another token: %v", err)
	}
}

func TestJWTSecret(t *testing.T) {
	secret := strings.Repeat("s", 32)
	s, err := New(Options{Mode: ModeJWT, JWT: JWTOptions{Secret: write(t, "secret", secret+"\n"), Audience: "ticklane"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []jwt.SigningMethod{jwt.SigningMethodHS256, jwt.SigningMethodHS384, jwt.SigningMethodHS512} {
		if _, err := s.Verifier.Verify(signed(t, method, []byte(secret), claimsWith(nil))); err != nil {
			t.Errorf("%s: %v", method.Alg(), err)
		}
	}
	if _, err := s.Verifier.Verify(signed(t, jwt.SigningMethodHS256, []byte(secret+"\n"), claimsWith(nil))); !errors.Is(err, ErrInvalid) {
		t.Errorf("another secret: %v", err)
	}
	if _, err := s.Verifier.Verify(signed(t, jwt.SigningMethodHS256, s.Sessions.key, claimsWith(nil))); !errors.Is(err, ErrInvalid) {
		t.Errorf("the key of sessions: %v", err)
	}
}

func TestJWTSettingsRefused(t *testing.T) {
	keys := testKeys()
	private, err := x509.MarshalPKCS8PrivateKey(keys["RSA"])
	if err != nil {
		t.Fatal(err)
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	file := func(text string) []string { return []string{write(t, "k.pem", text)} }
	for _, c := range []struct {
		o    JWTOptions
		want string
	}{
		{JWTOptions{Audience: "a"}, "auth.jwt.keys: missing"},
		{JWTOptions{Keys: file(publicPEM(t, keys["RSA"]))}, "auth.jwt.audience"},
		{JWTOptions{Audience: "a", Keys: []string{"/none/such"}}, "auth.jwt.keys: "},
		{JWTOptions{Audience: "a", Keys: file("x")}, "has no key"},
		{JWTOptions{Audience: "a", Keys: file(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))}, "private key"},
		{JWTOptions{Audience: "a", Keys: file(publicPEM(t, small))}, "1024 bits"},
		{JWTOptions{Audience: "a", Keys: file(publicPEM(t, keys["P-224"]))}, "P-224"},
		{JWTOptions{Audience: "a", Secret: file(publicPEM(t, keys["RSA"]))[0]}, "auth.jwt.secret_file"},
		{JWTOptions{Audience: "a", Secret: file("short")[0]}, "at least 32"},
		{JWTOptions{Audience: "a", JWKS: "https://id.example"}, "auth.jwt.issuer"},
	} {
		if _, err := New(Options{Mode: ModeJWT, JWT: c.o}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v; want %q", c.o, err, c.want)
		}
	}
	if _, err := New(Options{Mode: "none"}); err == nil {
		t.Error("mode none has no service")
	}
}

// TestKeyFilesAreReloaded: tokens of a key that was replaced are no longer valid, cached ones neither. An invalid file changes nothing.
func TestKeyFilesAreReloaded(t *testing.T) {
	old, next := testKeys()["P-256"], testKeys()["Ed25519"]
	file := write(t, "key.pem", publicPEM(t, old))
	s, err := New(Options{Mode: ModeJWT, JWT: JWTOptions{Keys: []string{file}, Audience: "ticklane"}})
	if err != nil {
		t.Fatal(err)
	}
	first, second := signed(t, jwt.SigningMethodES256, old, claimsWith(nil)), signed(t, jwt.SigningMethodEdDSA, next, claimsWith(nil))
	valid := func(want string) {
		t.Helper()
		for name, token := range map[string]string{"first": first, "second": second} {
			if _, err := s.Verifier.Verify(token); (err == nil) != (name == want) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	valid("first")
	rewrite(t, file, "nothing")
	if err := s.Verifier.jwt.files.load(); err == nil {
		t.Error("an invalid file: no error")
	}
	valid("first")
	defer running(t, s)()
	rewrite(t, file, publicPEM(t, next))
	testkit.Eventually(t, func() bool { _, err := s.Verifier.Verify(second); return err == nil }, "the new key")
	valid("second")
}

// TestFingerprintsOfKeys: they are equal for equal keys, whatever the files, and differ in the setting whose keys differ.
func TestFingerprintsOfKeys(t *testing.T) {
	rsa, ed := publicPEM(t, testKeys()["RSA"]), publicPEM(t, testKeys()["Ed25519"])
	fingerprints := func(secret string, pems ...string) map[string]string {
		o := JWTOptions{Audience: "ticklane", Secret: write(t, "secret", secret)}
		for _, text := range pems {
			o.Keys = append(o.Keys, write(t, "key", text))
		}
		s, err := New(Options{Mode: ModeJWT, JWT: o})
		if err != nil {
			t.Fatal(err)
		}
		all := s.Fingerprints()
		delete(all, "auth.session_key_file") // random
		return all
	}
	a, b := strings.Repeat("a", 32), strings.Repeat("b", 32)
	all := fingerprints(a, rsa, ed)
	if same := fingerprints(a, ed+rsa); len(all) != 2 || !maps.Equal(all, same) {
		t.Errorf("%v of two files, %v of one with the same keys", all, same)
	}
	if other := fingerprints(a, rsa); other["auth.jwt.keys"] == all["auth.jwt.keys"] || other["auth.jwt.secret_file"] != all["auth.jwt.secret_file"] {
		t.Errorf("with one key less: %v, before %v", other, all)
	}
	if other := fingerprints(b, rsa, ed); other["auth.jwt.keys"] != all["auth.jwt.keys"] || other["auth.jwt.secret_file"] == all["auth.jwt.secret_file"] {
		t.Errorf("with another secret: %v, before %v", other, all)
	}
}

func TestCertificateAsKey(t *testing.T) {
	key := testKeys()["P-256"]
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{SerialNumber: big.NewInt(1)}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	s := jwtService(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	if _, err := s.Verifier.Verify(signed(t, jwt.SigningMethodES256, key, claimsWith(nil))); err != nil {
		t.Error(err)
	}
}

func FuzzJWT(f *testing.F) {
	key := testKeys()["Ed25519"]
	s := jwtService(f, publicPEM(f, key))
	good := signed(f, jwt.SigningMethodEdDSA, key, claimsWith(nil))
	f.Add(good)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, token string) {
		if p, err := s.Verifier.Verify(token); (err == nil) != (token == good) || p != nil && p.Subject == "" {
			t.Fatalf("%q: %+v, %v", token, p, err)
		}
	})
}

// FuzzClaims: claims of a valid signature either are refused or have a principal that can be shown and ends.
func FuzzClaims(f *testing.F) {
	text, err := json.Marshal(claimsWith(nil))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"sub":"a","aud":["ticklane",null],"iss":"me","exp":2e9,"ticklane":[{}]}`))
	secret := strings.Repeat("s", 32)
	s, err := New(Options{Mode: ModeJWT, JWT: JWTOptions{Secret: write(f, "secret", secret), Issuer: "me", Audience: "ticklane"}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, claims []byte) {
		if !json.Valid(claims) {
			return
		}
		p, err := s.Verifier.Verify(signed(t, jwt.SigningMethodHS256, []byte(secret), rawClaims(claims)))
		if err == nil && (checkName(p.Subject) != nil || p.Expires.IsZero() || p.Expired(time.Now())) {
			t.Fatalf("%s: %+v", claims, p)
		}
	})
}
