package stream

import (
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// enqueueHello enqueues the hello, and the gap and snapshot that are due before the first tick.
func (s *Subscriber) enqueueHello(now time.Time) {
	if !s.state.apply(eventHello) {
		return
	}
	if s.limits.duration > 0 {
		s.endsAt = now.Add(s.limits.duration)
	}
	for !s.tryHello(now) {
	}
}

// tryHello returns false when the log moved on so far that the snapshot can't be made; nothing was enqueued then.
func (s *Subscriber) tryHello(now time.Time) bool {
	head := s.log.head.Load()
	start, resume := s.startPosition(head)
	lost := resume == wire.ResumeGap
	var snapshot wire.Snapshot
	withSnapshot := !s.noSnapshot && (lost || resume == wire.ResumeReset || s.origin.from == FromLatest)
	if withSnapshot {
		var ok bool
		if snapshot, ok = s.log.snapshotAt(head, s.topics); !ok {
			return false
		}
	}
	// Before a gap, the hello has the client's own position as id: if the connection breaks before the gap arrives, the
	// client resumes from there and gets the gap again.
	s.enqueue(now, wire.Hello{
		Conn: s.identity.conn, Lane: s.Lane(), Engine: s.identity.engine, Epoch: s.log.cfg.Epoch, Head: head,
		Oldest: s.log.oldest(head), Resume: resume, Mode: s.mode.String(), Topics: s.topics.Names(),
		Heartbeat: s.log.cfg.Heartbeat, Now: now, Start: s.log.position(start), Retry: s.log.cfg.Retry,
	}.Message())
	if s.compressor != nil {
		s.compressor.markHello(len(s.outbox.messages))
	}
	if lost {
		s.enqueueGap(now, start+1, head, wire.GapExpired)
		start = head
	}
	if withSnapshot {
		s.enqueue(now, snapshot.Message())
	}
	s.seek(start)
	s.lastSent.Store(start)
	s.caughtUp = start == head
	return true
}

// origin is where a client requested its stream to start.
type origin struct {
	from     From
	position quote.Position // with FromPosition
}

// resumes reports whether the client sent a position.
func (o origin) resumes() bool { return o.from == FromPosition || o.from == FromUnknown }

// startPosition returns the seq after which the stream starts, and the value of hello's resume.
func (s *Subscriber) startPosition(head uint64) (seq uint64, resume string) {
	oldest := s.log.oldest(head)
	switch s.origin.from {
	case FromOldest:
		return oldest - 1, wire.ResumeNone
	case FromUnknown:
		return head, wire.ResumeReset
	case FromPosition:
		switch p := s.origin.position; {
		case p.Epoch != s.log.cfg.Epoch || p.Seq > head:
			return head, wire.ResumeReset
		case p.Seq+1 < oldest && s.mode == ModeAll:
			return p.Seq, wire.ResumeGap
		default:
			return p.Seq, wire.ResumeComplete
		}
	}
	return head, wire.ResumeNone
}
