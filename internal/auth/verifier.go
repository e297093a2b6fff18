package auth

import (
	"fmt"
)

// maxToken bounds a bearer token, in bytes: a request's header is no larger by default.
const maxToken = 8 << 10

// Verifier verifies bearer tokens of one mode. It implements Authenticator.
type Verifier struct {
	tokens      *tokenStore  // of ModeToken
	jwt         *jwtVerifier // of ModeJWT
	revocations *Revocations
}

var _ Authenticator = (*Verifier)(nil)

// Verify implements Authenticator. Sessions and tickets are no bearer tokens.
func (v *Verifier) Verify(token string) (*Principal, error) {
	if token == "" || len(token) > maxToken {
		return nil, fmt.Errorf("%w: want 1 to %d bytes", ErrInvalid, maxToken)
	}
	var p *Principal
	var err error
	if v.tokens != nil {
		p, err = v.tokens.verify(token)
	} else {
		p, err = v.jwt.verify(token)
	}
	if p != nil && v.revocations.Revoked(p) {
		return nil, fmt.Errorf("%w (%s)", ErrRevoked, p.TokenID)
	}
	return p, err
}
