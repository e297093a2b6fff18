package handlers

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"

	"ticklane/internal/stream"
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

func TestHeldIsOneWrite(t *testing.T) {
	s := new(socket)
	c := connOn(s)
	c.hold()
	for _, p := range []string{"a", "bc", "def"} {
		if n, err := c.Write([]byte(p)); n != len(p) || err != nil {
			t.Fatal(n, err)
		}
	}
	if len(s.writes) != 0 {
		t.Fatalf("written while held: %q", s.writes)
	}
	if err := c.release(); err != nil || len(s.writes) != 1 || string(s.writes[0]) != "abcdef" {
		t.Fatalf("%v, %q", err, s.writes)
	}
	c.Write([]byte("g"))
	if len(s.writes) != 2 {
		t.Error("held after the release")
	}
}

// TestHeldKeepsOrder: more than a buffer holds goes out before, in order.
func TestHeldKeepsOrder(t *testing.T) {
	s := new(socket)
	c := connOn(s)
	c.hold()
	want := make([]byte, 60<<10)
	for i := range want {
		want[i] = byte(i * 7 >> 3)
	}
	at := 0
	for _, n := range []int{10, 12 << 10, 6 << 10, 20 << 10, 1, len(want)} {
		n = min(n, len(want)-at)
		c.Write(want[at : at+n])
		at += n
	}
	c.release()
	if got := bytes.Join(s.writes, nil); !bytes.Equal(got, want) {
		t.Errorf("%d bytes came out, or others", len(got))
	}
}

// TestNothingAfterABrokenRelease: what is held when a write fails is never sent.
func TestNothingAfterABrokenRelease(t *testing.T) {
	s := new(socket)
	c := connOn(s)
	c.hold()
	c.Write([]byte("a"))
	c.broken.Store(true)
	if err := c.release(); err == nil || len(s.writes) != 0 {
		t.Errorf("%v, %q", err, s.writes)
	}
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

// TestPipedPassesAll: whatever the pieces, all bytes come through, and none waits for those after it.
func TestPipedPassesAll(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	sizes := []int{1, 31, 32, 33, 4095, 4096, 4097, 8192, 20000}
	for range 200 {
		sizes = append(sizes, 1+r.IntN(6000))
	}
	arrived := make(chan int, len(sizes))
	var want []byte
	p := newPiped(nil, func(w stream.Writer) {
		for i, n := range sizes {
			b := bytes.Repeat([]byte{byte(i)}, n)
			want = append(want, b...)
			for len(b) > 0 { // in some writes and one flush
				n := min(len(b), 1+r.IntN(3000))
				w.Write(b[:n])
				b = b[n:]
			}
			w.Flush()
			for left := n; left > 0; left -= <-arrived {
			}
		}
	})
	var got bytes.Buffer
	_, err := p.WriteTo(writerFunc(func(b []byte) (int, error) {
		got.Write(b)
		if len(b) > 0 {
			arrived <- len(b)
		}
		return len(b), nil
	}))
	if err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%v, %d bytes of %d", err, got.Len(), len(want))
	}
}

// TestPipedEndsWithItsReader: a failed write is WriteTo's error, and the stream's goroutine ends when fasthttp closes.
func TestPipedEndsWithItsReader(t *testing.T) {
	over := make(chan struct{})
	p := newPiped(nil, func(w stream.Writer) {
		defer close(over)
		for {
			w.Write(make([]byte, 5000))
			if w.Flush() != nil {
				return
			}
		}
	})
	if _, err := p.WriteTo(writerFunc(func([]byte) (int, error) { return 0, io.ErrClosedPipe })); err == nil {
		t.Error("no error")
	}
	p.Close()
	<-over
}

// TestStreamEndsWithoutItsHead: an answer whose head can't be written runs its stream all the same, once, so that it gives back
// what it holds.
func TestStreamEndsWithoutItsHead(t *testing.T) {
	for _, room := range []int{16, 4096} { // the head doesn't fit into the buffer, or does
		runs, over := 0, make(chan error, 1)
		run := func(w stream.Writer) {
			runs++
			_, err := w.Write(make([]byte, 5000))
			over <- errors.Join(err, w.Flush())
		}
		for name, b := range map[string]io.Reader{engineBody: &body{run: run}, engineStream: newPiped(nil, run)} {
			var r fasthttp.Response
			r.SetBodyStream(b, -1)
			broken := writerFunc(func([]byte) (int, error) { return 0, io.ErrClosedPipe })
			if err := r.Write(bufio.NewWriterSize(broken, room)); err == nil {
				t.Errorf("%s, %d bytes: no error", name, room)
			}
			select {
			case err := <-over:
				if err == nil {
					t.Errorf("%s, %d bytes: the stream wrote on", name, room)
				}
			case <-time.After(patience):
				t.Fatalf("%s, %d bytes: the stream never ran", name, room)
			}
		}
		if runs != 2 {
			t.Errorf("%d runs", runs)
		}
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
