package stream

import (
	"time"

	"ticklane/internal/auth"
	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// checkSubject returns the error of a renewal by another subject than the stream's.
func (s *Subscriber) checkSubject(p *auth.Principal, cmd wire.Command) error {
	if p.Subject == s.Principal().Subject {
		return nil
	}
	return &wire.CommandError{Code: wire.CodeInvalidToken, Msg: "the token is of another subject than the stream's; open a new stream", ID: cmd.ID}
}

// renewAtOnce executes a renewal that is refused, or changes no topics, and reports whether it is done with the request. Of any other
// the new expiry counts at once: the change of topics may wait for a client that reads slowly.
func (s *Subscriber) renewAtOnce(now time.Time, r request) (done bool) {
	s.cursor.grow()
	topics, _, refusal := s.topicsAfterRenewal(r)
	switch {
	case refusal != nil:
		s.refuse(now, r, refusal)
		return true
	case string(topics.AppendKey(nil)) != string(s.topics.AppendKey(nil)):
		s.authorizeUntil(r.renewal.Expires)
		return false
	}
	s.topics = topics
	s.authorize(r.renewal)
	r.reply(result{message: s.enqueueRenewed(now, r)})
	return true
}

// topicsAfterRenewal returns what the stream's topics select by the new rights, and the symbols that are added.
func (s *Subscriber) topicsAfterRenewal(r request) (topics, added quote.Topics, refusal *wire.CommandError) {
	if s.checkRenewal != nil {
		if refusal = s.checkRenewal(r.renewal, r.cmd); refusal != nil {
			return topics, added, refusal
		}
	}
	u, rights := s.log.cfg.Universe, &r.renewal.Rights
	if err := rights.Forbidden(u, s.topics.Names()); err != nil {
		return topics, added, wire.TopicError(err, r.cmd.ID)
	}
	if d, ok := rights.Delay(u, s.topics.Names()); !ok || d > s.log.cfg.Delay {
		return topics, added, delayed(r.cmd)
	}
	topics, added = u.Within(s.topics, rights.Within())
	return topics, added, nil
}

// enqueueRenewed enqueues the answer to a renewal, and returns it.
func (s *Subscriber) enqueueRenewed(now time.Time, r request) wire.Message {
	m := wire.Auth(wire.AuthRenewed, r.renewal.Expires, r.cmd.ID)
	s.enqueue(now, m)
	return m
}

// delayed is the refusal of a command after which the client might read a topic later than the log has it.
func delayed(cmd wire.Command) *wire.CommandError {
	return &wire.CommandError{Code: wire.CodeDelayedTopic, Msg: "topics: some may be read only with a longer delay than this stream's; open another stream for them", ID: cmd.ID}
}
