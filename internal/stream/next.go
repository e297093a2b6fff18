package stream

import (
	"math/rand/v2"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// Next returns the next bytes of the stream, framed in its format, or nothing when none are due; Ended then tells
// whether more will come. The bytes are valid until the next call, and must be written whole and in order.
func (s *Subscriber) Next(now time.Time) []byte {
	if b := s.portion(s.more); len(b) > 0 {
		return b
	}
	if b := s.rest(); len(b) > 0 {
		return b
	}
	if s.ended {
		return nil
	}
	if !s.group.written {
		// Parked before looking: a tick appended after the look finds it parked and wakes it.
		s.parked.Store(true)
	}
	b := s.look(now)
	s.seal()
	if b = s.portion(b); len(b) == 0 {
		b = s.rest()
	}
	if !s.group.written && (len(b) > 0 || s.waiting) {
		s.parked.Store(false)
	}
	s.position.Store(s.pos)
	return b
}

// Ended tells that the bye was handed over: nothing comes after it.
func (s *Subscriber) Ended() bool { return s.ended && len(s.more) == 0 && s.outAt == len(s.out) }

// Deadline is when Next must be called at the latest, whether or not Notified receives.
func (s *Subscriber) Deadline() time.Time {
	d := s.last.Add(s.log.cfg.Heartbeat)
	if s.waiting && s.nextAt.Before(d) {
		d = s.nextAt
	}
	if !s.end.IsZero() && s.end.Before(d) {
		d = s.end
	}
	return d
}

// CaughtUp tells that Next would return no tick up to head, and has nothing else to do. A writer then saves the call.
func (s *Subscriber) CaughtUp(head uint64) bool {
	if s.pos < head {
		return false
	}
	s.caught = true // the read that would find it is the call that is saved
	return !s.ended && !s.barred && cap(s.out) <= keptOut && len(s.more) == 0 && s.outAt == len(s.out)
}

// portion cuts ticks into writes of MaxRead; compressed, they may be a little more than was read, or less.
func (s *Subscriber) portion(b []byte) []byte {
	if len(b) <= s.opt.MaxRead || s.pack == nil { // without, as much was read as may be written, or one tick
		s.more = nil
		return b
	}
	s.more = b[s.opt.MaxRead:]
	return b[:s.opt.MaxRead]
}

// rest cuts what is left of the messages into writes of MaxRead.
func (s *Subscriber) rest() []byte {
	if s.outAt == len(s.out) {
		return nil
	}
	b := s.out[s.outAt:min(len(s.out), s.outAt+s.opt.MaxRead)]
	s.outAt += len(b)
	return b
}

// keptOut is the room for messages that a subscriber keeps: enough for a heartbeat. The rest was for a snapshot, which
// comes once in its life.
const keptOut = 512

// look decides what is due: messages go to out, ticks are returned and come before them.
func (s *Subscriber) look(now time.Time) []byte {
	if cap(s.out) > keptOut {
		s.out = nil // a snapshot's room
	}
	s.out, s.outAt = s.out[:0], 0
	s.waiting = false
	if !s.greeted {
		s.greet(now)
		return nil
	}
	for {
		if reason := s.answer(now); reason == silently {
			s.ended = true
			return nil
		} else if reason != "" {
			s.bye(now, reason)
		} else if !s.end.IsZero() && !now.Before(s.end) {
			s.bye(now, wire.ByeDuration)
		}
		if len(s.out) > 0 {
			return nil
		}
		if b := s.ticks(now); len(b) > 0 {
			return b
		}
		if !s.barred || len(s.out) > 0 || s.pos < s.barrier {
			break
		}
	}
	if len(s.out) == 0 && s.quiet(now) {
		s.say(now, wire.Heartbeat(s.at(s.pos), now))
		s.told.Store(s.pos)
	}
	return nil
}

// ticks reads on. A loss, and the end at a limit, become messages.
func (s *Subscriber) ticks(now time.Time) []byte {
	horizon := s.horizon(now)
	if horizon == 0 {
		return nil
	}
	left := ^uint64(0)
	if s.opt.Limit > 0 {
		left = s.opt.Limit - s.count.ticks.Load()
	}
	p, ok := s.fetch(horizon, s.barred, left, uint64(s.log.cfg.MaxLag))
	if !ok {
		s.lose(now)
		return nil
	}
	if s.pos >= horizon {
		s.window = 0
	}
	if p.ticks == 0 {
		if s.stale && (!s.barred || s.pos < s.barrier) {
			return s.ticks(now) // what is newer was appended before it parked, so nobody will wake it for that
		}
		return nil
	}
	s.nextAt = now.Add(s.interval)
	s.last = now
	s.told.Store(p.last)
	s.count.ticks.Add(p.ticks)
	s.count.payload.Add(uint64(p.payload))
	if p.conflated > 0 {
		s.count.conflated.Add(p.conflated)
	}
	if s.opt.Limit > 0 && s.count.ticks.Load() >= s.opt.Limit {
		s.bye(now, wire.ByeLimit)
	}
	return p.bytes
}

// horizon is up to where ticks are due now; 0 for none. With an interval, one due time opens a window up to
// the head of that moment, and the window is read to its end. A request waits for all before it.
func (s *Subscriber) horizon(now time.Time) uint64 {
	head := s.log.head.Load()
	switch {
	case s.barred:
		return s.barrier
	case s.interval <= 0:
		return head
	case s.window > 0:
		return s.window
	case head <= s.pos:
		return 0
	case now.Before(s.nextAt):
		s.waiting = true
		return 0
	}
	s.window = head
	return head
}

// quiet tells whether a heartbeat is due: after silence, or when the newest id that the client holds is a quarter
// of the log old, so that a quiet topic's position never ages out.
func (s *Subscriber) quiet(now time.Time) bool {
	if now.Sub(s.last) >= s.log.cfg.Heartbeat {
		return true
	}
	behind := s.pos - min(s.pos, s.told.Load())
	return behind > 0 && behind >= s.log.size/4
}

// greet says hello, and what is due before the first tick.
func (s *Subscriber) greet(now time.Time) {
	s.greeted = true
	s.interval = s.opt.Interval
	if s.opt.Duration > 0 {
		s.end = now.Add(s.opt.Duration)
	}
	for {
		head := s.log.head.Load()
		start, resume := s.start(head)
		lost := resume == wire.ResumeGap
		var snap wire.Snapshot
		due := !s.opt.NoSnapshot && (lost || resume == wire.ResumeReset || s.opt.From == FromLatest)
		if due {
			var ok bool
			if snap, ok = s.log.snapshotAt(head, s.topics); !ok {
				continue // a whole log went by: start again from the new head
			}
		}
		// A gap's hello has the client's own place as id: cut before the gap arrives, it would be told again.
		s.say(now, wire.Hello{
			Conn: s.conn, Lane: s.Lane(), Engine: s.opt.Engine, Epoch: s.log.cfg.Epoch, Head: head,
			Oldest: s.log.oldest(head), Resume: resume, Mode: s.mode.String(), Topics: s.topics.Names(),
			Heartbeat: s.log.cfg.Heartbeat, Now: now, Start: s.at(start), Retry: s.log.cfg.Retry,
		}.Message())
		if s.pack != nil {
			s.pack.secret = len(s.out)
		}
		if lost {
			s.tellGap(now, wire.Gap{Epoch: s.log.cfg.Epoch, From: start + 1, To: head, Reason: wire.GapExpired})
			start = head
		}
		if due {
			s.say(now, snap.Message())
		}
		s.seek(start)
		s.told.Store(start)
		s.caught = start == head
		return
	}
}

// start tells from which seq the stream begins, and how that fits what the client asked.
func (s *Subscriber) start(head uint64) (seq uint64, resume string) {
	oldest := s.log.oldest(head)
	switch s.opt.From {
	case FromOldest:
		return oldest - 1, wire.ResumeNone
	case FromUnknown:
		return head, wire.ResumeReset
	case FromPosition:
		switch p := s.opt.Position; {
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

// lose tells the client what it can no longer get, and goes on from the head.
func (s *Subscriber) lose(now time.Time) {
	reason := wire.GapLag
	if s.log.cfg.OnLag == OnLagLatest {
		reason = wire.GapConflated
		s.mode = ModeLatest
		s.interval = max(s.interval, s.log.cfg.Interval)
		s.conflating.Store(true)
	}
	for {
		head := s.log.head.Load()
		snap, ok := s.log.snapshotAt(head, s.topics)
		if !ok {
			continue
		}
		s.tellGap(now, wire.Gap{Epoch: s.log.cfg.Epoch, From: s.pos + 1, To: head, Reason: reason})
		if !s.opt.NoSnapshot {
			s.say(now, snap.Message())
		}
		s.seek(head)
		s.told.Store(head)
		s.window, s.barred = 0, false
		return
	}
}

func (s *Subscriber) tellGap(now time.Time, g wire.Gap) {
	s.say(now, g.Message())
	s.count.gaps.Add(1)
}

// bye says why the stream ends. Others than a finished one tell when to come back, spread so that the clients of
// a server that goes down don't come back as one.
func (s *Subscriber) bye(now time.Time, reason string) {
	s.say(now, wire.Bye(reason, ByeRetry(reason, s.log.cfg.Retry)))
	s.reason.Store(reason)
	s.ended = true
}

// ByeRetry is after how long a client shall come back: 0 for a finished stream, else one to five times base.
func ByeRetry(reason string, base time.Duration) time.Duration {
	if wire.IsFinished(reason) {
		return 0
	}
	return base + time.Duration(rand.Int64N(int64(4*base)))
}

func (s *Subscriber) say(now time.Time, m wire.Message) {
	var payload int
	s.out, payload = s.format.Append(s.out, m)
	s.last = now
	s.count.said.Add(1)
	s.count.payload.Add(uint64(payload))
}

func (s *Subscriber) at(seq uint64) quote.Position {
	return quote.Position{Epoch: s.log.cfg.Epoch, Seq: seq}
}
