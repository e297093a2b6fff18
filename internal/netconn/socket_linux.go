package netconn

import (
	"errors"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// maxUnsent is the most that the kernel keeps of what a client isn't ready to receive, in bytes. Without it, snapshots for
// thousands of clients fill the kernel's memory for TCP, which then drops segments.
const maxUnsent = 64 << 10

// setOptions sets TCP_NOTSENT_LOWAT to maxUnsent and TCP_USER_TIMEOUT (RFC 5482) to timeout. The latter fails on MPTCP sockets;
// the write deadline still holds there.
func setOptions(c *net.TCPConn, timeout time.Duration) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(timeout.Milliseconds()))
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, maxUnsent)
	})
}

// unread returns the number of received bytes that wait in the kernel's buffer (SIOCINQ), 0 if it is unknown.
func unread(c net.Conn) (n int) {
	s, ok := c.(syscall.Conn)
	if !ok {
		return 0
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), unix.SIOCINQ) })
	return n
}

// duplicate returns a second descriptor of a socket, which Go's poller doesn't know. With an error, it is -1.
func duplicate(c net.Conn) (int, error) {
	s, ok := c.(syscall.Conn)
	if !ok {
		return -1, errors.ErrUnsupported
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return -1, err
	}
	var fd int
	var failed error
	if err := raw.Control(func(old uintptr) { fd, failed = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) }); err != nil {
		return -1, err
	}
	return fd, failed
}

// CloseDescriptor closes a descriptor that Conn.Duplicate returned.
func CloseDescriptor(fd int) { unix.Close(fd) }

func isUserTimeout(err error) bool { return errors.Is(err, unix.ETIMEDOUT) }
