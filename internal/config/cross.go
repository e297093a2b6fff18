package config

import (
	"fmt"
	"os"
	"strconv"
)

// checkDependencies checks the conditions between several keys. It ignores keys that already have a problem, so that one
// mistake is reported once.
func (s *settings) checkDependencies() {
	c := s.config
	check := func(ok bool, key, value, want string, with ...string) {
		if ok || s.bad[key] {
			return
		}
		for _, k := range with {
			if s.bad[k] {
				return
			}
		}
		s.addProblem(Problem{Key: key, Origin: s.origins[key], Value: value, Want: want})
	}

	checkFile := func(key, name string) {
		err := checkReadable(name)
		check(err == nil, key, strconv.Quote(name), fmt.Sprintf("can't be read: %v", err))
	}

	check(c.Stream.MaxLag <= c.Stream.LogSize, "stream.max_lag", strconv.Quote(strconv.Itoa(c.Stream.MaxLag)),
		fmt.Sprintf("want at most stream.log_size, which is %d", c.Stream.LogSize), "stream.log_size")

	admin := c.Server.AdminAddr
	check(admin == "" || onLoopback(admin) || c.Auth.Mode != "none", "server.admin_addr", strconv.Quote(admin),
		"want an address of loopback, such as 127.0.0.1:6060: with auth.mode none clients can't prove the right that other machines need", "auth.mode")

	cert, private := c.Server.TLSCert, c.Server.TLSKey
	check(cert == "" || private != "", "server.tls_key", "", "missing: server.tls_cert is set and needs it", "server.tls_cert")
	check(private == "" || cert != "", "server.tls_cert", "", "missing: server.tls_key is set and needs it", "server.tls_key")
	if cert != "" && private != "" {
		checkFile("server.tls_cert", cert)
		checkFile("server.tls_key", private)
	}

	s.checkAuth(check, checkFile)
	s.checkBus(check, checkFile)

	if c.Feed.Source == "replay" {
		name := c.Feed.File
		check(name != "", "feed.file", "", "missing: feed.source is replay and needs a CSV file", "feed.source")
		if name != "" && name != "-" {
			// Opening a named pipe waits for its writer.
			info, err := os.Stat(name)
			if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
				check(false, "feed.file", strconv.Quote(name), "is a pipe or a device: use - and send it to standard input")
			} else {
				checkFile("feed.file", name)
			}
		}
	}
}

// checkAuth checks that each mode has what it needs. Package auth checks the content of the files.
func (s *settings) checkAuth(check func(ok bool, key, value, want string, with ...string), checkFile func(key, name string)) {
	a := s.config.Auth
	for _, f := range []struct{ key, name string }{
		{"auth.tokens", a.Tokens}, {"auth.session_key_file", a.SessionKeyFile}, {"auth.jwt.secret_file", a.JWT.SecretFile}, {"auth.oidc.client_secret_file", a.OIDC.ClientSecretFile},
	} {
		if f.name != "" && a.Mode != "none" {
			checkFile(f.key, f.name)
		}
	}
	const mode = "auth.mode"
	check(a.Mode != "token" || a.Tokens != "", "auth.tokens", "", "missing: auth.mode is token and needs it (ticklane token new NAME --file FILE makes one)", mode)
	check(a.Mode != "jwt" || len(a.JWT.Keys) > 0 || a.JWT.JWKSURL != "" || a.JWT.SecretFile != "", "auth.jwt.keys", "",
		"missing: auth.mode is jwt and needs auth.jwt.keys, auth.jwt.jwks_url or auth.jwt.secret_file", mode, "auth.jwt.jwks_url", "auth.jwt.secret_file")
	check(a.JWT.JWKSURL == "" || a.JWT.Issuer != "", "auth.jwt.issuer", "", "missing: auth.jwt.jwks_url is set and needs it", "auth.jwt.jwks_url")
	check(a.Mode != "none" || a.Tokens == "" && len(a.JWT.Keys) == 0 && a.JWT.JWKSURL == "" && a.JWT.SecretFile == "" && a.OIDC.Issuer == "", mode, strconv.Quote(a.Mode),
		"want token or jwt: with none the settings of tokens, keys and provider would be ignored", "auth.tokens", "auth.jwt.keys", "auth.jwt.jwks_url", "auth.jwt.secret_file", "auth.oidc.issuer")
	if a.OIDC.Issuer != "" {
		check(a.OIDC.ClientID != "", "auth.oidc.client_id", "", "missing: auth.oidc.issuer is set and needs it", "auth.oidc.issuer")
		check(a.OIDC.RedirectURL != "", "auth.oidc.redirect_url", "", "missing: auth.oidc.issuer is set and needs it", "auth.oidc.issuer")
	}
}

// checkBus checks that a bus on NATS has what it needs.
func (s *settings) checkBus(check func(ok bool, key, value, want string, with ...string), checkFile func(key, name string)) {
	b, n := s.config.Bus, s.config.Bus.NATS
	if b.Kind != "nats" {
		return
	}
	check(n.URL != "" || s.config.Data.Dir != "", "data.dir", "", "missing: bus.kind is nats and stores in it, unless bus.nats.url names NATS servers", "bus.nats.url")
	check(n.URL != "" || n.Replicas == 1, "bus.nats.replicas", strconv.Itoa(n.Replicas), "want 1: without bus.nats.url there is one NATS server, in this process", "bus.nats.url")
	check(n.URL != "" || b.Lead, "bus.lead", "false", "want true: without bus.nats.url the NATS server is in this process, so no other server could run the feed", "bus.nats.url")
	check(s.config.Feed.Source != "replay", "feed.source", strconv.Quote("replay"), "want simulator or ingest with bus.kind nats: a replayed file can't go on in another process", "bus.kind")
	check(n.Cert == "" || n.Key != "", "bus.nats.key", "", "missing: bus.nats.cert is set and needs it", "bus.nats.cert")
	check(n.Key == "" || n.Cert != "", "bus.nats.cert", "", "missing: bus.nats.key is set and needs it", "bus.nats.key")
	for _, f := range []struct{ key, name string }{{"bus.nats.credentials", n.Credentials}, {"bus.nats.ca", n.CA}, {"bus.nats.cert", n.Cert}, {"bus.nats.key", n.Key}} {
		if f.name != "" {
			checkFile(f.key, f.name)
		}
	}
}

// checkReadable returns the reason why a file can't be read, or nil.
func checkReadable(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	// Opening a directory succeeds; only reading fails.
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		return fmt.Errorf("%s is a directory", name)
	}
	return err
}
