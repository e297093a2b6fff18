package auth

import (
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
	Session string // id of the session, "" for a principal that isn't from a session cookie

	source  source
	key     string    // of sourceFile: identifies the secret; of sourceJWT: the fingerprint of the key that has signed the token
	version string    // of sourceFile: changes with the secret, the rights and the expiry
	until   time.Time // of a session: the end of the credential that it was made from, zero for never
}

// source is the kind of credential that a principal was first verified by; a session keeps that of the credential it was made from.
type source string

const (
	sourceFile source = "file" // an entry of the token file
	sourceJWT  source = "jwt"
	sourceOIDC source = "oidc"
)

// Unrestricted is the principal of all requests when authentication is off: it has every right.
var Unrestricted = &Principal{Rights: everything}

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
	// ErrUnavailable means that a provider's keys or addresses aren't known yet: the same credential may be valid in a second.
	ErrUnavailable = errors.New("the identity provider was not reached yet")
)

// Authenticator verifies credentials. It is safe for concurrent use.
type Authenticator interface {
	// Verify returns the principal of a bearer token (RFC 6750). The error wraps ErrInvalid, ErrExpired, ErrRevoked or
	// ErrUnavailable. Verify never waits for the network. With ErrExpired the principal is that of the expired token, so that the
	// client can be informed.
	Verify(token string) (*Principal, error)
}
