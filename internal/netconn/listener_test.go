package netconn

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"ticklane/internal/testkit"
)

// failingListener returns errs before it accepts.
type failingListener struct {
	net.Listener
	errs []error
}

func (l *failingListener) Accept() (net.Conn, error) {
	if len(l.errs) > 0 {
		err := l.errs[0]
		l.errs = l.errs[1:]
		return nil, err
	}
	return l.Listener.Accept()
}

func acceptError(errno syscall.Errno) error {
	return &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", errno)}
}

func TestAcceptRetriesTransientErrors(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	failing := &failingListener{Listener: ln}
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EPROTO, syscall.ENETDOWN, syscall.EPERM} {
		failing.errs = append(failing.errs, acceptError(errno))
	}
	l := NewListener(failing, Config{WriteTimeout: time.Second, Limiter: NewLimiter(1, 1, false)})
	defer l.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c, err := l.Accept()
	if err != nil || len(failing.errs) != 0 {
		t.Fatalf("%v, %d errors left", err, len(failing.errs))
	}
	c.Close()
	for _, err := range []error{acceptError(syscall.EBADF), acceptError(syscall.EINVAL), net.ErrClosed} {
		failing.errs = []error{err}
		if _, got := l.Accept(); !errors.Is(got, err) {
			t.Errorf("%v, want %v", got, err)
		}
	}
}

func TestListenerClosesConnectionsOverTheLimit(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := NewListener(ln, Config{WriteTimeout: time.Second, Limiter: NewLimiter(2, 2, false)})
	accepted := make(chan net.Conn, 4)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	dial()
	first := <-accepted
	dial()
	<-accepted
	if _, err := io.ReadAll(dial()); err != nil {
		t.Errorf("the connection over the limit ended with %v, want EOF", err)
	}
	first.Close()
	if l.Open() != 1 {
		t.Errorf("%d open, want 1", l.Open())
	}
	last := dial()
	<-accepted
	l.CloseAll()
	if _, err := io.ReadAll(last); err != nil {
		t.Errorf("after CloseAll: %v, want EOF", err)
	}
	testkit.Eventually(t, func() bool { return l.Open() == 0 })
	l.Close()
	<-ended
}
