package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ticklane/internal/excerpt"
	"ticklane/internal/quote"
)

// maxSession bounds a session's text, in bytes. Browsers keep cookies of at least 4096 bytes, name and attributes included (RFC 6265
// §6.1).
const maxSession = 3800

// ErrTooLarge means that the rights of a credential don't fit into a cookie.
var ErrTooLarge = errors.New("the rights don't fit into a cookie: use fewer topics, sectors, or \"*\"")

// Sessions makes and verifies the values of the session cookie: JWTs signed by a separate key, which no other verifier accepts. A
// session keeps what identifies the credential that it was made from, so it ends with it. It is safe for concurrent use.
type Sessions struct {
	key         []byte
	lifetime    time.Duration
	revocations *Revocations
	tokens      *tokenStore  // nil without a token file
	jwt         *jwtVerifier // nil unless in ModeJWT
	sources     []source     // that the server still accepts
	parser      *jwt.Parser
}

func newSessions(keys secretKeys, lifetime time.Duration, revocations *Revocations, tokens *tokenStore, sources ...source) *Sessions {
	return &Sessions{sources: sources, key: keys.session, lifetime: lifetime, revocations: revocations, tokens: tokens,
		parser: jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithStrictDecoding(), jwt.WithExpirationRequired())}
}

// sessionClaims are the claims of a session. Times are in µs since 1970, 0 for none.
type sessionClaims struct {
	jwt.RegisteredClaims
	TokenID string          `json:"tid,omitempty"`
	Issued  int64           `json:"tiat,omitempty"`
	Until   int64           `json:"until,omitempty"`
	Source  source          `json:"src"`
	Key     string          `json:"key,omitempty"`
	Rights  json.RawMessage `json:"ticklane,omitempty"` // not of sourceFile: the file has them
}

// Issue returns a session of a verified principal. It ends after auth.session_time, or with the principal's credential. The error
// wraps ErrTooLarge.
func (s *Sessions) Issue(p *Principal) (token string, expires time.Time, err error) {
	session := *p
	session.until = p.Expires
	if session.Session == "" {
		session.Session = random()[:22] // 132 bits
	}
	return s.sign(&session)
}

// Renew returns a session with the same id that lasts auth.session_time from now, at most until the end of the credential that the
// first one was made from. p is from Verify.
func (s *Sessions) Renew(p *Principal) (token string, expires time.Time, err error) {
	if p.Session == "" {
		return "", time.Time{}, fmt.Errorf("%w: not a session", ErrInvalid)
	}
	return s.sign(p)
}

func (s *Sessions) sign(p *Principal) (token string, expires time.Time, err error) {
	now := time.Now()
	expires = now.Add(s.lifetime)
	if !p.until.IsZero() && p.until.Before(expires) {
		expires = p.until
	}
	expires = expires.Truncate(time.Second)
	claims := sessionClaims{TokenID: p.TokenID, Issued: quote.Micros(p.Issued), Until: quote.Micros(p.until), Source: p.source, Key: p.key}
	claims.Subject, claims.ID, claims.ExpiresAt = p.Subject, p.Session, jwt.NewNumericDate(expires)
	if p.source != sourceFile {
		if claims.Rights, err = json.Marshal(p.Rights); err != nil {
			return "", time.Time{}, err
		}
	}
	token, err = jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(s.key)
	if err == nil && len(token) > maxSession {
		return "", time.Time{}, fmt.Errorf("session: %w", ErrTooLarge)
	}
	return token, expires, err
}

// Verify returns the principal of a session, as Authenticator.Verify does for bearer tokens. In ModeToken it has the rights that
// the token file has now.
func (s *Sessions) Verify(token string) (*Principal, error) {
	if len(token) > maxSession || !canonical(token) {
		return nil, fmt.Errorf("session: %w: too long, or not a JWT", ErrInvalid)
	}
	var claims sessionClaims // no need to be strict: only this server signs them
	_, err := s.parser.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return s.key, nil })
	expired := errors.Is(err, jwt.ErrTokenExpired)
	if err != nil && !expired {
		return nil, fmt.Errorf("session: %w: its signature or form is wrong", ErrInvalid)
	}
	p := &Principal{
		Subject: claims.Subject, TokenID: claims.TokenID, Issued: fromMicros(claims.Issued), Expires: claims.ExpiresAt.Time, Session: claims.ID,
		source: claims.Source, key: claims.Key, until: fromMicros(claims.Until),
	}
	if err := s.restore(p, claims.Rights); err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	if expired || p.Expired(time.Now()) {
		return p, ErrExpired
	}
	return p, nil
}

// restore sets the rights of a principal that was kept outside of the process: those of the token file as it is now, or else rights.
// The error wraps ErrInvalid, ErrRevoked or ErrUnavailable if the credential is no longer accepted.
func (s *Sessions) restore(p *Principal, rights []byte) error {
	if !slices.Contains(s.sources, p.source) {
		return fmt.Errorf("%w: its credential is of a kind that the server no longer accepts (%s)", ErrInvalid, excerpt.Of(string(p.source)))
	}
	if p.source == sourceFile {
		of, err := s.tokens.current(p)
		if errors.Is(err, ErrRevoked) {
			return err
		}
		p.Rights, p.version, p.until = of.Rights, of.version, of.Expires
		if !of.Expires.IsZero() && (p.Expires.IsZero() || of.Expires.Before(p.Expires)) {
			p.Expires = of.Expires
		}
	} else if parsed, err := ParseRights(rights); err == nil {
		p.Rights = parsed
	} else {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if s.jwt != nil && p.source == sourceJWT {
		if err := s.jwt.trusted(p.key); err != nil {
			return err
		}
	}
	if s.revocations.Revoked(p) {
		return ErrRevoked
	}
	return nil
}

// End revokes a session, its renewals and its open streams, but not the credential that it was made from. p is from Verify.
func (s *Sessions) End(p *Principal) error {
	if p.Session == "" {
		return fmt.Errorf("%w: not a session", ErrInvalid)
	}
	return s.revocations.Add(Revocation{Session: p.Session, Expires: time.Now().Add(s.lifetime).UTC().Truncate(time.Second).Add(time.Second)})
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us)
}
