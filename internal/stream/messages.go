package stream

import (
	"math/rand/v2"
	"time"

	"ticklane/internal/wire"
)

// enqueue appends a message to the outbox.
func (s *Subscriber) enqueue(now time.Time, m wire.Message) {
	var payload int
	s.outbox.messages, payload = s.format.Append(s.outbox.messages, m)
	s.lastMessage = now
	s.counters.messages.Add(1)
	s.counters.payload.Add(uint64(payload))
}

func (s *Subscriber) enqueueGap(now time.Time, from, to uint64, reason string, snapshot bool) {
	s.enqueue(now, wire.Gap{Epoch: s.log.cfg.Epoch, From: from, To: to, Reason: reason, Snapshot: snapshot}.Message())
	s.counters.gaps.Add(1)
}

func (s *Subscriber) enqueueHeartbeat(now time.Time) {
	if s.delivery.due {
		s.enqueue(now, wire.HeartbeatBeforeSnapshot(now))
		return
	}
	s.enqueue(now, wire.Heartbeat(s.log.position(s.pos), now))
	s.lastSent.Store(s.pos)
}

// heartbeatDue reports whether a heartbeat is due: after silence, or when the newest position that the client holds is a
// quarter of the log old, so that a position of quiet topics never leaves the log.
func (s *Subscriber) heartbeatDue(now time.Time) bool {
	if now.Sub(s.lastMessage) >= s.log.cfg.Heartbeat {
		return true
	}
	if s.delivery.due {
		return false
	}
	behind := s.pos - min(s.pos, s.lastSent.Load())
	return behind > 0 && behind >= s.log.size/4
}

// enqueueBye ends the stream with a bye.
func (s *Subscriber) enqueueBye(now time.Time, reason string) {
	if !s.state.apply(eventBye) {
		return
	}
	s.enqueue(now, wire.Bye(reason, ByeRetry(reason, s.log.cfg.Retry, time.Duration(s.log.retrySpread.Load()))))
	s.endedReason.Store(&reason)
}

// ByeRetry returns after how long the client of an ended stream may reconnect: 0 when it may not by itself, otherwise a
// random time from base to base + max(4·base, spread), so that the clients of a server that stops don't reconnect all at
// once.
func ByeRetry(reason string, base, spread time.Duration) time.Duration {
	if wire.IsFinal(reason) {
		return 0
	}
	return base + rand.N(max(4*base, spread))
}

// compressOutbox compresses the messages of a compressed stream.
func (s *Subscriber) compressOutbox() {
	in := len(s.outbox.messages)
	b, counted := s.compressor.compressMessages(s.outbox.messages, s.state == stateDraining)
	if counted {
		s.counters.addCompressed(in, len(b))
	}
	s.outbox.messages = b
}
