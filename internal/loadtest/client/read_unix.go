//go:build unix

package client

import (
	"io"
	"net"
	"sync"

	"golang.org/x/sys/unix"
)

// readSize is the most that one read(2) returns.
const readSize = 64 << 10

// buffers are borrowed for one read and its decoding, so that an idle connection holds none.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, readSize)
	return &b
}}

// readAll passes what each read returns to take, until the end of the connection (io.EOF) or the first error. take must
// not keep the slice.
func readAll(nc net.Conn, take func([]byte) error) error {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return readCopied(nc, take)
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	var end error
	err = raw.Read(func(fd uintptr) bool {
		buf := buffers.Get().(*[]byte)
		defer buffers.Put(buf)
		for {
			n, err := unix.Read(int(fd), *buf)
			switch {
			case err == unix.EINTR:
				continue
			case err == unix.EAGAIN:
				return false
			case err != nil:
				end = err
				return true
			case n == 0:
				end = io.EOF
				return true
			}
			if end = take((*buf)[:n]); end != nil {
				return true
			}
			if n < len(*buf) {
				return false // drained; wait for the poller
			}
		}
	})
	if end != nil {
		return end
	}
	return err
}
