package storm

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	loadclient "ticklane/internal/loadtest/client"
	"ticklane/internal/wire"
)

// phase is what a client does at the moment.
type phase uint8

const (
	away       phase = iota // it has left, or hasn't come yet
	waiting                 // until it tries again
	connecting              // the TCP connection
	asking                  // the request is sent
	reading                 // the stream
)

// client is one client of a fleet.
type client struct {
	f     *Fleet
	index int
	phase phase
	fd    int // −1 without a connection
	state state

	failures int           // attempts since the last hello
	asked    time.Duration // by the server: wait so long before the next attempt
	since    bool          // the connection was opened since Fleet.Begin
	reached  time.Time     // when state became whole since then; zero while it isn't

	head       []byte // of the response, while it is incomplete
	response   response
	chunks     wire.Dechunker
	events     eventParser
	frames     frameParser
	packed     []byte // a compressed block that is incomplete
	skip       int    // bytes of gzip's header still to come
	compressed stream
}

// gzipHeader is the size of a gzip header without optional fields (RFC 1952 §2.3).
const gzipHeader = 10

const maxHead = 64 << 10

// connect starts a connection.
func (c *client) connect() {
	c.f.counts.Attempts++
	fd, err := dial(c.index, c.f.target.Port)
	if err != nil {
		c.f.failed = err
		return
	}
	c.fd, c.phase, c.since = fd, connecting, true
	c.head, c.packed, c.response = nil, nil, response{}
	c.chunks, c.events, c.frames, c.compressed = wire.Dechunker{}, eventParser{}, frameParser{}, stream{}
	c.state.connected()
	c.f.byFD[fd] = c
	if err := unix.EpollCtl(c.f.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLOUT, Fd: int32(fd)}); err != nil {
		c.f.failed = err
	}
}

// dial starts a connection from one of the loopback addresses.
func dial(i, port int) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return 0, err
	}
	// The port is chosen when the other address is known too, which allows more connections.
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	if err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(2 + i%sources)}}); err == nil {
		err = unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	}
	if err != nil && err != unix.EINPROGRESS && err != unix.ECONNREFUSED {
		_ = unix.Close(fd)
		return 0, err
	}
	return fd, nil
}

// connected sends the request once the TCP connection is open.
func (c *client) connected() {
	if errno, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || errno != 0 {
		c.f.counts.Unreachable++
		c.again("")
		return
	}
	if _, err := unix.Write(c.fd, c.f.target.request(c.state.position)); err != nil {
		c.f.counts.Unreachable++
		c.again("")
		return
	}
	c.phase = asking
	_ = unix.EpollCtl(c.f.epoll, unix.EPOLL_CTL_MOD, c.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.fd)})
}

// read reads once. If bytes are left, the next wait returns at once, after the other clients had their turn.
func (c *client) read(buf []byte) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(c.fd), uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)))
	if errno == unix.EAGAIN || errno == unix.EINTR {
		return
	}
	if errno != 0 || n == 0 {
		if c.phase == asking {
			c.f.counts.Unreachable++
		}
		c.again("")
		return
	}
	c.f.now = time.Now()
	c.f.counts.Bytes += int64(n)
	if err := c.take(buf[:n]); err != nil {
		if err != errClosed {
			c.f.malformed(err)
		}
		c.again("")
	}
}

// take handles the next bytes of the connection.
func (c *client) take(b []byte) error {
	if c.phase == asking {
		c.head = append(c.head, b...)
		end := bytes.Index(c.head, []byte("\r\n\r\n"))
		if end < 0 {
			if len(c.head) > maxHead {
				return errFrame
			}
			return nil
		}
		if ok := c.accept(c.head[:end]); !ok {
			return nil
		}
		b, c.head = c.head[end+4:], nil
	}
	switch {
	case c.f.target.Lane == wire.WS:
		return c.frames.feed(b, c.frame)
	case c.response.chunked:
		_, err := c.chunks.Feed(b, c.text)
		return err
	}
	return c.text(b)
}

// accept handles the head of the response and reports whether the stream begins.
func (c *client) accept(head []byte) bool {
	r, ok := parseResponse(head)
	want := 200
	if c.f.target.Lane == wire.WS {
		want = 101
	}
	if !ok || r.status != want || want == 101 && !r.accepted {
		c.asked = r.retryAfter
		c.again("status " + strconv.Itoa(r.status))
		return false
	}
	c.response, c.phase, c.skip = r, reading, gzipHeader
	if r.compressed {
		c.f.counts.Compressed++
	}
	return true
}

// text handles the next bytes of an event stream.
func (c *client) text(b []byte) error {
	if !c.response.compressed {
		c.events.feed(b, c.handleEvent)
		return nil
	}
	if skip := min(c.skip, len(b)); skip > 0 {
		c.skip -= skip
		b = b[skip:]
	}
	from := max(0, len(c.packed)-len(flushMark)+1)
	c.packed = append(c.packed, b...)
	rest := c.packed
	for {
		at := bytes.Index(rest[from:], flushMark)
		if at < 0 {
			break
		}
		end := from + at + len(flushMark)
		if err := c.block(rest[:end]); err != nil {
			return err
		}
		if c.phase != reading {
			return nil
		}
		rest, from = rest[end:], 0
	}
	if c.packed = append(c.packed[:0], rest...); len(rest) == 0 && cap(c.packed) > 4<<10 {
		c.packed = nil
	}
	return nil
}

