package handlers

import (
	"errors"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/auth"
)

// anonymous is the principal of requests without valid credentials. It has no rights.
var anonymous = &auth.Principal{}

// errNoCredentials is the reason of requests without credentials.
var errNoCredentials = errors.New("no credentials")

// credential is how a request proved who it acts for.
type credential struct {
	principal *auth.Principal
	kind      credentialKind
	err       error // nil if principal is verified, else errNoCredentials or one that wraps ErrInvalid, ErrExpired or ErrRevoked of package auth
}

// credentialKind is the part of a request that contains the credential.
type credentialKind string

const (
	noCredential          credentialKind = ""
	bearerCredential      credentialKind = "bearer"
	subprotocolCredential credentialKind = "subprotocol"
	ticketCredential      credentialKind = "ticket"
	cookieCredential      credentialKind = "cookie"
)

// expired reports whether the credential was valid until it expired. principal is then that of the expired credential.
func (x *credential) expired() bool { return errors.Is(x.err, auth.ErrExpired) }

// unrestricted is the credential of all requests to a server that requires none.
var unrestricted = &credential{principal: auth.Unrestricted}

// credentialKey is the key of a request's *credential among its locals.
type credentialKey struct{}

// credentialOf returns the credential of a request. It is valid after the middleware authenticate.
func credentialOf(c *fiber.Ctx) *credential {
	if x, ok := c.Locals(credentialKey{}).(*credential); ok {
		return x
	}
	return &credential{principal: anonymous, err: errNoCredentials}
}

// principalOf returns who a request acts for: auth.Unrestricted on a server that requires no credentials, anonymous for a request
// without valid ones. On the routes of streams it may have expired.
func principalOf(c *fiber.Ctx) *auth.Principal { return credentialOf(c).principal }
