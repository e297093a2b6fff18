package stream

import (
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// topicChange is when the first waiting change of topics is executed: once Next has returned all ticks up to seq at, so that
// the new topics take effect at one exact position.
type topicChange struct {
	waiting bool
	at      uint64
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
		case len(waiting) > 0 || !s.tryChangeTopics(now, r):
			waiting = append(waiting, r)
		}
	}
	clear(s.requests[len(waiting):])
	s.requests = waiting
	s.change.waiting = len(waiting) > 0
	if s.change.waiting && s.pos >= s.change.at {
		s.change.at = s.log.head.Load() // the state at pos isn't known any more: try again at the head
	}
	return ""
}

// tryChangeTopics changes the topics if Next has returned all ticks before the change, and reports whether it did.
func (s *Subscriber) tryChangeTopics(now time.Time, r request) (done bool) {
	if !s.change.waiting {
		s.change = topicChange{waiting: true, at: s.log.head.Load()}
	}
	return !s.change.blocks(s.pos) && s.changeTopics(now, r)
}

// changeTopics makes the new topics take effect at pos. It returns false when a symbol's state at pos is no longer known;
// then it must be called again at a later position.
func (s *Subscriber) changeTopics(now time.Time, r request) (done bool) {
	topics, added, err := s.topicsAfter(r.cmd)
	if err != nil {
		refusal := wire.TopicError(err, r.cmd.ID)
		if r.replyTo != nil {
			r.reply(result{err: refusal})
		} else {
			s.enqueue(now, refusal.Message())
		}
		return true
	}
	var snapshot wire.Snapshot
	withSnapshot := len(added.IDs()) > 0 && !s.noSnapshot
	if withSnapshot {
		var ok bool
		if snapshot, ok = s.log.snapshotAt(s.pos, added); !ok {
			return false
		}
	}
	s.topics = topics
	s.publishTopics()
	s.changeTopicGroup()
	s.seek(s.pos)
	s.group.join(s, topics)
	m := wire.Subscription(s.log.position(s.pos), topics.Names(), r.cmd.ID)
	s.enqueue(now, m)
	if withSnapshot {
		s.enqueue(now, snapshot.Message())
	}
	s.lastSent.Store(s.pos)
	r.reply(result{message: m})
	return true
}

func (s *Subscriber) topicsAfter(cmd wire.Command) (topics, added quote.Topics, err error) {
	u := s.log.cfg.Universe
	if cmd.Action == wire.ActionSubscribe {
		return u.Add(s.topics, cmd.Topics, s.limits.maxTopics)
	}
	topics, err = u.Remove(s.topics, cmd.Topics)
	return topics, added, err
}
