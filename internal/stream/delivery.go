package stream

import (
	"time"

	"ticklane/internal/quote"
)

// delivery is the progress of a snapshot that is due. Until its last part was sent, the client gets no ticks and no new
// position.
type delivery struct {
	due     bool
	topics  quote.Topics
	atLeast uint64          // the snapshot is valid at this seq or a later one
	gapFrom uint64          // a gap from here precedes it; 0 for none
	reason  string          // of the gap
	source  *sharedSnapshot // nil while it isn't ready
	sent    int             // parts of source
}

// snapshotWait is the state of a subscriber that waits for a snapshot or for a slot of the bulkLimiter.
type snapshotWait struct {
	awaiting bool         // set by a pass of Next that found nothing to send: a notification follows
	job      *snapshotJob // renders the snapshot; nil if none was needed yet

	// Guarded by bulkLimiter.mu.
	slot  slotState
	lease time.Duration // of the slot
}

// obtainSnapshot returns a snapshot of topics, valid at atLeast or later. It returns nil while that isn't ready; then the
// subscriber will be notified, and must call it again with the same topics.
func (s *Subscriber) obtainSnapshot(topics quote.Topics, atLeast uint64) *sharedSnapshot {
	l := s.log
	if n := len(topics.IDs()); n > fewSymbols && !l.bulk.acquire(s, s.bulkLease(n)) {
		s.awaiting = true
		return nil
	}
	if s.job != nil {
		made := s.job.result.Load()
		if made == nil {
			s.awaiting = true
			return nil
		}
		s.job = nil
		if made.failed != nil {
			panic(made.failed)
		}
		if made.at+1 >= l.oldest(l.head.Load()) {
			return made
		}
	}
	made, job := l.snapshots.get(s, topics, s.snapshotCompression(), atLeast)
	if made == nil {
		s.job, s.awaiting = job, true
	}
	return made
}

// snapshotCompression returns how the client's next snapshot is compressed.
func (s *Subscriber) snapshotCompression() Compression {
	if s.compressor == nil {
		return CompressNone
	}
	return s.compressor.snapshotCompression()
}

// prepareSnapshot obtains the snapshot that is due. Once it is ready, prepareSnapshot moves the subscriber to its seq and
// enqueues the gap before it.
func (s *Subscriber) prepareSnapshot(now time.Time) {
	d := &s.delivery
	if d.source = s.obtainSnapshot(d.topics, d.atLeast); d.source == nil {
		return
	}
	s.seek(d.source.at)
	s.caughtUp = s.pos == s.log.head.Load()
	s.pacing.close()
	if d.gapFrom > 0 {
		s.enqueueGap(now, d.gapFrom, s.pos, d.reason, true)
	}
}

// nextPart returns the next message of the snapshot that is due. It returns nothing while the snapshot isn't ready, or when
// a gap was enqueued, which goes first.
func (s *Subscriber) nextPart(now time.Time) []byte {
	d := &s.delivery
	if d.source == nil {
		s.prepareSnapshot(now)
		if d.source == nil || !s.outbox.empty() {
			return nil
		}
	}
	p := &d.source.parts[d.sent]
	s.lastMessage = now
	s.counters.messages.Add(1)
	s.counters.payload.Add(uint64(p.payload))
	if s.compressor != nil {
		s.compressor.sendSnapshot(p)
	}
	if d.source.compressed {
		s.counters.addCompressed(len(p.text), len(p.bytes))
	}
	if d.sent++; d.sent == len(d.source.parts) {
		*d = delivery{}
		s.lastSent.Store(s.pos)
		s.log.bulk.release(s)
	}
	return p.bytes
}
