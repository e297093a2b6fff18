package auth

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"ticklane/internal/excerpt"
	"ticklane/internal/quote"
	"ticklane/internal/strictjson"
)

// OIDCOptions configures signing in by OpenID Connect.
type OIDCOptions struct {
	Issuer       string
	ClientID     string
	ClientSecret string   // file; empty for a public client
	Scopes       []string // besides openid
	RightsClaim  string   // claim of the ID token with the rights
	Rights       string   // JSON: rights of those without that claim; empty: they may not sign in
	RedirectURL  string   // of /sign-in/callback
}

// SignInTime is how long a person may take to sign in at the provider.
const SignInTime = 10 * time.Minute

// OIDC signs people in by the code flow with PKCE (RFC 7636). It keeps nothing: what belongs to a person is sealed in cookies.
type OIDC struct {
	options     OIDCOptions
	secret      string
	fallback    *Rights // nil if the claim is required
	keys        secretKeys
	lifetime    time.Duration // of a sealed refresh token
	revocations *Revocations
	client      *http.Client
	logger      *slog.Logger
	provider    atomic.Pointer[provider] // nil until it was discovered
}

// provider is what discovery has found.
type provider struct {
	oauth       *oauth2.Config
	verifier    *oidc.IDTokenVerifier
	needsIssuer bool // its answers have the parameter iss
}

// signIn is the state of one, kept in a cookie.
type signIn struct {
	State, Nonce, Verifier, Next string
	Expires                      int64 // seconds since 1970
}

// sealedRefresh is a refresh token, kept in a cookie.
type sealedRefresh struct {
	Token, Subject, Session string
	Issued                  int64 // of the ID token of the sign-in, in µs since 1970
	Expires                 int64 // seconds since 1970
}

// newOIDC returns a client without connecting to the provider. The error begins with the name of the setting.
func newOIDC(o OIDCOptions, keys secretKeys, lifetime time.Duration, revocations *Revocations, client *http.Client, logger *slog.Logger) (*OIDC, error) {
	d := &OIDC{options: o, keys: keys, lifetime: lifetime, revocations: revocations, client: wholeAnswers(client), logger: logger}
	if o.ClientID == "" {
		return nil, errors.New("client_id: missing; auth.oidc.issuer needs it")
	}
	if o.RedirectURL == "" {
		return nil, errors.New("redirect_url: missing; want the address of /sign-in/callback, as it is registered with the provider")
	}
	if o.ClientSecret != "" {
		secret, err := readSecret(o.ClientSecret, 1)
		if err != nil {
			return nil, fmt.Errorf("client_secret_file: %w", err)
		}
		d.secret = string(secret)
	}
	if o.RightsClaim == "" {
		d.options.RightsClaim = RightsClaim
	}
	if o.Rights != "" {
		rights, err := ParseRights([]byte(o.Rights))
		if err != nil {
			return nil, err
		}
		d.fallback = &rights
	}
	return d, nil
}

