package testserver

import "syscall"

// setReceiveBuffer sets the size of a socket's receive buffer in bytes.
func setReceiveBuffer(fd uintptr, size int) error {
	return syscall.SetsockoptInt(syscall.Handle(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, size)
}
