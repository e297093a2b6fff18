package auth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// Modes of authentication, besides "none", which needs no Service.
const (
	ModeToken = "token" // the tokens of a file
	ModeJWT   = "jwt"   // tokens that others have signed
)

// Options configures a Service. Secrets are in files, so that no setting contains one.
type Options struct {
	Mode        string // ModeToken or ModeJWT
	TokenFile   string // of ModeToken
	JWT         JWTOptions
	Revocations string // file; empty: in memory only
	SessionKey  string // file; empty: a random key, so that sessions end with the process
	SessionTime time.Duration
	OIDC        OIDCOptions // none without an Issuer
	Logger      *slog.Logger
	Client      *http.Client // for keys and providers; nil for one with a timeout of 10 s
}

// Service has the parts that authentication consists of. They are safe for concurrent use.
type Service struct {
	Verifier    *Verifier
	Sessions    *Sessions
	Tickets     *Tickets
	Revocations *Revocations
	OIDC        *OIDC // nil if it isn't configured

	tokens *tokenStore // nil in ModeJWT
	remote *remoteKeys // nil without a JWKS address
	same   string      // fingerprint of auth.session_key_file
	logger *slog.Logger
	kept   []time.Duration // see KeepDelays

	unreadable map[string]bool // settings whose file couldn't be read at the last try; used by Run
}

// filePoll is the time between two checks whether a file has changed. What it revokes must end within a second.
const filePoll = 500 * time.Millisecond

// compactEvery is the time between two checks whether the file of revocations has many expired lines.
const compactEvery = 10 * time.Minute

// secondCall is the time after which the functions of Revocations.OnChange are called again: a credential that was verified just before
// the change may have come to a stream just after the first call.
const secondCall = time.Second

// New reads the files of the options. Run keeps the Service up to date.
func New(o Options) (*Service, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 10 * time.Second, CheckRedirect: sameScheme}
	}
	if o.SessionTime == 0 {
		o.SessionTime = 12 * time.Hour
	}
	s := &Service{logger: o.Logger, unreadable: map[string]bool{}}
	var err error
	if s.Revocations, err = newRevocations(o.Revocations); err != nil {
		return nil, fmt.Errorf("auth.revocations: %w", err)
	}
	s.Tickets = newTickets(s.Revocations)
	s.Verifier = &Verifier{revocations: s.Revocations}
	switch o.Mode {
	case ModeToken:
		if s.tokens, err = newTokenStore(o.TokenFile); err != nil {
			return nil, fmt.Errorf("auth.tokens: %w", err)
		}
		s.Verifier.tokens, s.Revocations.tokens = s.tokens, s.tokens
	case ModeJWT:
		if s.Verifier.jwt, s.remote, err = newJWTVerifier(o.JWT, o.Client, o.Logger, s.Revocations.notify); err != nil {
			return nil, fmt.Errorf("auth.jwt.%w", err)
		}
		s.Revocations.jwt = s.Verifier.jwt
	default:
		return nil, errors.New("auth.mode: want token or jwt")
	}
	keys, err := newSecretKeys(o.SessionKey)
	if err != nil {
		return nil, fmt.Errorf("auth.session_key_file: %w", err)
	}
	sources := []source{sourceFile}
	if o.Mode == ModeJWT {
		sources[0] = sourceJWT
	}
	if o.OIDC.Issuer != "" {
		sources = append(sources, sourceOIDC)
	}
	s.Sessions = newSessions(keys, o.SessionTime, s.Revocations, s.tokens, sources...)
	s.Sessions.jwt = s.Verifier.jwt
	s.same = keys.fingerprint
	s.Tickets.keys, s.Tickets.sessions = keys.ticket, s.Sessions
	if o.OIDC.Issuer != "" {
		if s.OIDC, err = newOIDC(o.OIDC, keys, o.SessionTime, s.Revocations, o.Client, o.Logger); err != nil {
			return nil, fmt.Errorf("auth.oidc.%w", err)
		}
	}
	return s, nil
}

// sameScheme refuses redirects from https to http, where anyone on the way could replace keys.
func sameScheme(req *http.Request, via []*http.Request) error {
	if req.URL.Scheme != via[0].URL.Scheme || len(via) > 5 {
		return fmt.Errorf("redirect to %s://%s refused", req.URL.Scheme, req.URL.Host)
	}
	return nil
}

// Run reads changed files again, fetches keys and calls the functions of Revocations.OnChange, until ctx is done.
func (s *Service) Run(ctx context.Context) {
	var parts sync.WaitGroup
	defer parts.Wait()
	if s.remote != nil {
		parts.Go(func() { s.remote.run(ctx) })
	}
	if s.OIDC != nil {
		parts.Go(func() { s.OIDC.run(ctx) })
	}
	poll := time.NewTicker(filePoll)
	defer poll.Stop()
	again := time.NewTimer(0)
	again.Stop()
	defer again.Stop()
	compact := time.NewTicker(compactEvery)
	defer compact.Stop()
	s.compact()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.Revocations.changed:
			s.Revocations.callback()
			again.Reset(secondCall)
			continue
		case <-again.C:
			s.Revocations.callback()
			continue
		case <-compact.C:
			s.compact()
			continue
		case <-poll.C:
		}
		if s.tokens != nil && s.tokens.file.changed() {
			err := s.tokens.load()
			s.reloaded("auth.tokens", "the old tokens stay in use", err)
			if err == nil {
				s.warnDelays()
			}
		}
		if v := s.Verifier.jwt; v != nil && v.files.changed() {
			s.reloaded("auth.jwt.keys, auth.jwt.secret_file", "the old keys stay in use", v.files.load())
		}
		if f := s.Revocations.file; f != nil && f.changed() {
			s.reloaded("auth.revocations", "earlier revocations stay in force", s.Revocations.load())
		}
	}
}

// Fingerprints returns, for settings whose files must have the same content on all servers, a text that is equal for equal contents. It
// reveals nothing of them.
func (s *Service) Fingerprints() map[string]string {
	all := map[string]string{"auth.session_key_file": s.same}
	if s.tokens != nil {
		all["auth.tokens"] = s.tokens.set.Load().same
	}
	if v := s.Verifier.jwt; v != nil {
		all["auth.jwt.keys"], all["auth.jwt.secret_file"] = v.files.keys.Load().fingerprints()
	}
	return all
}

func (s *Service) compact() {
	if err := s.Revocations.compact(); err != nil {
		s.logger.Warn("expired revocations not removed from the file", "setting", "auth.revocations", "err", err)
	}
}

// reloaded logs the result of reading a changed file. One that can't be read is tried at each poll, and logged once.
func (s *Service) reloaded(setting, consequence string, err error) {
	_, unreadable := errors.AsType[*fs.PathError](err)
	before := s.unreadable[setting]
	s.unreadable[setting] = unreadable
	if unreadable && before {
		return
	}
	s.Revocations.reloaded() // valid lines of an invalid file count
	if err != nil {
		s.logger.Error("changed file is invalid; "+consequence, "setting", setting, "err", err)
		return
	}
	s.logger.Info("file reloaded", "setting", setting)
	s.Revocations.notify()
}
