package shard

import (
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// maxWrite is the most bytes of a stream in one write.
	maxWrite = 64 << 10
	// maxJoined is the largest chunk that is copied to be contiguous: writev costs more than copying so few bytes.
	maxJoined = 4 << 10
	// progressBytes restart a blocked client's WriteTimeout: what engine stream writes at once.
	progressBytes = 16 << 10
)

var crlf = []byte("\r\n")

// pendingWrite is what the socket didn't accept of a write. Its slices are shared with other connections, except for the
// chunk header; they stay valid, because Next isn't called before they are written.
type pendingWrite struct {
	pieces [3][]byte
	since  time.Duration // when it began to block, or made progress
	moved  int           // bytes written since then
}

// advance removes n written bytes, and returns whether some are left.
func (t *pendingWrite) advance(n int) (left bool) {
	for i, p := range t.pieces {
		k := min(n, len(p))
		t.pieces[i] = p[k:]
		n -= k
		left = left || k < len(p)
	}
	return left
}

// appendFrameHead appends what precedes the next n bytes of a stream: the response head once, and the chunk header.
func (c *conn) appendFrameHead(to []byte, n int) []byte {
	to = append(to, c.responseHead...)
	c.responseHead = nil
	if c.chunked {
		to = strconv.AppendUint(to, uint64(n), 16)
		to = append(to, crlf...)
	}
	return to
}

// frameCache is the last small chunk that a writer framed. Connections with the same bytes share it.
type frameCache struct {
	buf    []byte // header, bytes and CRLF
	source []byte // the bytes framed in buf; nil when buf can't be shared
	owner  *conn  // the connection it was made for
}

// holds reports whether the cache is the chunk of b for c, made for another connection. Only bytes of the log are shared
// between subscribers, and they never change. A subscriber's own bytes may change in place, but only it gets them.
func (f *frameCache) holds(c *conn, b []byte) bool {
	return c.chunked && c.responseHead == nil && f.owner != c && len(f.source) == len(b) && len(b) > 0 && &f.source[0] == &b[0]
}

// clear releases the log's memory.
func (f *frameCache) clear() { f.source, f.owner = nil, nil }

// send writes the stream's next bytes. It returns false when some are pending, or the connection was closed.
func (w *writer) send(c *conn, b []byte) bool {
	f := &w.frames
	if !c.chunked && c.responseHead == nil {
		return w.write(c, [3][]byte{b}, b)
	}
	if f.holds(c, b) {
		return w.write(c, [3][]byte{f.buf[:len(f.buf)-len(b)-len(crlf)], b, crlf}, f.buf)
	}
	shareable := c.responseHead == nil
	f.buf, f.source = c.appendFrameHead(f.buf[:0], len(b)), nil
	pieces := [3][]byte{f.buf, b}
	if c.chunked {
		pieces[2] = crlf
	}
	if len(b) > maxJoined {
		return w.write(c, pieces, nil)
	}
	f.buf = append(f.buf, b...)
	f.buf = append(f.buf, pieces[2]...)
	pieces[0] = f.buf[:len(pieces[0])]
	if shareable {
		f.source, f.owner = b, c
	}
	return w.write(c, pieces, f.buf)
}

// write writes pieces; joined is the same bytes in one slice, or nil. What the socket doesn't accept becomes c.pending. The
// first piece may be reused by the caller; the others must stay valid. It returns false when bytes are pending, or the
// connection was closed.
func (w *writer) write(c *conn, pieces [3][]byte, joined []byte) bool {
	n, errno := 0, syscall.Errno(0)
	size := len(joined)
	if joined == nil {
		size = len(pieces[0]) + len(pieces[1]) + len(pieces[2])
	}
	// Counted before the call: after it, an atomic add would wait for the kernel's stores to complete.
	c.meter.Writes.Add(1)
	c.meter.Bytes.Add(uint64(size))
	if joined != nil {
		n, errno = write(c.fd, joined)
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
	c.pending = &pendingWrite{pieces: pieces, since: sinceStart()}
	c.pending.advance(n)
	if len(c.pending.pieces[0]) > 0 {
		c.pending.pieces[0] = slices.Clone(c.pending.pieces[0])
	}
	return errno == 0 && w.resumeWrite(c) // only after EAGAIN does the kernel send an event
}

// resumeWrite writes pending bytes until none are left or the socket is full. It returns whether none are left.
func (w *writer) resumeWrite(c *conn) bool {
	for {
		n, errno := w.writev(c.fd, &c.pending.pieces)
		if errno == unix.EAGAIN {
			return false
		}
		if errno != 0 {
			c.fail(errno)
			return false
		}
		c.meter.Add(n, 1)
		if !c.pending.advance(n) {
			c.pending = nil
			return true
		}
		if c.pending.moved += n; c.pending.moved >= progressBytes {
			c.pending.moved, c.pending.since = 0, sinceStart()
		}
	}
}

// fail closes a connection after an error of read or write. ETIMEDOUT is the kernel's limit for unacknowledged bytes
// (TCP_USER_TIMEOUT), so it counts as a slow client too.
func (c *conn) fail(errno syscall.Errno) {
	if errno == unix.ETIMEDOUT {
		c.sub.MarkSlow()
	}
	c.close(errno, false)
}
