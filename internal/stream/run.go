package stream

import "time"

// Writer is what a stream is written to. An error of either method ends the stream, and no more calls follow it.
type Writer interface {
	Write(p []byte) (int, error)
	// Flush sends what was written.
	Flush() error
}

// Run is the loop of engine stream, for either lane: one goroutine for each subscriber. It returns nil after the last
// bytes of the stream or when gone is closed, otherwise the writer's error. It doesn't close the subscriber. A nil gone
// never ends the stream.
func (s *Subscriber) Run(w Writer, gone <-chan struct{}) error {
	var t deadlineTimer
	defer t.stop()
	now := time.Now()
	var b []byte
	OnFreshStack(func() { b = s.Next(now) }) // the hello needs the deepest stack
	for {
		written := len(b) > 0
		for len(b) > 0 {
			select {
			case <-gone: // a market without pauses would never get to the wait below
				return nil
			default:
			}
			if _, err := w.Write(b); err != nil {
				return err
			}
			if s.CaughtUp(s.log.head.Load()) {
				break // usually one read was all
			}
			now = time.Now()
			b = s.Next(now)
		}
		if written {
			if err := w.Flush(); err != nil {
				return err
			}
		}
		if s.Ended() {
			return nil
		}
		idle := len(b) == 0 // then Next has set waiting
		if !idle {
			// A tick that is appended after waiting is set notifies; those before it are in the head that is loaded then.
			s.waiting.Store(true)
			idle = s.CaughtUp(s.log.head.Load())
		}
		if idle {
			t.set(s, now)
			if !s.awaitNotification(gone) {
				return nil
			}
		}
		now = time.Now()
		b = s.Next(now)
	}
}

// awaitNotification blocks until the subscriber is notified. It returns false when gone is closed.
func (s *Subscriber) awaitNotification(gone <-chan struct{}) bool {
	if gone == nil {
		<-s.notifyCh // a select would cost twice as much
		return true
	}
	select {
	case <-s.notifyCh:
		return true
	case <-gone:
		return false
	}
}

// deadlineTimer notifies a subscriber at its deadline or earlier. Each tick moves the deadline; resetting the timer for
// each would cost more than one notification too many in every heartbeat.
type deadlineTimer struct {
	timer *time.Timer
	at    time.Time // when it fires; in the past when it has fired
}

func (t *deadlineTimer) set(s *Subscriber, now time.Time) {
	deadline := s.Deadline()
	switch {
	case t.timer == nil:
		t.timer = time.AfterFunc(deadline.Sub(now), s.Notify)
	case t.at.After(now) && !deadline.Before(t.at):
		return // it fires before the deadline, and is set again then
	default:
		t.timer.Reset(deadline.Sub(now))
	}
	t.at = deadline
}

func (t *deadlineTimer) stop() {
	if t.timer != nil {
		t.timer.Stop()
	}
}

// OnFreshStack runs f on the stack of another goroutine and waits for it. It keeps the caller's stack small: a goroutine
// that lives for hours keeps the stack that its deepest call needed, as the garbage collector rarely shrinks it. A panic
// in f is passed on to the caller, as a *Panic with its stack.
func OnFreshStack(f func()) {
	done := make(chan *Panic)
	go func() {
		var panicked *Panic
		defer func() { done <- panicked }()
		defer func() {
			if v := recover(); v != nil {
				panicked = Recovered(v)
			}
		}()
		f()
	}()
	if p := <-done; p != nil {
		panic(p)
	}
}
