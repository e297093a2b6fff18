package stream

import (
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// enqueueHello enqueues the hello. It also prepares the gap and the snapshot that precede the first tick, if they are due.
func (s *Subscriber) enqueueHello(now time.Time) {
	if !s.state.apply(eventHello) {
		return
	}
	if s.limits.duration > 0 {
		s.endsAt = now.Add(s.limits.duration)
	}
	head := s.log.head.Load()
	start, resume := s.startPosition(head)
	lost := resume == wire.ResumeGap
	withSnapshot := !s.noSnapshot && (lost || resume == wire.ResumeReset || s.origin.from == FromLatest)
	// The hello's id is the position after which the client's ticks follow; there is none before a snapshot. If the connection
	// breaks before the gap or the snapshot has arrived, the client requests the same again.
	s.enqueue(now, wire.Hello{
		Conn: s.identity.conn, Lane: s.Lane(), Engine: s.identity.engine, Epoch: s.log.cfg.Epoch, Head: head,
		Oldest: s.log.oldest(head), Resume: resume, Mode: s.mode.String(), Topics: s.topics.Names(),
		Heartbeat: s.log.cfg.Heartbeat, Now: now, Start: s.log.position(start), Snapshot: withSnapshot, Retry: s.log.cfg.Retry,
		Expires: s.Principal().Expires, Delay: s.log.cfg.Delay, Narrowed: s.narrowed(s.topics),
	}.Message())
	if s.compressor != nil {
		s.compressor.markHello(len(s.outbox.messages))
	}
	switch {
	case withSnapshot && lost:
		s.delivery = delivery{due: true, topics: s.topics, atLeast: start + 1, gapFrom: start + 1, reason: wire.GapExpired}
	case withSnapshot:
		s.delivery = delivery{due: true, topics: s.topics}
	case lost:
		s.enqueueGap(now, start+1, head, wire.GapExpired, false)
		start = head
	}
	s.seek(start)
	s.lastSent.Store(start)
	s.caughtUp = start == head
	s.farBehind = !s.delivery.due && head-start > bulkTicks
	if s.delivery.due {
		s.prepareSnapshot(now)
	}
}

// bulkTicks is how many ticks behind the head a client may start without a slot of the bulkLimiter.
const bulkTicks = 4096

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
		case p.Seq < s.log.cfg.Start && s.mode != ModeAll && !s.log.restored: // the newest ticks before Start aren't in this log
			return head, wire.ResumeReset
		case p.Seq+1 < oldest && s.mode == ModeAll:
			return p.Seq, wire.ResumeGap
		default:
			return p.Seq, wire.ResumeComplete
		}
	}
	return head, wire.ResumeNone
}
