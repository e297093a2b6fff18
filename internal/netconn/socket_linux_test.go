package netconn

import (
	"net"
	"syscall"
	"testing"
)

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
