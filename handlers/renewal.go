package handlers

import (
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/auth"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// credentials checks those that clients send while a stream is open.
type credentials struct {
	tokens  auth.Authenticator // nil if the server requires no credentials
	revoked *auth.Revocations  // nil for none
}

// verify returns the principal of a command's token. The error is a *wire.CommandError, and may wrap one of package auth.
func (x *credentials) verify(cmd wire.Command) (*auth.Principal, error) {
	switch {
	case x.tokens == nil:
		return nil, wire.NoCredentials(cmd)
	case cmd.Token == "":
		return nil, &wire.CommandError{Code: wire.CodeBadJSON, Msg: "token: missing; want the new token", ID: cmd.ID}
	}
	p, err := x.tokens.Verify(cmd.Token)
	if err != nil {
		return nil, tokenError{invalidToken(err, cmd.ID), err}
	}
	return p, nil
}

// tokenError is the answer to a command with its reason, which clients don't get.
type tokenError struct {
	*wire.CommandError
	reason error
}

func (e tokenError) Unwrap() []error { return []error{e.CommandError, e.reason} }

// invalidToken returns the answer to a command whose credential isn't accepted, for a reason that is one of package auth.
func invalidToken(reason error, id *int64) *wire.CommandError {
	text := auth.ErrInvalid
	for _, known := range []error{auth.ErrExpired, auth.ErrRevoked, auth.ErrUnavailable} {
		if errors.Is(reason, known) {
			text = known
		}
	}
	return &wire.CommandError{Code: wire.CodeInvalidToken, Msg: text.Error(), ID: id}
}

// ofRequest returns the principal for a renewal by a request: that of the command's token or, without one, the request's own.
func (x *credentials) ofRequest(c *fiber.Ctx, cmd wire.Command) (*auth.Principal, error) {
	if x.tokens == nil || cmd.Token != "" {
		return x.verify(cmd)
	}
	if own := credentialOf(c); own.err != nil {
		return nil, invalidToken(own.err, cmd.ID)
	}
	return principalOf(c), nil
}

// reason returns why a stream of a principal must end, as the reason of a bye, "" if it needn't.
func (x *credentials) reason(p *auth.Principal) string {
	if x.revoked == nil {
		return ""
	}
	switch err := x.revoked.Check(p); {
	case errors.Is(err, auth.ErrRevoked):
		return wire.ByeRevoked
	case errors.Is(err, auth.ErrExpired):
		return wire.ByeExpired
	}
	return ""
}

// checkRenewal returns why a renewal can't take effect any more: the credential was revoked while the client didn't read.
func (x *credentials) checkRenewal(p *auth.Principal, cmd wire.Command) *wire.CommandError {
	if x.revoked == nil {
		return nil
	}
	if err := x.revoked.Check(p); err != nil {
		return invalidToken(err, cmd.ID)
	}
	return nil
}

// refuses returns why a client with a principal may send no more, as the reason of a bye, "" if it may.
func (s *streams) refuses(p *auth.Principal, now time.Time) string {
	if p.Expired(now.Add(-s.views.live.log.Grace())) {
		return wire.ByeExpired
	}
	return s.credentials.reason(p)
}

// endUnauthorized ends the streams whose credentials were revoked.
func (s *streams) endUnauthorized() {
	for _, view := range s.views.all {
		view.log.EndUnauthorized(s.credentials.reason)
	}
}

// expiredRefusal is the refusal of a client whose credential has expired: it may reconnect with another.
func (s *streams) expiredRefusal() *refusal {
	return &refusal{wire.ByeExpired, auth.ErrExpired.Error(), stream.ByeRetry(wire.ByeExpired, rateRetry, 0)}
}
