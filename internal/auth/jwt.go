package auth

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ticklane/internal/strictjson"
)

// RightsClaim is the claim of a JWT that has its rights.
const RightsClaim = "ticklane"

// JWTOptions configures ModeJWT. At least one of Keys, JWKS and Secret is needed.
type JWTOptions struct {
	Keys     []string // PEM files
	JWKS     string   // address of a JSON Web Key Set (RFC 7517), with Issuer
	Secret   string   // file with the secret of HMAC signatures
	Issuer   string   // claim iss; "" for any
	Audience string   // claim aud
	Leeway   time.Duration
}

// jwtVerifier verifies JWTs (RFC 7519, RFC 8725).
type jwtVerifier struct {
	parser    *jwt.Parser
	validator *jwt.Validator
	files     *keyFiles
	remote    *remoteKeys // nil without a JWKS address
	leeway    time.Duration
	cache     cache
}

// newJWTVerifier reads the files. changed is called after other keys were fetched. The error begins with the name of the setting.
func newJWTVerifier(o JWTOptions, client *http.Client, logger *slog.Logger, changed func()) (*jwtVerifier, *remoteKeys, error) {
	if len(o.Keys) == 0 && o.JWKS == "" && o.Secret == "" {
		return nil, nil, errors.New("keys: missing; want keys, jwks_url or secret_file")
	}
	if o.Audience == "" {
		return nil, nil, errors.New("audience: missing; want the claim aud of this server's tokens")
	}
	v := &jwtVerifier{leeway: o.Leeway, parser: jwt.NewParser(jwt.WithValidMethods(allMethods), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())}
	rules := []jwt.ParserOption{jwt.WithExpirationRequired(), jwt.WithLeeway(o.Leeway), jwt.WithAudience(o.Audience)}
	if o.Issuer != "" {
		rules = append(rules, jwt.WithIssuer(o.Issuer))
	}
	v.validator = jwt.NewValidator(rules...)
	var err error
	if v.files, err = newKeyFiles(o.Keys, o.Secret); err != nil {
		return nil, nil, err
	}
	if o.JWKS != "" {
		if o.Issuer == "" {
			return nil, nil, errors.New("issuer: missing; auth.jwt.jwks_url needs it")
		}
		v.remote = newRemoteKeys(o.JWKS, client, logger, changed)
	}
	return v, v.remote, nil
}

// verify returns the principal of a token, as Authenticator.Verify does.
func (v *jwtVerifier) verify(token string) (*Principal, error) {
	if !canonical(token) {
		return nil, fmt.Errorf("%w: not a JWT", ErrInvalid)
	}
	hash := sha256.Sum256([]byte(token))
	fixed, remote := v.files.keys.Load(), &keyVersion{}
	if v.remote != nil {
		remote = v.remote.keys.Load()
	}
	version := uint64(fixed.number)<<32 | uint64(remote.number)
	p := v.cache.get(hash, version)
	if p == nil {
		claims := &jwtClaims{}
		var signer key
		_, err := v.parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
			keys, err := v.keysOf(t, fixed, remote)
			if err != nil {
				return nil, err
			}
			signer = signerOf(t, keys)
			return signer.key, nil
		})
		if err != nil {
			return nil, jwtError(err)
		}
		expired := false
		if err := v.validator.Validate(claims); err != nil {
			if expired = onlyExpired(err); !expired {
				return nil, jwtError(err)
			}
		}
		p = claims.principal()
		p.key = signer.fingerprint
		// Within the leeway the token is still valid.
		p.Expires = p.Expires.Add(v.leeway)
		if expired {
			return p, ErrExpired
		}
		v.cache.put(hash, version, p)
	}
	if p.Expired(time.Now()) {
		v.cache.remove(hash)
		return p, ErrExpired
	}
	return p, nil
}

// trusted returns nil if the key with this fingerprint can still sign tokens, ErrUnavailable if that isn't known until the keys were
// fetched, else ErrRevoked.
func (v *jwtVerifier) trusted(fingerprint string) error {
	switch {
	case !v.removed(fingerprint):
		return nil
	case v.remote != nil && v.remote.refetch():
		return fmt.Errorf("%w: the keys are being fetched", ErrUnavailable)
	}
	return errKeyRemoved
}

// removed reports whether the key with this fingerprint is not, or no longer, among those that are known.
func (v *jwtVerifier) removed(fingerprint string) bool {
	return !v.files.keys.Load().has(fingerprint) && (v.remote == nil || !v.remote.keys.Load().has(fingerprint))
}

// errKeyRemoved means that the key that has signed a token is no longer trusted.
var errKeyRemoved = fmt.Errorf("%w: its key was removed", ErrRevoked)

// signerOf returns the key that has signed a token: if several fit, the one that its signature is valid with, or the last of them.
func signerOf(t *jwt.Token, keys []key) key {
	last := len(keys) - 1
	signed := t.Raw[:strings.LastIndexByte(t.Raw, '.')]
	for _, k := range keys[:last] {
		if t.Method.Verify(signed, t.Signature, k.key) == nil {
			return k
		}
	}
	return keys[last]
}

// keysOf returns the keys that may have signed a token, at least one.
func (v *jwtVerifier) keysOf(t *jwt.Token, fixed, remote *keyVersion) ([]key, error) {
	if _, ok := t.Header["crit"]; ok {
		return nil, reason("header crit: no extension is supported") // RFC 7515 §4.1.11
	}
	if typ, ok := t.Header["typ"]; ok {
		name, _ := typ.(string)
		if name = strings.TrimPrefix(strings.ToLower(name), "application/"); name != "jwt" && name != "at+jwt" {
			return nil, reason("header typ: want JWT or at+jwt")
		}
	}
	id, _ := t.Header["kid"].(string)
	method := t.Method.Alg()
	keys, _ := fixed.fitting(id, method)
	if v.remote != nil {
		more, known := remote.fitting(id, method)
		keys = append(keys, more...)
		if !known && v.remote.refetch() && len(keys) == 0 {
			return nil, errFetching
		}
	}
	if len(keys) == 0 {
		return nil, reason("header kid or alg: no key fits")
	}
	return keys, nil
}

