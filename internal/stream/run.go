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
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		written := false
		for {
			b := s.Next(time.Now())
			if len(b) == 0 {
				break
			}
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
		if written {
			continue // a flush may have blocked for long
		}
		timer.Reset(time.Until(s.Deadline()))
		select {
		case <-s.bell:
		case <-timer.C:
		case <-gone:
			return nil
		}
	}
}
