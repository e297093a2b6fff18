package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"ticklane/internal/cluster"
	"ticklane/internal/config"
)

// commonSettings returns a function that returns the settings that should be the same on all nodes, with the fingerprints of files as they
// are now. Not among them are limits that depend on the machine, and settings whose difference ends the start.
func commonSettings(cfg config.Config, access access) func() []cluster.Setting {
	all := settingsOfRequests(cfg)
	all = append(all, settingsOfFeed(cfg)...)
	all = append(all, settingsOfAccess(cfg.Auth)...)
	return func() []cluster.Setting {
		now := slices.Clone(all)
		if access.service == nil {
			return now
		}
		for name, text := range access.service.Fingerprints() {
			now = append(now, cluster.Setting{Name: name, Value: text, Secret: true, Effect: effectsOfFiles[name]})
		}
		return now
	}
}

// setting returns a setting whose value is shown.
func setting(name string, value any, effect string) cluster.Setting {
	return cluster.Setting{Name: name, Value: fmt.Sprint(value), Effect: effect}
}

// secret returns a setting with a fingerprint of its value.
func secret(name, value, effect string) cluster.Setting {
	hash := sha256.Sum256([]byte(value))
	return cluster.Setting{Name: name, Value: hex.EncodeToString(hash[:8]), Secret: true, Effect: effect}
}

// settingsOfRequests returns the settings that decide what a client gets from a node.
func settingsOfRequests(c config.Config) []cluster.Setting {
	return []cluster.Setting{
		setting("server.base_path", c.Server.BasePath, "an address of one server doesn't exist on the other"),
		setting("stream.log_size", c.Stream.LogSize, "a client that resumes on the server with the smaller log gets a gap and a snapshot sooner"),
		setting("limits.topics", c.Limits.Topics, "a stream with more topics is accepted by one server and refused by the other"),
		setting("limits.message_size", c.Limits.MessageSize, "a longer command is accepted by one server and refused by the other"),
		setting("limits.header_size", c.Limits.HeaderSize, "a request with a larger header is accepted by one server and refused by the other"),
		setting("limits.body_size", c.Limits.BodySize, "a request with a larger body is accepted by one server and refused by the other"),
		setting("bus.ack", c.Bus.Ack, "only some servers wait until ticks are stored when they run the feed"),
		setting("bus.nats.max_age", c.Bus.NATS.MaxAge, "each server that begins to run the feed changes the stream to its own value"),
		setting("bus.nats.max_bytes", c.Bus.NATS.MaxBytes, "each server that begins to run the feed changes the stream to its own value"),
	}
}

// settingsOfFeed returns the settings that change the feed while a node runs it.
func settingsOfFeed(c config.Config) []cluster.Setting {
	all := []cluster.Setting{
		setting("feed.stale_after", c.Feed.StaleAfter, "one server reports a stale feed earlier than the other"),
	}
	if c.Feed.Source == "ingest" {
		in := c.Feed.Ingest
		return append(all,
			setting("feed.ingest.line_size", in.LineSize, "a longer line is accepted by one server and refused by the other"),
			setting("feed.ingest.instruments", in.Instruments, "with more instruments the server with the smaller value ends"),
			setting("feed.ingest.rate", in.Rate, "the rate of lines changes when another server runs the feed"),
			secret("feed.ingest.token", string(in.Token), "a sender of lines that one server accepts is refused by the other"))
	}
	const effect = "the market changes when another server runs the feed"
	return append(all, setting("market.rate", c.Market.Rate, effect), setting("market.arrivals", c.Market.Arrivals, effect), setting("market.day_shape", c.Market.DayShape, effect))
}

const (
	effectOnTokens = "a token that one server accepts is refused by the other"
	effectOnSignIn = "people who sign in on one server may be refused, or have other rights, on the other"
)

// settingsOfAccess returns the settings that decide which credentials a node accepts, except for files: see effectsOfFiles.
func settingsOfAccess(c config.Auth) []cluster.Setting {
	all := []cluster.Setting{setting("auth.mode", c.Mode, "a credential that one server requires is refused or ignored by the other")}
	if c.Mode == "none" {
		return all
	}
	return append(all,
		setting("auth.delays", slices.Sorted(slices.Values(c.Delays)), "a client with delayed rights may get another delay from one server than from the other"),
		setting("auth.jwt.issuer", c.JWT.Issuer, effectOnTokens),
		setting("auth.jwt.audience", c.JWT.Audience, effectOnTokens),
		secret("auth.jwt.jwks_url", c.JWT.JWKSURL, effectOnTokens),
		setting("auth.oidc.issuer", c.OIDC.Issuer, effectOnSignIn),
		setting("auth.oidc.client_id", c.OIDC.ClientID, effectOnSignIn),
		setting("auth.oidc.rights_claim", c.OIDC.RightsClaim, effectOnSignIn),
		secret("auth.oidc.rights", c.OIDC.Rights, effectOnSignIn),
		setting("auth.oidc.redirect_url", c.OIDC.RedirectURL, effectOnSignIn))
}

// effectsOfFiles has the effect of each difference between the files of auth.Service.Fingerprints.
var effectsOfFiles = map[string]string{
	"auth.session_key_file": "a session or ticket of one server isn't accepted by the other",
	"auth.tokens":           effectOnTokens + ", or has other rights",
	"auth.jwt.keys":         effectOnTokens,
	"auth.jwt.secret_file":  effectOnTokens,
}