// run discovers the provider, with retries until it succeeds or ctx is done.
func (d *OIDC) run(ctx context.Context) {
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		err := d.discover(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		d.logger.Warn("auth.oidc.issuer can't be reached; signing in by it is not possible", "err", err, "retry", wait)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (d *OIDC) discover(ctx context.Context) error {
	p, err := oidc.NewProvider(oidc.ClientContext(ctx, d.client), d.options.Issuer)
	if err != nil {
		return err
	}
	var metadata struct {
		Issuer bool `json:"authorization_response_iss_parameter_supported"` // RFC 9207
	}
	if err := p.Claims(&metadata); err != nil {
		return err
	}
	d.provider.Store(&provider{
		needsIssuer: metadata.Issuer,
		oauth: &oauth2.Config{ClientID: d.options.ClientID, ClientSecret: d.secret, Endpoint: p.Endpoint(), RedirectURL: d.options.RedirectURL,
			Scopes: append([]string{oidc.ScopeOpenID}, d.options.Scopes...)},
		verifier: p.VerifierContext(oidc.ClientContext(context.WithoutCancel(ctx), d.client), &oidc.Config{ClientID: d.options.ClientID}),
	})
	return nil
}

// Start returns the provider's address that a person who signs in is sent to, and what the browser must send back to Finish in a
// cookie. next is where that person wants to go, which the caller has checked. The error is ErrUnavailable.
func (d *OIDC) Start(next string) (address, stateCookie string, err error) {
	p := d.provider.Load()
	if p == nil {
		return "", "", ErrUnavailable
	}
	s := signIn{State: random(), Nonce: random(), Verifier: oauth2.GenerateVerifier(), Next: next, Expires: time.Now().Add(SignInTime).Unix()}
	if stateCookie, err = d.keys.state.seal(s); err != nil {
		return "", "", err
	}
	return p.oauth.AuthCodeURL(s.State, oidc.Nonce(s.Nonce), oauth2.S256ChallengeOption(s.Verifier)), stateCookie, nil
}

// SignedIn is the result of Finish.
type SignedIn struct {
	Principal *Principal
	Refresh   string // for Refresh, to be kept in a cookie; "" if the provider gave no refresh token
	Next      string
}

// Finish reads the query of the request by which the provider sends a person back. It waits for the provider. The error wraps
// ErrInvalid, ErrRevoked or ErrUnavailable.
func (d *OIDC) Finish(ctx context.Context, query url.Values, stateCookie string) (*SignedIn, error) {
	p := d.provider.Load()
	if p == nil {
		return nil, ErrUnavailable
	}
	var s signIn
	if err := d.keys.state.open(stateCookie, &s); err != nil || time.Now().Unix() >= s.Expires {
		return nil, invalidSignIn("the cookie of the sign-in is missing, or older than %s", SignInTime)
	}
	if subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(s.State)) != 1 {
		return nil, invalidSignIn("state: not that of this browser's sign-in")
	}
	if iss := query.Get("iss"); iss != d.options.Issuer && (iss != "" || p.needsIssuer) {
		return nil, invalidSignIn("iss: not auth.oidc.issuer")
	}
	if code := query.Get("error"); code != "" {
		return nil, invalidSignIn("the provider answers %q", excerpt.Of(code))
	}
	token, err := p.oauth.Exchange(oidc.ClientContext(ctx, d.client), query.Get("code"), oauth2.VerifierOption(s.Verifier))
	if err != nil {
		return nil, tokenError(err)
	}
	principal, err := d.principal(ctx, p, token, s.Nonce)
	if err != nil {
		return nil, err
	}
	principal.Session = random()[:22]
	if d.revocations.Revoked(principal) {
		return nil, ErrRevoked
	}
	refresh, err := d.keep(token, principal)
	return &SignedIn{Principal: principal, Refresh: refresh, Next: s.Next}, err
}

// Refresh returns the principal of a session with the rights that the provider gives it now, and what replaces sealed. It waits for
// the provider. The error wraps one of those of Finish, or ErrExpired after auth.session_time without a refresh.
func (d *OIDC) Refresh(ctx context.Context, session *Principal, sealed string) (*Principal, string, error) {
	p := d.provider.Load()
	if p == nil {
		return nil, "", ErrUnavailable
	}
	var kept sealedRefresh
	if err := d.keys.refresh.open(sealed, &kept); err != nil {
		return nil, "", invalidSignIn("the refresh cookie %s", err.Error())
	}
	if time.Now().Unix() >= kept.Expires {
		return nil, "", fmt.Errorf("sign-in: %w", ErrExpired)
	}
	if session.Subject != kept.Subject || session.Session != kept.Session {
		return nil, "", invalidSignIn("the refresh cookie is of another session")
	}
	if d.revocations.Revoked(&Principal{Subject: kept.Subject, Session: kept.Session, Issued: fromMicros(kept.Issued), source: sourceOIDC}) {
		return nil, "", ErrRevoked
	}
	token, err := p.oauth.TokenSource(oidc.ClientContext(ctx, d.client), &oauth2.Token{RefreshToken: kept.Token}).Token()
	if err != nil {
		return nil, "", tokenError(err)
	}
	principal, err := d.principal(ctx, p, token, "")
	if err != nil {
		return nil, "", err
	}
	if principal.Subject != kept.Subject {
		return nil, "", invalidSignIn("sub: another one than at the sign-in")
	}
	// Those of the sign-in: revoking what was issued before a time must hold in spite of refreshes.
	principal.Session, principal.Issued = kept.Session, fromMicros(kept.Issued)
	sealed, err = d.keep(token, principal)
	return principal, sealed, err
}

// principal verifies the ID token of an answer.
func (d *OIDC) principal(ctx context.Context, p *provider, token *oauth2.Token, nonce string) (*Principal, error) {
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return nil, invalidSignIn("the provider sent no ID token")
	}
	id, err := p.verifier.Verify(ctx, raw)
	if err != nil && strings.HasPrefix(err.Error(), "failed to verify signature: fetching keys") { // go-oidc doesn't wrap this error
		return nil, fmt.Errorf("sign-in: %w", ErrUnavailable)
	}
	if err != nil {
		return nil, invalidSignIn("ID token: %s", idTokenReason(err))
	}
	if nonce != "" && subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1 {
		return nil, invalidSignIn("ID token: another nonce than that of this sign-in")
	}
	var text json.RawMessage
	if err := id.Claims(&text); err != nil {
		return nil, invalidSignIn("ID token: claims")
	}
	members, err := strictjson.Members(text)
	if err != nil {
		return nil, invalidSignIn("ID token: claims: %s", err.Error())
	}
	var party string
	if text, ok := members["azp"]; ok && (json.Unmarshal(text, &party) != nil || party != d.options.ClientID) {
		return nil, invalidSignIn("ID token: claim azp: issued to another client")
	}
	var claims jwtClaims
	if err := claims.read(members, d.options.RightsClaim, d.fallback); err != nil {
		return nil, invalidSignIn("ID token: %s", err.Error())
	}
	principal := &Principal{Subject: claims.subject, Issued: claims.issued, Rights: claims.rights, source: sourceOIDC}
	if token.RefreshToken != "" {
		principal.Expires = claims.expires // then Refresh gets the rights as they are at that time
	}
	return principal, nil
}