// block handles one compressed block of an event stream. Whole events of a block that other clients receive too are parsed
// once.
func (c *client) block(packed []byte) error {
	b, err := c.f.inflater.next(&c.compressed, packed)
	if err != nil {
		return err
	}
	if !c.events.idle() {
		c.events.feed(b.text, c.handleEvent)
		return nil
	}
	if b.parsed {
		for i := range b.messages {
			c.message(&b.messages[i])
		}
		return nil
	}
	c.events.feed(b.text, func(data []byte, e *eventParser) {
		if m := c.event(data, e); m != nil {
			b.messages = append(b.messages, *m)
			if last := &b.messages[len(b.messages)-1]; last.id != nil {
				last.id = bytes.Clone(last.id)
			}
		}
	})
	b.parsed = c.events.idle()
	return nil
}

func (c *client) handleEvent(data []byte, e *eventParser) { c.event(data, e) }

// event handles one event of SSE and returns its message, nil if it is malformed.
func (c *client) event(data []byte, e *eventParser) *message {
	m, ok := c.f.parser.parse(data)
	if !ok {
		c.f.losses.Malformed++
		return nil
	}
	c.f.losses.LongestMsg = max(c.f.losses.LongestMsg, len(data))
	if e.set {
		m.id = e.id
	}
	m.wait = e.wait
	c.message(&m)
	return &m
}

// frame handles one WebSocket frame.
func (c *client) frame(h wire.FrameHeader, payload []byte) error {
	switch h.Op {
	case wire.OpClose:
		return errClosed
	case wire.OpPing:
		_, _ = unix.Write(c.fd, loadclient.AppendFrame(nil, wire.OpPong, payload))
		return nil
	case wire.OpText:
	default:
		return errFrame
	}
	if !h.Final {
		return errFrame
	}
	if h.Reserved == 0 {
		c.textFrame(payload, nil)
		return nil
	}
	if h.Reserved != wire.RSV1 || !c.response.compressed {
		return errFrame
	}
	if c.response.independent {
		c.compressed = stream{}
	}
	b, err := c.f.inflater.next(&c.compressed, append(bytes.Clone(payload), flushMark...))
	if err != nil {
		return err
	}
	c.textFrame(b.text, b)
	return nil
}

// textFrame handles one message. shared is the block that it comes from.
func (c *client) textFrame(text []byte, shared *block) {
	if shared != nil && shared.parsed {
		for i := range shared.messages {
			c.message(&shared.messages[i])
		}
		return
	}
	m, ok := c.f.parser.parse(text)
	if !ok {
		c.f.losses.Malformed++
		return
	}
	c.f.losses.LongestMsg = max(c.f.losses.LongestMsg, len(text))
	if shared != nil {
		shared.messages, shared.parsed = []message{m}, true
	}
	c.message(&m)
}

// message handles one message.
func (c *client) message(m *message) {
	if c.phase != reading {
		return // what follows a bye
	}
	f := c.f
	if m.wait > 0 {
		c.asked = time.Duration(m.wait) * time.Millisecond
	}
	switch m.kind {
	case bye:
		c.asked = time.Duration(m.retry) * time.Millisecond
		c.again(m.reason)
		return
	case hello:
		c.failures = 0
		f.counts.Resumes[m.opened.resume]++
		f.engine = m.opened.engine
		if c.index == 0 && m.opened.resume != "complete" {
			f.ticks = nil // they are of another log, or have holes
		}
	case gap:
		f.counts.Gaps++
	case tick:
		f.record(c, m)
	}
	c.state.take(m, f.target.Lane, &f.market, &f.losses)
	if c.since && c.reached.IsZero() && c.state.whole() {
		c.reached = f.now
		f.whole.Add(1)
	}
}

// again closes the connection and waits before the next attempt: as long as the server asked for, and on top up to 1 s,
// doubled with every failure up to 15 s, as Ticklane's own connector does. reason says how the server refused; it is empty
// for a connection that was cut.
func (c *client) again(reason string) {
	if reason != "" {
		c.f.counts.Refused[reason]++
	}
	c.close(false)
	limit := min(15*time.Second, time.Second<<min(c.failures, 4))
	c.failures++
	c.wait(c.asked + time.Duration(rand.Int64N(int64(limit))))
	c.asked = 0
}

// wait connects after d.
func (c *client) wait(d time.Duration) {
	c.phase = waiting
	c.f.timers.add(c, time.Now().Add(d))
}

// close closes the connection, with reset by RST. State is not whole until the next connection has caught up.
func (c *client) close(reset bool) {
	if !c.reached.IsZero() {
		c.reached = time.Time{}
		c.f.whole.Add(-1)
	}
	if c.fd < 0 {
		return
	}
	if reset {
		_ = unix.SetsockoptLinger(c.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	}
	c.f.byFD[c.fd] = nil
	_ = unix.Close(c.fd)
	c.fd, c.phase = -1, away
}