// reason is why a token is invalid. It contains nothing of the token.
type reason string

func (r reason) Error() string { return string(r) }

// errFetching is the reason while the keys are fetched that a token may be signed by.
var errFetching = errors.New("the keys are being fetched")

// jwtError returns an error of the JWT library as one of this package, without any part of the token.
func jwtError(err error) error {
	var why reason
	switch {
	case errors.Is(err, errFetching):
		return fmt.Errorf("%w: its keys are being fetched", ErrUnavailable)
	case errors.As(err, &why):
	case errors.Is(err, jwt.ErrTokenMalformed):
		why = "not a JWT"
	case errors.Is(err, jwt.ErrTokenSignatureInvalid), errors.Is(err, jwt.ErrTokenUnverifiable):
		why = "signature or alg"
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		why = "claim exp, iss or aud: missing"
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		why = "claim aud: not this server (auth.jwt.audience)"
	case errors.Is(err, jwt.ErrTokenInvalidIssuer):
		why = "claim iss: not auth.jwt.issuer"
	case errors.Is(err, jwt.ErrTokenNotValidYet):
		why = "claim nbf: not valid yet"
	default:
		why = "claims"
	}
	return fmt.Errorf("%w: %w", ErrInvalid, why)
}

// onlyExpired reports whether a token would be valid but for its expiry.
func onlyExpired(err error) bool {
	return errors.Is(err, jwt.ErrTokenExpired) && !slices.ContainsFunc([]error{
		jwt.ErrTokenRequiredClaimMissing, jwt.ErrTokenInvalidAudience, jwt.ErrTokenInvalidIssuer, jwt.ErrTokenNotValidYet, jwt.ErrTokenUsedBeforeIssued,
	}, func(other error) bool { return errors.Is(err, other) })
}

// jwtClaims are the claims that matter, read by their exact names.
type jwtClaims struct {
	issuer, subject, id        string
	audience                   []string
	expires, notBefore, issued time.Time
	rights                     Rights
}

// UnmarshalJSON reads the claims. Its error is a reason.
func (c *jwtClaims) UnmarshalJSON(text []byte) error {
	members, err := strictjson.Members(text)
	if err != nil {
		return reason("claims: " + err.Error())
	}
	return c.read(members, RightsClaim, nil)
}

// read reads the claims from their members. rightsClaim is the name of the one with the rights; without it they are fallback, nil
// if it is required.
func (c *jwtClaims) read(members map[string]json.RawMessage, rightsClaim string, fallback *Rights) error {
	for name, to := range map[string]*string{"iss": &c.issuer, "sub": &c.subject, "jti": &c.id} {
		if text, ok := members[name]; ok && json.Unmarshal(text, to) != nil {
			return reason("claim " + name + ": want a text")
		}
	}
	if err := checkName(c.subject); err != nil {
		return reason("claim sub: want a name that can be shown")
	}
	if c.id != "" && checkName(c.id) != nil {
		return reason("claim jti: want a text that can be shown")
	}
	for name, to := range map[string]*time.Time{"exp": &c.expires, "nbf": &c.notBefore, "iat": &c.issued} {
		if text, ok := members[name]; ok {
			var seconds *float64
			if json.Unmarshal(text, &seconds) != nil || seconds == nil || !(*seconds > 0 && *seconds < maxSeconds) {
				return reason("claim " + name + ": want seconds since 1970")
			}
			whole, part := math.Modf(*seconds)
			*to = time.Unix(int64(whole), int64(part*1e9))
		}
	}
	if text, ok := members["aud"]; ok {
		var one string
		if json.Unmarshal(text, &one) == nil && text[0] == '"' {
			c.audience = []string{one}
		} else if json.Unmarshal(text, &c.audience) != nil {
			return reason("claim aud: want a text or a list of texts")
		}
	}
	text, ok := members[rightsClaim]
	if !ok && fallback != nil {
		c.rights = *fallback
		return nil
	}
	if !ok {
		return reason("claim " + rightsClaim + ": missing; want the rights")
	}
	var err error
	if c.rights, err = ParseRights(text); err != nil {
		return reason("claim " + rightsClaim + ": " + err.Error())
	}
	return nil
}

// maxSeconds is the year 10000.
const maxSeconds = 253402300800

func (c *jwtClaims) principal() *Principal {
	return &Principal{Subject: c.subject, TokenID: c.id, Issued: c.issued, Expires: c.expires, Rights: c.rights, source: sourceJWT}
}

// The methods of jwt.Claims.

func (c *jwtClaims) GetExpirationTime() (*jwt.NumericDate, error) { return date(c.expires), nil }
func (c *jwtClaims) GetNotBefore() (*jwt.NumericDate, error)      { return date(c.notBefore), nil }
func (c *jwtClaims) GetIssuedAt() (*jwt.NumericDate, error)       { return date(c.issued), nil }
func (c *jwtClaims) GetIssuer() (string, error)                   { return c.issuer, nil }
func (c *jwtClaims) GetSubject() (string, error)                  { return c.subject, nil }
func (c *jwtClaims) GetAudience() (jwt.ClaimStrings, error)       { return c.audience, nil }

func date(t time.Time) *jwt.NumericDate {
	if t.IsZero() {
		return nil
	}
	return &jwt.NumericDate{Time: t}
}
