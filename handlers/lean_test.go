package handlers

import (
	"bytes"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// socket notes what reaches it.
type socket struct {
	net.Conn
	writes    [][]byte
	deadlines []time.Time
}

func (s *socket) Write(p []byte) (int, error) {
	s.writes = append(s.writes, bytes.Clone(p))
	return len(p), nil
}

func (s *socket) SetDeadline(t time.Time) error { return s.SetWriteDeadline(t) }

func (s *socket) SetWriteDeadline(t time.Time) error {
	s.deadlines = append(s.deadlines, t)
	return nil
}

func connOn(s *socket) *conn {
	return &conn{Conn: s, listener: &listener{timeout: time.Second}}
}

// TestDeadlineHoldsForATenth: every write has at least the timeout before it and at most a tenth more, and most of them
// set no deadline.
func TestDeadlineHoldsForATenth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(socket)
		c := connOn(s)
		for range 100 {
			c.Write([]byte("x"))
			if left := time.Until(s.deadlines[len(s.deadlines)-1]); left < time.Second || left > 1100*time.Millisecond {
				t.Fatalf("a write may block for %v", left)
			}
			time.Sleep(7 * time.Millisecond)
		}
		if n := len(s.deadlines); n != 7 {
			t.Errorf("%d deadlines set in 700 ms", n)
		}
		// Who else sets one, sets it until the next write only.
		for _, set := range []func(time.Time) error{c.SetDeadline, c.SetWriteDeadline} {
			set(time.Time{})
			c.Write([]byte("x"))
			if s.deadlines[len(s.deadlines)-1].IsZero() {
				t.Error("a write without a deadline")
			}
		}
	})
}
