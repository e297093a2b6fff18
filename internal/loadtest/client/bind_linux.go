package client

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// bindWithoutPort makes the system choose the local port when the socket is connected, not when it is bound. Then each pair
// of a local address and a server has the whole range of ports.
func bindWithoutPort(_, _ string, raw syscall.RawConn) error {
	var err error
	if controlErr := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	}); controlErr != nil {
		return controlErr
	}
	return err
}
