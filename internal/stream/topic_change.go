package stream

import (
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// topicChange is the state of the first pending change of topics. It is executed once Next has returned all ticks up to seq at, so that
// the new topics take effect at one exact position: at first the head, then the seq of the snapshot of the added topics.
type topicChange struct {
	waiting  bool
	at       uint64
	snapshot *sharedSnapshot // nil before it was obtained, or if there is none
}

// blocks reports whether a change waits for ticks after pos.
func (c topicChange) blocks(pos uint64) bool { return c.waiting && pos < c.at }

// executeRequests executes the requests that need not wait, and returns the reason to end the stream, if any. A change of
// topics waits for the ticks before it, and later changes wait for it; all other requests are executed at once.
func (s *Subscriber) executeRequests(now time.Time) (endReason string) {
	if s.requests, endReason = s.queue.take(s.requests); endReason != "" || len(s.requests) == 0 {
		return endReason
	}
	waiting := s.requests[:0]
	for _, r := range s.requests {
		switch {
		case r.frame != nil:
			s.outbox.messages = append(s.outbox.messages, r.frame...)
		case r.message != nil:
			s.enqueue(now, *r.message)
		case r.cmd.Action == wire.ActionTime:
			s.enqueue(now, wire.Time(r.received, time.Now(), r.cmd.ID))
		case r.renewal != nil && s.renewAtOnce(now, r):
		case len(waiting) > 0 || !s.tryChangeTopics(now, r):
			waiting = append(waiting, r)
		}
	}
	clear(s.requests[len(waiting):])
	s.requests = waiting
	s.change.waiting = len(waiting) > 0
	return ""
}

// tryChangeTopics changes the topics if everything before the change was sent, and reports whether it is done with the
// request.
func (s *Subscriber) tryChangeTopics(now time.Time, r request) (done bool) {
	if s.delivery.due {
		return false
	}
	if !s.change.waiting {
		s.change = topicChange{waiting: true, at: s.log.head.Load()}
	}
	if s.change.blocks(s.pos) {
		return false
	}
	topics, added, refusal := s.topicsAfter(r)
	if refusal != nil {
		s.refuse(now, r, refusal)
		return true
	}
	if topics.Every() && len(added.IDs()) > 0 {
		added = topics // the snapshot of all topics is shared with other clients
	}
	if s.change.snapshot == nil && len(added.IDs()) > 0 && !s.noSnapshot {
		if s.change.snapshot = s.obtainSnapshot(added, s.pos); s.change.snapshot == nil {
			return false
		}
		if s.change.at = s.change.snapshot.at; s.change.blocks(s.pos) {
			return false
		}
	}
	s.changeTopics(now, topics, r)
	return true
}

// changeTopics makes the new topics take effect at pos.
func (s *Subscriber) changeTopics(now time.Time, topics quote.Topics, r request) {
	s.topics = topics
	s.publishTopics()
	s.changeTopicGroup()
	s.seek(s.pos)
	s.group.join(s, topics)
	if r.renewal != nil {
		s.authorize(r.renewal)
	}
	snapshot := s.change.snapshot
	s.change.snapshot = nil
	m := wire.Subscription{At: s.log.position(s.pos), Topics: topics.Names(), ID: r.cmd.ID, Snapshot: snapshot != nil, Narrowed: s.narrowed(topics)}.Message()
	s.enqueue(now, m)
	if r.renewal != nil {
		m = s.enqueueRenewed(now, r)
	}
	if snapshot != nil {
		s.delivery = delivery{due: true, source: snapshot}
		s.caughtUp = s.pos == s.log.head.Load()
	} else {
		s.lastSent.Store(s.pos)
	}
	r.reply(result{message: m})
}

// refuse reports an error of a command.
func (s *Subscriber) refuse(now time.Time, r request, refusal *wire.CommandError) {
	if r.renewal != nil {
		s.restoreExpiry()
	}
	if r.replyTo != nil {
		r.reply(result{err: refusal})
		return
	}
	if s.onRefused != nil {
		s.onRefused(s, refusal)
	}
	s.enqueue(now, refusal.Message())
}

// topicsAfter returns the topics after a request, and those that it adds.
func (s *Subscriber) topicsAfter(r request) (topics, added quote.Topics, refusal *wire.CommandError) {
	if r.renewal != nil {
		topics, added, refusal = s.topicsAfterRenewal(r)
		return topics, added, refusal
	}
	u, cmd := s.log.cfg.Universe, r.cmd
	err := s.rights().Forbidden(u, cmd.Topics)
	switch {
	case err != nil:
	case cmd.Action == wire.ActionSubscribe:
		if topics, added, err = u.Add(s.topics, cmd.Topics, s.limits.maxTopics); err != nil {
			break
		}
		if d, ok := s.rights().Delay(u, added.Names()); !ok || d > s.log.cfg.Delay {
			return topics, added, delayed(cmd)
		}
	default:
		topics, err = u.Remove(s.topics, cmd.Topics)
	}
	if err != nil {
		return topics, added, wire.TopicError(s.rights().Hide(err), cmd.ID)
	}
	return topics, added, nil
}
