package shard

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// These calls bypass the scheduler's hooks for system calls (RawSyscall). The sockets are non-blocking, so no call waits;
// with the hooks, the scheduler might take the processor from the writer at each call.

func read(fd int, b []byte) (int, syscall.Errno) {
	return transfer(unix.SYS_READ, fd, unsafe.Pointer(unsafe.SliceData(b)), len(b))
}

func write(fd int, b []byte) (int, syscall.Errno) {
	return transfer(unix.SYS_WRITE, fd, unsafe.Pointer(unsafe.SliceData(b)), len(b))
}

// transfer calls read(2), write(2) or writev(2) with n bytes or pieces at p, and retries after EINTR.
func transfer(call uintptr, fd int, p unsafe.Pointer, n int) (int, syscall.Errno) {
	for {
		done, _, errno := syscall.RawSyscall(call, uintptr(fd), uintptr(p), uintptr(n))
		switch errno {
		case 0:
			return int(done), 0
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
	return transfer(unix.SYS_WRITEV, fd, unsafe.Pointer(&w.vector), k)
}
