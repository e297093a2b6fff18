package main

import (
	"context"
	"log/slog"

	"ticklane/handlers"
	"ticklane/internal/auth"
	"ticklane/internal/config"
)

// access is the authentication of the server. Without a service every client may do everything.
type access struct{ service *auth.Service }

// newAccess reads the files of the settings. The error names the setting.
func newAccess(c config.Auth, logger *slog.Logger) (access, error) {
	if c.Mode == "none" {
		return access{}, nil
	}
	s, err := auth.New(auth.Options{
		Mode: c.Mode, TokenFile: c.Tokens, Revocations: c.Revocations, SessionKey: c.SessionKeyFile, SessionTime: c.SessionTime, Logger: logger,
		JWT: auth.JWTOptions{Keys: c.JWT.Keys, JWKS: c.JWT.JWKSURL, Secret: c.JWT.SecretFile, Issuer: c.JWT.Issuer, Audience: c.JWT.Audience, Leeway: c.JWT.Leeway},
		OIDC: auth.OIDCOptions{
			Issuer: c.OIDC.Issuer, ClientID: c.OIDC.ClientID, ClientSecret: c.OIDC.ClientSecretFile, Scopes: c.OIDC.Scopes,
			RightsClaim: c.OIDC.RightsClaim, Rights: c.OIDC.Rights, RedirectURL: c.OIDC.RedirectURL,
		},
	})
	return access{s}, err
}

// addTo adds the parts that handlers need.
func (a access) addTo(d *handlers.Deps) {
	if s := a.service; s != nil {
		d.Auth, d.Sessions, d.Tickets, d.Revoked, d.OIDC = s.Verifier, s.Sessions, s.Tickets, s.Revocations, s.OIDC
	}
}

// run keeps files and keys up to date until ctx is done.
func (a access) run(ctx context.Context) {
	if a.service != nil {
		a.service.Run(ctx)
	}
}
