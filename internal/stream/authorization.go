package stream

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"ticklane/internal/auth"
	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

const (
	// noticeBefore is how long before the expiry of its credential a client is informed, ± noticeSpread, so that not all clients whose
	// credentials were made at the same time renew them at once.
	noticeBefore = time.Minute
	noticeSpread = 10 * time.Second
)

// authorization is whose rights a stream has, and until when.
type authorization struct {
	principal atomic.Pointer[auth.Principal]

	// Of the owner.
	noticeAt time.Time // when the client is informed that its credential expires; zero if it isn't
	endsAt   time.Time // the expiry and Config.Grace; zero for never
	visible  int64     // symbols that the client may read, as of the last report: see feedStatus
}

// Principal returns the principal whose rights the stream has, never nil.
func (s *Subscriber) Principal() *auth.Principal { return s.authorization.principal.Load() }

// rights returns the rights that bound the topics.
func (s *Subscriber) rights() *auth.Rights { return &s.Principal().Rights }

// authorize sets the principal and the times that follow from its expiry.
func (s *Subscriber) authorize(p *auth.Principal) {
	s.authorization.principal.Store(p)
	s.authorizeUntil(p.Expires)
}

// restoreExpiry undoes what authorizeUntil has set for a renewal that waited and is refused.
func (s *Subscriber) restoreExpiry() {
	if p := s.Principal(); !s.endOf(p.Expires).Equal(s.authorization.endsAt) {
		s.authorizeUntil(p.Expires)
	}
}

// endOf returns when a stream ends whose credential expires then, zero for never.
func (s *Subscriber) endOf(expires time.Time) time.Time {
	if expires.IsZero() {
		return time.Time{}
	}
	return expires.Add(s.log.cfg.Grace)
}

// authorizeUntil sets the times that follow from the expiry of a credential, which is zero for never.
func (s *Subscriber) authorizeUntil(expires time.Time) {
	a := &s.authorization
	a.noticeAt, a.endsAt = time.Time{}, s.endOf(expires)
	if !expires.IsZero() {
		a.noticeAt = expires.Add(rand.N(2*noticeSpread) - noticeSpread - noticeBefore)
	}
}

// reportExpiry informs the client once that its credential expires.
func (s *Subscriber) reportExpiry(now time.Time) {
	a := &s.authorization
	if a.noticeAt.IsZero() || now.Before(a.noticeAt) {
		return
	}
	a.noticeAt = time.Time{}
	s.enqueue(now, wire.Auth(wire.AuthExpiring, s.Principal().Expires, nil))
}

// Grace returns Config.Grace.
func (l *Log) Grace() time.Duration { return l.cfg.Grace }

// expired reports whether the stream must end because its client didn't renew its credential.
func (a *authorization) expired(now time.Time) bool {
	return !a.endsAt.IsZero() && !now.Before(a.endsAt)
}

// deadline returns the earlier one of d and the next time of the authorization.
func (a *authorization) deadline(d time.Time) time.Time {
	for _, t := range [...]time.Time{a.noticeAt, a.endsAt} {
		if !t.IsZero() && t.Before(d) {
			d = t
		}
	}
	return d
}

// narrowed reports whether a set has "*", and that selects less than all symbols.
func (s *Subscriber) narrowed(topics quote.Topics) bool {
	return slices.Contains(topics.Names(), quote.All) && !s.rights().ReadsAll()
}

// EndUnauthorized ends each live stream for whose principal reason returns one, with a bye of it.
func (l *Log) EndUnauthorized(reason func(*auth.Principal) string) {
	for _, s := range l.Subscribers() { // without the registry's lock, because End may wait for others
		if r := reason(s.Principal()); r != "" {
			s.End(r)
		}
	}
}
