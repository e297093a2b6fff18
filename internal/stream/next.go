package stream

import (
	"time"

	"ticklane/internal/wire"
)

// Next returns the next bytes of the stream, framed in its format, or nothing when none are due; Ended then reports
// whether more may follow. The bytes are valid until the next call. They must be written completely and in order.
func (s *Subscriber) Next(now time.Time) []byte {
	b := s.outbox.take(s.limits.maxRead)
	if len(b) == 0 && s.state < stateDraining {
		b = s.nextPass(now)
	}
	if s.outbox.empty() {
		s.state.apply(eventDrained)
	}
	return b
}

// nextPass returns the first bytes that are due. If there are none, it sets waiting for a subscriber with a goroutine, so that
// the next tick notifies it, unless the subscriber waits for its pacing or for a snapshot.
func (s *Subscriber) nextPass(now time.Time) []byte {
	b := s.pass(now)
	if s.group.ofWriter {
		return b
	}
	if len(b) == 0 && !s.pacing.waiting && !s.awaiting {
		// Run the pass again after waiting is set: a tick that is appended later notifies.
		s.waiting.Store(true)
		b = s.pass(now)
	}
	if (len(b) > 0 || s.pacing.waiting || s.awaiting) && s.waiting.Load() {
		s.waiting.Store(false)
	}
	return b
}

// pass fills the outbox with what is due, and returns its first bytes.
func (s *Subscriber) pass(now time.Time) []byte {
	s.outbox.reset()
	s.pacing.waiting, s.awaiting = false, false
	s.outbox.shared = s.poll(now)
	if s.compressor != nil {
		s.compressOutbox()
	}
	s.position.Store(s.pos)
	return s.outbox.take(s.limits.maxRead)
}

// poll returns the ticks or the part of a snapshot that are due, and enqueues messages. What it returns goes before them.
func (s *Subscriber) poll(now time.Time) []byte {
	if s.state == stateNew {
		s.enqueueHello(now)
		return nil
	}
	s.reportFeed(now)
	s.reportExpiry(now)
	for {
		if reason := s.executeRequests(now); reason == stopReason {
			s.state.apply(eventStop)
			return nil
		} else if reason != "" {
			s.enqueueBye(now, reason)
		} else if !s.endsAt.IsZero() && !now.Before(s.endsAt) {
			s.enqueueBye(now, wire.ByeDuration)
		} else if s.authorization.expired(now) {
			s.enqueueBye(now, wire.ByeExpired)
		}
		if !s.outbox.empty() {
			return nil
		}
		if s.delivery.due {
			if b := s.nextPart(now); len(b) > 0 || !s.outbox.empty() {
				return b
			}
			break
		}
		if b := s.readTicks(now); len(b) > 0 {
			return b
		}
		if s.delivery.due {
			continue // readTicks has found that ticks were lost
		}
		if !s.change.waiting || s.awaiting || !s.outbox.empty() || s.change.blocks(s.pos) {
			break
		}
	}
	if s.outbox.empty() && s.heartbeatDue(now) {
		s.enqueueHeartbeat(now)
	}
	return nil
}

// readTicks reads the ticks that are due. When ticks were lost, or Options.Limit is reached, it enqueues messages.
func (s *Subscriber) readTicks(now time.Time) []byte {
	if s.farBehind && !s.log.bulk.acquire(s, maxLease) {
		s.awaiting = true
		return nil
	}
	for {
		horizon := s.horizon(now)
		if horizon == 0 {
			return nil
		}
		b, ok := s.readUpTo(horizon)
		if !ok {
			s.handleLag(now)
			return nil
		}
		if s.pos >= horizon {
			s.pacing.close()
		}
		if s.farBehind && s.caughtUp {
			s.farBehind = false
			s.log.bulk.release(s)
		}
		if b.ticks > 0 {
			s.countBatch(now, &b)
			return b.bytes
		}
		// A tick was skipped because a newer one of its symbol is beyond the horizon. The newer one was appended before waiting
		// was set, so it causes no notification: read again.
		if !s.latest.skipped || s.change.waiting && !s.change.blocks(s.pos) {
			return nil
		}
	}
}

// horizon returns the seq up to which ticks are due, 0 for none.
func (s *Subscriber) horizon(now time.Time) uint64 {
	if s.change.waiting {
		return s.change.at
	}
	return s.pacing.open(now, s.pos, s.log.head.Load())
}

func (s *Subscriber) readUpTo(horizon uint64) (b batch, ok bool) {
	lim := readLimits{
		horizon: horizon,
		lagFrom: horizon,
		bytes:   s.limits.maxRead,
		ticks:   ^uint64(0),
		maxLag:  uint64(s.log.cfg.MaxLag),
		exact:   s.change.waiting,
	}
	if s.limits.ticks > 0 {
		lim.ticks = s.limits.ticks - s.counters.ticks.Load()
	}
	if s.compressor != nil {
		return s.compressor.read(&lim)
	}
	lim.ticks = min(lim.ticks, segmentTicks)
	return s.read(&lim)
}

// countBatch counts a batch that Next is about to return, and ends the stream at Options.Limit.
func (s *Subscriber) countBatch(now time.Time, b *batch) {
	s.pacing.written(now)
	s.lastMessage = now
	s.lastSent.Store(b.last)
	s.counters.addBatch(b)
	if s.limits.ticks > 0 && s.counters.ticks.Load() >= s.limits.ticks {
		s.enqueueBye(now, wire.ByeLimit)
	}
}

// Ended reports whether Next has returned the last bytes of the stream.
func (s *Subscriber) Ended() bool { return s.state == stateEnded }

// CaughtUp reports whether Next would return nothing if head were the log's head. A writer then skips the call.
func (s *Subscriber) CaughtUp(head uint64) bool {
	return s.pos >= head && s.state == stateStreaming && !s.change.waiting && !s.delivery.due && s.outbox.empty() && !s.outbox.oversized()
}

// Deadline returns when Next must be called at the latest, even without a notification.
func (s *Subscriber) Deadline() time.Time {
	d := s.lastMessage.Add(s.log.cfg.Heartbeat)
	if s.pacing.waiting && s.pacing.dueAt.Before(d) {
		d = s.pacing.dueAt
	}
	if !s.endsAt.IsZero() && s.endsAt.Before(d) {
		d = s.endsAt
	}
	return s.authorization.deadline(d)
}
