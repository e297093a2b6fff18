package auth

import (
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// BenchmarkVerify compares what a connect costs: a token of the file, a JWT that was verified before, and one that wasn't.
func BenchmarkVerify(b *testing.B) {
	token, secret := NewToken("a", readAll, time.Time{})
	file, _ := tokenService(b, token)
	b.Run("token", func(b *testing.B) {
		for b.Loop() {
			if _, err := file.Verifier.Verify(secret); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, method := range map[string]jwt.SigningMethod{"RSA": jwt.SigningMethodRS256, "P-256": jwt.SigningMethodES256, "Ed25519": jwt.SigningMethodEdDSA} {
		key := testKeys()[name]
		s := jwtService(b, publicPEM(b, key))
		text := signed(b, method, key, claimsWith(nil))
		for mode, cached := range map[string]bool{"/cached": true, "/first": false} {
			b.Run(method.Alg()+mode, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if !cached {
						s.Verifier.jwt.cache.fresh, s.Verifier.jwt.cache.old = nil, nil
					}
					if _, err := s.Verifier.Verify(text); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
	b.Run("session", func(b *testing.B) {
		p, err := file.Verifier.Verify(secret)
		if err != nil {
			b.Fatal(err)
		}
		cookie, _, err := file.Sessions.Issue(p)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := file.Sessions.Verify(cookie); err != nil {
				b.Fatal(err)
			}
		}
	})
}
