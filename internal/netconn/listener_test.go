package netconn

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ticklane/internal/testkit"
)

// failingListener returns errs, one by one, then net.ErrClosed.
type failingListener struct {
	net.Listener
	errs []error
}

func (l *failingListener) Accept() (net.Conn, error) {
	if len(l.errs) == 0 {
		return nil, net.ErrClosed
	}
	err := l.errs[0]
	l.errs = l.errs[1:]
	return nil, err
}

func acceptError(errno syscall.Errno) error {
	return &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", errno)}
}

// TestAcceptRetriesTransientErrors lists the errors of accept(2) after which a server goes on, and some that end it. A
// retry waits: without descriptors, Accept fails at once.
func TestAcceptRetriesTransientErrors(t *testing.T) {
	accept := func(errno syscall.Errno) (took time.Duration, err error) {
		var reported error
		l := NewListener(&failingListener{errs: []error{acceptError(errno)}}, Config{OnAcceptError: func(err error) { reported = err }})
		start := time.Now()
		_, err = l.Accept()
		if transient := err == net.ErrClosed; transient != errors.Is(reported, errno) {
			t.Errorf("%v: reported %v", errno, reported)
		}
		return time.Since(start), err
	}
	synctest.Test(t, func(t *testing.T) {
		for _, errno := range []syscall.Errno{
			syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EPERM, syscall.EPROTO,
			syscall.ENOPROTOOPT, syscall.EOPNOTSUPP, syscall.ENETDOWN, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.EHOSTUNREACH,
		} {
			if took, err := accept(errno); err != net.ErrClosed || took != 50*time.Millisecond {
				t.Errorf("%v: the second Accept returned %v after %v", errno, err, took)
			}
		}
		for _, errno := range []syscall.Errno{syscall.EBADF, syscall.EINVAL} {
			if took, err := accept(errno); !errors.Is(err, errno) || took != 0 {
				t.Errorf("%v: %v after %v", errno, err, took)
			}
		}
	})
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
