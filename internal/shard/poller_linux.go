package shard

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// poller passes the kernel's events to the writers. It uses no connection itself, so each descriptor has one owner. Its
// epoll descriptor waits in Go's poller, so that it occupies no thread.
type poller struct {
	pool *Pool
	fd   int
	file *os.File
	raw  syscall.RawConn
}

// epollWait is a variable so that a test can make it fail.
var epollWait = unix.EpollWait

func newPoller(p *Pool) (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	// Go's poller accepts only non-blocking descriptors.
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	e := &poller{pool: p, fd: fd, file: os.NewFile(uintptr(fd), "epoll")}
	if e.raw, err = e.file.SyscallConn(); err != nil {
		e.file.Close()
		return nil, err
	}
	return e, nil
}

// close makes run return.
func (e *poller) close() { e.file.Close() }

func (e *poller) run() {
	defer func() {
		if v := recover(); v != nil {
			e.pool.opt.OnPanic("shard's poller", v)
			e.pool.fail(ErrPanicked)
		}
	}()
	events := make([]unix.EpollEvent, 256)
	for {
		n, errno := 0, error(nil)
		err := e.raw.Read(func(fd uintptr) bool {
			for errno = unix.EINTR; errno == unix.EINTR; {
				n, errno = epollWait(int(fd), events, 0)
			}
			return n != 0
		})
		if errno != nil { // the next call would fail too
			err = os.NewSyscallError("epoll_wait", errno)
		}
		if err != nil {
			e.pool.fail(err)
			return
		}
		for i := range n {
			e.pool.dispatch(&events[i])
		}
	}
}

// dispatch posts a kernel event to its connection, unless that is closed.
func (p *Pool) dispatch(e *unix.EpollEvent) {
	s := p.slot(e.Fd)
	if s.conn == nil || s.generation != e.Pad {
		return
	}
	var events uint32
	if e.Events&unix.EPOLLOUT != 0 {
		events |= eventWritable
	}
	if e.Events&^unix.EPOLLOUT != 0 {
		events |= eventReadable // reading also returns the error, if that is the event
	}
	s.conn.post(events)
}
