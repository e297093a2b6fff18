package stream

import "time"

// Writer is what a stream is written to. An error of either method ends the stream; after it, nothing more is written.
type Writer interface {
	Write(p []byte) (int, error)
	// Flush sends what was written on its way.
	Flush() error
}

// Run is engine stream's loop, on either lane: one goroutine for each subscriber. It returns nil after the bye, when gone
// is closed, or the writer's error. It doesn't close the subscriber.
func (s *Subscriber) Run(w Writer, gone <-chan struct{}) error {
	var a alarm
	defer a.stop()
	var b []byte
	OnFreshStack(func() { b = s.Next(time.Now()) }) // the hello, the deepest of all
	for {
		written := false
		for ; len(b) > 0; b = s.Next(time.Now()) {
			select {
			case <-gone: // a market that never pauses would keep it from the wait below
				return nil
			default:
			}
			if _, err := w.Write(b); err != nil {
				return err
			}
			written = true
		}
		if written {
			if err := w.Flush(); err != nil {
				return err
			}
		}
		if s.Ended() {
			return nil
		}
		// The last Next left it parked, so what came during the flush has rung the bell.
		a.set(s)
		if !s.await(gone) {
			return nil
		}
		b = s.Next(time.Now())
	}
}

// await blocks until the bell rings; false when gone is closed.
func (s *Subscriber) await(gone <-chan struct{}) bool {
	if gone == nil {
		<-s.bell // a select would cost twice as much
		return true
	}
	select {
	case <-s.bell:
		return true
	case <-gone:
		return false
	}
}

// alarm rings a subscriber's bell at its deadline, or somewhat earlier: each tick moves the deadline on, and a timer
// that is set anew for each of them costs more than one wake-up too many in a heartbeat.
type alarm struct {
	timer *time.Timer
	at    time.Time // when it rings; zero when it has rung
}

func (a *alarm) set(s *Subscriber) {
	due := s.Deadline()
	now := time.Now()
	switch {
	case a.timer == nil:
		a.timer = time.AfterFunc(due.Sub(now), s.ring)
	case a.at.After(now) && !due.Before(a.at):
		return // it rings first, and is set anew then
	default:
		a.timer.Reset(due.Sub(now))
	}
	a.at = due
}

func (a *alarm) stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
}

// OnFreshStack runs f on a stack of its own, and waits. A goroutine that lives for hours keeps the stack that its deepest call
// needed; the collector hardly ever shrinks it. A panic in f is the caller's.
func OnFreshStack(f func()) {
	done := make(chan any)
	go func() {
		defer func() { done <- recover() }()
		f()
	}()
	if p := <-done; p != nil {
		panic(p)
	}
}
