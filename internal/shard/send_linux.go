package shard

import (
	"slices"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// maxRead is the most that one write carries of a stream.
	maxRead = 64 << 10
	// joined is up to where a chunk is copied together: a write of several pieces costs more than to copy so little.
	joined = 4 << 10
	// progress is what a blocked client must take for its time to begin anew: what engine stream writes at once.
	progress = 16 << 10
)

var crlf = []byte("\r\n")

// tail is what a socket didn't take of a write: slices of bytes that all share, and no copy but of a chunk's head.
// They stay valid, since Next isn't called before it is gone.
type tail struct {
	pieces [3][]byte
	since  time.Duration // when it began to block
	moved  int           // bytes since then
}

// left cuts what was written off the pieces, and tells whether something is left.
func (t *tail) left(n int) bool {
	more := false
	for i, p := range t.pieces {
		k := min(n, len(p))
		t.pieces[i] = p[k:]
		n -= k
		more = more || k < len(p)
	}
	return more
}

// frame appends what goes before the next bytes of a stream: the answer's head once, and the head of a chunk.
func (c *conn) frame(to []byte, n int) []byte {
	to = append(to, c.head...)
	c.head = nil
	if c.chunked {
		to = strconv.AppendUint(to, uint64(n), 16)
		to = append(to, crlf...)
	}
	return to
}

// send writes the stream's next bytes; false when they aren't all out.
func (w *writer) send(c *conn, b []byte) bool {
	if !c.chunked && c.head == nil {
		return w.put(c, [3][]byte{b}, b)
	}
	if w.framed(c, b) {
		return w.put(c, [3][]byte{w.joint[:len(w.joint)-len(b)-len(crlf)], b, crlf}, w.joint)
	}
	plain := c.head == nil
	w.joint, w.source = c.frame(w.joint[:0], len(b)), nil
	pieces := [3][]byte{w.joint, b}
	if c.chunked {
		pieces[2] = crlf
	}
	if len(b) > joined {
		return w.put(c, pieces, nil)
	}
	w.joint = append(w.joint, b...)
	w.joint = append(w.joint, pieces[2]...)
	pieces[0] = w.joint[:len(pieces[0])]
	if plain {
		w.source, w.framer = b, c
	}
	return w.put(c, pieces, w.joint)
}

// framed tells whether joint is this chunk already, made for another connection. Two that have the very same bytes share
// them, and those never change; what a subscriber has of its own does, in the same place, but no other one gets it.
func (w *writer) framed(c *conn, b []byte) bool {
	return c.chunked && c.head == nil && w.framer != c && len(w.source) == len(b) && len(b) > 0 && &w.source[0] == &b[0]
}

// put writes pieces, which joined together are whole when that isn't nil. What the socket doesn't take becomes the tail.
// The first piece may be the writer's own, the others must last.
func (w *writer) put(c *conn, pieces [3][]byte, whole []byte) bool {
	n, errno := 0, syscall.Errno(0)
	size := len(whole)
	if whole == nil {
		size = len(pieces[0]) + len(pieces[1]) + len(pieces[2])
	}
	// Counted before the call: behind it, a locked add would wait for whatever the kernel has just stored.
	c.meter.Writes.Add(1)
	c.meter.Bytes.Add(uint64(size))
	if whole != nil {
		n, errno = write(c.fd, whole)
	} else {
		n, errno = w.writev(c.fd, &pieces)
	}
	if n == size {
		return true
	}
	c.meter.Bytes.Add(-uint64(size - n))
	if errno != 0 {
		c.meter.Writes.Add(^uint64(0))
	}
	if errno != 0 && errno != unix.EAGAIN {
		c.fail(errno)
		return false
	}
	c.tail = &tail{pieces: pieces, since: w.pool.since()}
	c.tail.left(n)
	if len(c.tail.pieces[0]) > 0 {
		c.tail.pieces[0] = slices.Clone(c.tail.pieces[0])
	}
	return errno == 0 && w.goOn(c) // only EAGAIN promises an event
}

// goOn writes a tail on until it is gone or the socket is full.
func (w *writer) goOn(c *conn) bool {
	for {
		n, errno := w.writev(c.fd, &c.tail.pieces)
		if errno == unix.EAGAIN {
			return false
		}
		if errno != 0 {
			c.fail(errno)
			return false
		}
		c.meter.Writes.Add(1)
		c.meter.Bytes.Add(uint64(n))
		if !c.tail.left(n) {
			c.tail = nil
			return true
		}
		if c.tail.moved += n; c.tail.moved >= progress {
			c.tail.moved, c.tail.since = 0, w.pool.since()
		}
	}
}

// fail closes a connection after a failed write. The kernel's own limit for what isn't acknowledged is our timeout, too.
func (c *conn) fail(errno syscall.Errno) {
	if errno == unix.ETIMEDOUT {
		c.sub.MarkSlow()
	}
	c.close(errno, false)
}

// The calls below go around the scheduler's hooks: the sockets are non-blocking, so no call waits for anybody, and the
// hooks would only invite the scheduler to take the processor away.

func write(fd int, b []byte) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		switch errno {
		case 0:
			return int(n), 0
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// writev skips empty pieces.
func (w *writer) writev(fd int, pieces *[3][]byte) (int, syscall.Errno) {
	k := 0
	for _, p := range pieces {
		if len(p) > 0 {
			w.vector[k].Base = unsafe.SliceData(p)
			w.vector[k].SetLen(len(p))
			k++
		}
	}
	defer clear(w.vector[:]) // it would keep segments of the log alive
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

func read(fd int, b []byte) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		switch errno {
		case 0:
			return int(n), 0
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}
