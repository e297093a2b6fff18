package netconn

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// option returns the value of a TCP connection's socket option.
func option(t *testing.T, c net.Conn, level, name int) (value int) {
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { value, failed = unix.GetsockoptInt(int(fd), level, name) }); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return value
}

func TestSocketOptions(t *testing.T) {
	_, _, nc := tcpPair(t)
	l := NewListener(nil, Config{WriteTimeout: 1500 * time.Millisecond})
	size := option(t, nc, unix.SOL_SOCKET, unix.SO_SNDBUF)
	l.open(nc, "192.0.2.1")
	if got := option(t, nc, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT); got != 1500 {
		t.Errorf("TCP_USER_TIMEOUT is %d ms, want 1500", got)
	}
	if got := option(t, nc, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT); got != maxUnsent {
		t.Errorf("TCP_NOTSENT_LOWAT is %d, want %d", got, maxUnsent)
	}
	if got := option(t, nc, unix.SOL_SOCKET, unix.SO_SNDBUF); got != size {
		t.Errorf("without WriteBuffer, SO_SNDBUF changed from %d to %d", size, got)
	}
	l.cfg.WriteBuffer = 8192
	l.open(nc, "192.0.2.1")
	if got := option(t, nc, unix.SOL_SOCKET, unix.SO_SNDBUF); got != 2*8192 { // socket(7): the kernel doubles it
		t.Errorf("with a WriteBuffer of 8192, SO_SNDBUF is %d, want 16384", got)
	}
}

func TestDuplicateOutlivesItsConn(t *testing.T) {
	conn, _, client := tcpPair(t)
	fd, _, err := conn.Duplicate()
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	client.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, err = unix.Write(fd, []byte("hello"))
	CloseDescriptor(fd)
	if err != nil {
		t.Errorf("write to the descriptor: %v", err)
	}
	if got, err := io.ReadAll(client); string(got) != "hello" || err != nil {
		t.Errorf("the client received %q, %v", got, err)
	}
}

var errSyscallConn = errors.New("no raw connection")

// rawlessSocket has no raw connection.
type rawlessSocket struct{ socket }

func (*rawlessSocket) SyscallConn() (syscall.RawConn, error) { return nil, errSyscallConn }

func TestDuplicateFails(t *testing.T) {
	_, _, ended := tcpPair(t)
	ended.Close()
	for _, c := range []struct {
		name   string
		socket net.Conn
		err    error
	}{
		{"not a socket", new(socket), errors.ErrUnsupported},
		{"without a raw connection", new(rawlessSocket), errSyscallConn},
		{"a closed socket", ended, net.ErrClosed},
	} {
		if fd, err := duplicate(c.socket); fd != -1 || !errors.Is(err, c.err) {
			t.Errorf("%s: duplicate: %d, %v; want -1, %v", c.name, fd, err, c.err)
		}
		conn, l := newConn(t, c.socket)
		if fd, release, err := conn.Duplicate(); fd != -1 || release != nil || !errors.Is(err, c.err) {
			t.Errorf("%s: Duplicate: %d, %v; want -1, %v", c.name, fd, err, c.err)
		}
		conn.Close()
		if l.Open() != 0 { // the slot was not transferred
			t.Errorf("%s: %d open", c.name, l.Open())
		}
	}
}

// timedOutSocket is one whose reader received the error of TCP_USER_TIMEOUT before a blocked write failed.
type timedOutSocket struct{ socket }

func (*timedOutSocket) Read([]byte) (int, error) {
	return 0, &net.OpError{Op: "read", Err: syscall.ETIMEDOUT}
}

func TestUserTimeout(t *testing.T) {
	for _, c := range []struct {
		name    string
		socket  net.Conn
		read    bool
		timeout bool
	}{
		{"reported to the writer", &socket{err: &net.OpError{Op: "write", Err: syscall.ETIMEDOUT}}, false, true},
		{"reported to the reader", &timedOutSocket{socket{err: syscall.EPIPE}}, true, true},
		{"reset by the client", &socket{err: syscall.EPIPE}, true, false},
	} {
		conn, _ := newConn(t, c.socket)
		if c.read {
			conn.Read(make([]byte, 1))
		}
		if err, timeout := conn.WriteErr(); err != nil || timeout {
			t.Errorf("%s: before a write: %v, %v", c.name, err, timeout)
		}
		conn.Write([]byte("x"))
		if err, timeout := conn.WriteErr(); err == nil || timeout != c.timeout {
			t.Errorf("%s: %v, %v; want %v", c.name, err, timeout, c.timeout)
		}
	}
}
