package stream

import (
	"time"

	"ticklane/internal/wire"
)

// handleLag enqueues a gap for the ticks that the client can't get any more, and a snapshot, and continues from the head.
// With OnLagLatest, the stream is conflated from then on.
func (s *Subscriber) handleLag(now time.Time) {
	reason := wire.GapLag
	if s.log.cfg.OnLag == OnLagLatest {
		reason = wire.GapConflated
		s.mode = ModeLatest
		s.pacing.interval = max(s.pacing.interval, s.log.cfg.Interval)
		s.conflating.Store(true)
	}
	snapshot, head := s.log.headSnapshot(s.topics)
	s.enqueueGap(now, s.pos+1, head, reason)
	if !s.noSnapshot {
		s.enqueue(now, snapshot.Message())
	}
	s.seek(head)
	s.lastSent.Store(head)
	s.pacing.close()
	s.change.waiting = false
}
