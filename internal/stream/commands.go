package stream

import (
	"context"
	"errors"
	"slices"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// maxRequests bounds what may wait for a stream whose client doesn't read.
const maxRequests = 64

// ErrBusy says that too many requests wait for this stream.
var ErrBusy = errors.New("too many requests wait for this stream")

// Answer is a request's result.
type Answer struct {
	Message wire.Message
	Err     error
}

// request is something that the stream's owner does between two ticks.
type request struct {
	cmd      wire.Command
	received time.Time
	ready    *wire.Message // said as it is, instead of a command
	frame    []byte        // the same, framed already
	answer   chan Answer   // capacity 1; nil when the stream itself carries the answer
}

// EnqueueCommand queues a command whose answer the stream carries. The error is ErrBusy or ErrClosed.
func (s *Subscriber) EnqueueCommand(cmd wire.Command, received time.Time) error {
	return s.queue(request{cmd: cmd, received: received})
}

// EnqueueMessage queues a message that the stream shall carry. The error is ErrBusy or ErrClosed.
func (s *Subscriber) EnqueueMessage(m wire.Message) error {
	return s.queue(request{ready: &m})
}

// EnqueueFrame queues a WebSocket frame that is no message, such as a pong. The error is ErrBusy or ErrClosed.
func (s *Subscriber) EnqueueFrame(frame []byte) error {
	return s.queue(request{frame: frame})
}

// Execute carries out a command from outside the stream and returns the answer. Errors: a *wire.CommandError, ErrBusy,
// ErrClosed, or the context's.
func (s *Subscriber) Execute(ctx context.Context, cmd wire.Command, received time.Time) (wire.Message, error) {
	if cmd.Action == wire.ActionTime {
		return wire.Time(received, time.Now(), cmd.ID), nil
	}
	r := request{cmd: cmd, received: received, answer: make(chan Answer, 1)}
	if err := s.queue(r); err != nil {
		return wire.Message{}, err
	}
	select {
	case a := <-r.answer:
		return a.Message, a.Err
	case <-ctx.Done():
		return wire.Message{}, ctx.Err()
	}
}

func (s *Subscriber) queue(r request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return ErrClosed
	case len(s.requests) >= maxRequests:
		return ErrBusy
	}
	s.requests = append(s.requests, r)
	s.asked.Store(true)
	s.ring()
	return nil
}

// answer carries out what was asked, and returns the reason to end, if any. Time is answered at once, a
// change of topics when all ticks before it were handed over, so that it holds from one exact position.
func (s *Subscriber) answer(now time.Time) (ending string) {
	if s.asked.Load() {
		s.mu.Lock()
		ending = s.ending
		if len(s.todo) < maxRequests {
			s.todo = append(s.todo, s.requests...)
			clear(s.requests)
			s.requests = s.requests[:0]
		}
		s.asked.Store(ending != "" || len(s.requests) > 0)
		s.mu.Unlock()
	}
	if ending != "" || len(s.todo) == 0 {
		return ending
	}
	kept := s.todo[:0]
	for _, r := range s.todo {
		switch {
		case r.frame != nil:
			s.out = append(s.out, r.frame...)
		case r.ready != nil:
			s.say(now, *r.ready)
		case r.cmd.Action == wire.ActionTime:
			s.say(now, wire.Time(r.received, time.Now(), r.cmd.ID))
		case len(kept) > 0: // after the one that waits
			kept = append(kept, r)
		default:
			if !s.barred {
				s.barred, s.barrier = true, s.log.head.Load()
			}
			if s.pos < s.barrier || !s.change(now, r) {
				kept = append(kept, r)
			}
		}
	}
	clear(s.todo[len(kept):])
	s.todo = kept
	s.barred = len(kept) > 0
	if s.barred && s.pos >= s.barrier {
		s.barrier = s.log.head.Load()
	}
	return ""
}

// change makes the new topics hold from pos on. False asks to try again from a later position, because a symbol's
// state at this one is no longer known.
func (s *Subscriber) change(now time.Time, r request) bool {
	u := s.log.cfg.Universe
	var topics, added quote.Topics
	var err error
	if r.cmd.Action == wire.ActionSubscribe {
		topics, added, err = u.Add(s.topics, r.cmd.Topics, s.opt.MaxTopics)
	} else {
		topics, err = u.Remove(s.topics, r.cmd.Topics)
	}
	if err != nil {
		refusal := wire.TopicError(err, r.cmd.ID)
		if r.answer != nil {
			r.answer <- Answer{Err: refusal}
		} else {
			s.say(now, refusal.Message())
		}
		return true
	}
	var snap wire.Snapshot
	due := len(added.IDs()) > 0 && !s.opt.NoSnapshot
	if due {
		var ok bool
		if snap, ok = s.log.snapshotAt(s.pos, added); !ok {
			return false
		}
	}
	s.topics = topics
	s.mu.Lock()
	s.names = slices.Clone(topics.Names())
	s.mu.Unlock()
	s.recrowd()
	s.seek(s.pos)
	s.group.enlist(s, topics)
	m := wire.Subscription(s.at(s.pos), topics.Names(), r.cmd.ID)
	s.say(now, m)
	if due {
		s.say(now, snap.Message())
	}
	s.told.Store(s.pos)
	if r.answer != nil {
		r.answer <- Answer{Message: m}
	}
	return true
}
