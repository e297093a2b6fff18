package stream

import (
	"time"

	"ticklane/internal/wire"
)

// handleLag enqueues a gap for the ticks that the client can't get any more, and a snapshot, and continues from the end of the gap.
// With OnLagLatest, the stream is conflated from then on.
func (s *Subscriber) handleLag(now time.Time) {
	reason := wire.GapLag
	if s.log.cfg.OnLag == OnLagLatest {
		reason = wire.GapConflated
		s.mode = ModeLatest
		s.pacing.interval = max(s.pacing.interval, s.log.cfg.Interval)
		s.conflating.Store(true)
	}
	s.pacing.close()
	s.change = topicChange{}
	from := s.pos + 1
	if s.noSnapshot {
		head := s.log.head.Load()
		s.enqueueGap(now, from, head, reason, false)
		s.seek(head)
		s.lastSent.Store(head)
	} else {
		s.delivery = delivery{due: true, topics: s.topics, atLeast: from, gapFrom: from, reason: reason}
		s.prepareSnapshot(now)
	}
}
