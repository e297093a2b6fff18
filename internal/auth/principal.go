package auth

import (
	"context"
	"errors"
	"time"
)

// Principal is who a request acts for. It is immutable.
type Principal struct {
	Subject string    // never empty for a verified principal
	TokenID string    // claim jti of a JWT, or the name of a token; "" if there is none
	Issued  time.Time // zero if unknown
	Expires time.Time // zero for never
	Rights  Rights
}

// Everyone is the principal of all requests when authentication is off: it has every right.
var Everyone = &Principal{Rights: everything}

// Authenticated reports whether the principal was verified by a credential.
func (p *Principal) Authenticated() bool { return p.Subject != "" }

// Expired reports whether the principal's credential has expired.
func (p *Principal) Expired(now time.Time) bool {
	return !p.Expires.IsZero() && !now.Before(p.Expires)
}

// The reasons why a credential isn't accepted. Verify wraps them. The text of an error never contains the credential.
var (
	ErrInvalid = errors.New("the token is not valid")
	ErrExpired = errors.New("the token has expired")
	ErrRevoked = errors.New("the token was revoked")
)

// Authenticator verifies credentials. It is safe for concurrent use.
type Authenticator interface {
	// Verify returns the principal of a bearer token (RFC 6750). The error wraps ErrInvalid, ErrExpired or ErrRevoked. Verify never
	// waits for the network. With ErrExpired the principal is that of the expired token, so that the client can be informed.
	Verify(ctx context.Context, token string) (*Principal, error)
}
