package shard

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// These calls bypass the scheduler's hooks for system calls (RawSyscall). The sockets are non-blocking, so no call waits;
// with the hooks, the scheduler might take the processor from the writer at each call.

func read(fd int, b []byte) (int, syscall.Errno)  { return transfer(unix.SYS_READ, fd, b) }
func write(fd int, b []byte) (int, syscall.Errno) { return transfer(unix.SYS_WRITE, fd, b) }

func transfer(call uintptr, fd int, b []byte) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		switch errno {
		case 0:
			return int(n), 0
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// writev writes the pieces that aren't empty.
func (w *writer) writev(fd int, pieces *[3][]byte) (int, syscall.Errno) {
	k := 0
	for _, p := range pieces {
		if len(p) > 0 {
			w.vector[k].Base = unsafe.SliceData(p)
			w.vector[k].SetLen(len(p))
			k++
		}
	}
	defer clear(w.vector[:]) // it would keep the log's memory alive
	for {
		n, _, errno := syscall.RawSyscall(unix.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&w.vector)), uintptr(k))
		switch errno {
		case 0:
			return int(n), 0
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}