// keep seals the refresh token of an answer.
func (d *OIDC) keep(token *oauth2.Token, p *Principal) (string, error) {
	if token.RefreshToken == "" {
		return "", nil
	}
	sealed, err := d.keys.refresh.seal(sealedRefresh{Token: token.RefreshToken, Subject: p.Subject, Session: p.Session, Issued: quote.Micros(p.Issued),
		Expires: time.Now().Add(d.lifetime).Unix()})
	if err == nil && len(sealed) > maxSession {
		return "", fmt.Errorf("refresh token: %w", ErrTooLarge)
	}
	return sealed, err
}

func invalidSignIn(format string, a ...any) error {
	return fmt.Errorf("sign-in: %w: %s", ErrInvalid, fmt.Sprintf(format, a...))
}

// tokenError returns an error of the token endpoint without its answer, which may contain secrets.
func tokenError(err error) error {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return invalidSignIn("the provider answers %q, status %d", excerpt.Of(refused.ErrorCode), refused.Response.StatusCode)
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("sign-in: %w", ErrUnavailable)
	}
	return invalidSignIn("the provider's answer can't be read")
}

// idTokenReason describes why an ID token is refused, without any part of it.
func idTokenReason(err error) string {
	if _, ok := errors.AsType[*oidc.TokenExpiredError](err); ok {
		return "expired"
	}
	return "signature, issuer or audience"
}
