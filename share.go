package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"

	"ticklane/handlers"
	"ticklane/internal/cluster/share"
	"ticklane/internal/config"
)

// sharing is what this node shares with the others about credentials. Its methods may be called on nil, which shares nothing.
type sharing struct{ *share.Share }

// shareAccess makes revocations, tickets and the limits of subjects those of all nodes. It returns nil without bus.kind nats or without
// authentication.
func shareAccess(ctx context.Context, cfg config.Config, access access, nats *natsBus, logger *slog.Logger) (*sharing, error) {
	if nats == nil || access.service == nil {
		return nil, nil
	}
	if cfg.Auth.SessionKeyFile == "" && cfg.Bus.NATS.URL != "" {
		logger.Warn("auth.session_key_file isn't set: sessions and tickets of this node are not valid on others")
	}
	settings := settingsOfAccess(cfg.Auth)
	s, err := share.Open(ctx, share.Options{
		Conn: nats.Conn(), JS: nats.JetStream(), Prefix: cfg.Bus.NATS.Stream, Replicas: cfg.Bus.NATS.Replicas, Node: nodeName(cfg), Service: access.service, Logger: logger,
		Same: func() map[string]string {
			same := access.service.Fingerprints()
			for setting, text := range settings {
				same[setting] = text
			}
			return same
		},
	})
	if err != nil {
		return nil, err
	}
	return &sharing{s}, nil
}

// settingsOfAccess returns fingerprints of the settings that must be the same on all nodes, besides those whose files count.
func settingsOfAccess(c config.Auth) map[string]string {
	fingerprint := func(values ...any) string {
		text, _ := json.Marshal(values) // of texts and numbers
		hash := sha256.Sum256(text)
		return hex.EncodeToString(hash[:8])
	}
	return map[string]string{
		"auth.mode": fingerprint(c.Mode),
		"auth.jwt":  fingerprint(c.JWT.JWKSURL, c.JWT.Issuer, c.JWT.Audience),
		"auth.oidc": fingerprint(c.OIDC.Issuer, c.OIDC.ClientID, c.OIDC.RightsClaim, c.OIDC.Rights, c.OIDC.RedirectURL),
	}
}

// addTo adds the parts that handlers need.
func (s *sharing) addTo(d *handlers.Deps) {
	if s != nil {
		d.Others = s.Streams
	}
}

// run exchanges what changes until ctx is done.
func (s *sharing) run(ctx context.Context) {
	if s != nil {
		s.Run(ctx)
	}
}
