package netconn

import (
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// socket records its deadlines. Its writes return err.
type socket struct {
	net.Conn
	err       error
	deadlines []time.Time
	writes    int
}

func (s *socket) Write(p []byte) (int, error) {
	s.writes++
	return len(p), s.err
}

func (s *socket) Read([]byte) (int, error)      { return 0, os.ErrClosed }
func (s *socket) Close() error                  { return nil }
func (s *socket) SetDeadline(t time.Time) error { return s.SetWriteDeadline(t) }

func (s *socket) SetWriteDeadline(t time.Time) error {
	s.deadlines = append(s.deadlines, t)
	return nil
}

// newConn returns a Conn on s that holds the only slot of its listener's limiter.
func newConn(t *testing.T, s net.Conn) (*Conn, *Listener) {
	l := NewListener(nil, Config{WriteTimeout: time.Second, Limiter: NewLimiter(1, 1, false)})
	if a := l.cfg.Limiter.Acquire("192.0.2.1"); a != Admitted {
		t.Fatal(a)
	}
	return l.open(s, "192.0.2.1"), l
}

// TestWriteDeadlineIsBetweenOneAndOnePointOneTimeouts also checks that most writes set no deadline.
func TestWriteDeadlineIsBetweenOneAndOnePointOneTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(socket)
		c, _ := newConn(t, s)
		for range 120 {
			c.Write([]byte("x"))
			if left := time.Until(s.deadlines[len(s.deadlines)-1]); left < time.Second || left > 1100*time.Millisecond {
				t.Fatalf("a write may block for %v", left)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if n := len(s.deadlines); n != 12 {
			t.Errorf("%d deadlines set in 1.2 s, want 12", n)
		}
		// A deadline set by other code lasts until the next write.
		for _, set := range []func(time.Time) error{c.SetDeadline, c.SetWriteDeadline} {
			set(time.Time{})
			c.Write([]byte("x"))
			if s.deadlines[len(s.deadlines)-1].IsZero() {
				t.Error("a write without a deadline")
			}
		}
	})
}

func TestNoWriteAfterAFailedOne(t *testing.T) {
	for _, c := range []struct {
		err     error
		timeout bool
	}{{errors.New("reset"), false}, {os.ErrDeadlineExceeded, true}} {
		s := &socket{err: c.err}
		conn, _ := newConn(t, s)
		if err, timeout := conn.WriteErr(); err != nil || timeout {
			t.Errorf("before the write: %v, %v", err, timeout)
		}
		if _, err := conn.Write([]byte("x")); err != c.err {
			t.Errorf("first write: %v", err)
		}
		s.err = nil
		if n, err := conn.Write([]byte("x")); n != 0 || err != errBroken || s.writes != 1 {
			t.Errorf("second write: %d, %v, %d writes to the socket", n, err, s.writes)
		}
		if err, timeout := conn.WriteErr(); err != c.err || timeout != c.timeout {
			t.Errorf("%v, %v; want %v, %v", err, timeout, c.err, c.timeout)
		}
	}
}
