package shard

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// poller tells the writers what the kernel says of their connections. It touches no connection itself, so a
// descriptor has one owner. Its epoll descriptor waits in Go's own poller, so no thread is held by it.
type poller struct {
	pool *Pool
	fd   int
	file *os.File
	raw  syscall.RawConn
}

// epollWait is a variable for the test of its failure.
var epollWait = unix.EpollWait

func newPoller(p *Pool) (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	// Only a non-blocking descriptor gets into Go's poller.
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
		n, failed := 0, error(nil)
		err := e.raw.Read(func(fd uintptr) bool {
			for failed = unix.EINTR; failed == unix.EINTR; {
				n, failed = epollWait(int(fd), events, 0)
			}
			return n != 0
		})
		if failed != nil { // to ask again would fail again, for ever
			err = os.NewSyscallError("epoll_wait", failed)
		}
		if err != nil {
			e.pool.fail(err)
			return
		}
		for i := range n {
			e.pool.happened(&events[i])
		}
	}
}

func (p *Pool) slot(i int32) slot {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.slots[i]
}

func (p *Pool) happened(e *unix.EpollEvent) {
	s := p.slot(e.Fd)
	if s.conn == nil || s.generation != e.Pad {
		return
	}
	var what uint32
	if e.Events&unix.EPOLLOUT != 0 {
		what |= writable
	}
	if e.Events&^unix.EPOLLOUT != 0 {
		what |= readable // an error shows by reading, too
	}
	s.conn.tell(what)
}
