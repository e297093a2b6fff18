package generator

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"ticklane/internal/loadtest/client"
	"ticklane/internal/wire"
)

// maxHead bounds the head of a response, in bytes.
const maxHead = 64 << 10

// conn is one subscriber.
type conn struct {
	g       *Generator
	fd      int // −1 once closed
	lane    wire.Lane
	head    []byte // of the response, while it is incomplete
	format  client.Format
	decoder *client.Decoder // nil until the head is complete
	ended   bool            // the server ended the stream; what follows is ignored
	next    uint64          // the seq that must arrive next; 0 before the first tick
	mark    uint64          // next at the start of the window
}

// read reads once. If bytes are left, the next wait returns at once, after the other connections had their turn.
func (c *conn) read(buf []byte) {
	g := c.g
	n, errno := rawRead(c.fd, buf)
	if errno == unix.EAGAIN || errno == unix.EINTR {
		return
	}
	if errno != 0 || n == 0 {
		g.counts.Closed++
		c.close()
		return
	}
	g.now = time.Now().UnixMicro()
	g.counts.Bytes += int64(n)
	g.counts.Reads++
	if err := c.take(buf[:n]); err != nil {
		g.counts.Broken[err.Error()]++
		if c.decoder == nil && g.failed == nil {
			g.failed = err
		}
		c.close()
	}
}

// rawRead reads without informing Go's scheduler, since the call never blocks.
func rawRead(fd int, b []byte) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return int(n), errno
}

// take handles the next bytes of the connection.
func (c *conn) take(b []byte) error {
	if c.ended {
		return nil
	}
	if c.decoder == nil {
		c.head = append(c.head, b...)
		end := bytes.Index(c.head, []byte("\r\n\r\n"))
		if end < 0 {
			if len(c.head) > maxHead {
				return fmt.Errorf("the head of the response exceeds %d KiB", maxHead>>10)
			}
			return nil
		}
		head, rest := c.head[:end+4], c.head[end+4:]
		if err := c.accept(head); err != nil {
			return err
		}
		c.head = nil
		c.decoder = client.NewDecoder(c.format, c)
		c.g.ready.Add(1)
		if b = rest; len(b) == 0 {
			return nil
		}
	}
	err := c.decoder.Feed(b)
	if errors.Is(err, client.ErrEnded) {
		c.ended, err = true, nil
	}
	return err
}

// accept checks the head of the response and sets the format of the stream.
func (c *conn) accept(head []byte) error {
	res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(head)), nil)
	if err != nil {
		return err
	}
	c.format.Lane, c.format.Length = c.lane, res.ContentLength
	want := http.StatusOK
	if c.lane == wire.WS {
		want = http.StatusSwitchingProtocols
	}
	if res.StatusCode != want {
		return errors.New(res.Status)
	}
	if c.lane == wire.SSE {
		c.format.Chunked = slices.Contains(res.TransferEncoding, "chunked")
		switch encoding := res.Header.Get("Content-Encoding"); encoding {
		case "":
		case "gzip":
			c.format.Compressed = true
		default:
			return fmt.Errorf("Content-Encoding %q was not asked for", encoding)
		}
		return nil
	}
	c.format.Protobuf = strings.HasSuffix(res.Header.Get("Sec-WebSocket-Protocol"), "."+client.Protobuf)
	if extension := res.Header.Get("Sec-WebSocket-Extensions"); extension != "" {
		if !strings.HasPrefix(extension, client.PerMessageDeflate) {
			return fmt.Errorf("extension %q was not offered", extension)
		}
		c.format.Compressed = true
		c.format.Independent = strings.Contains(extension, "server_no_context_takeover")
	}
	if res.Header.Get("Sec-WebSocket-Accept") != acceptKey {
		return errNoUpgrade
	}
	return nil
}

// Tick counts one tick. It implements client.Handler.
func (c *conn) Tick(t *client.Tick, _ []byte) error {
	n := c.g.counts
	n.Ticks++
	switch {
	case t.Seq == c.next || c.next == 0:
		c.next = t.Seq + 1
	case t.Seq > c.next:
		n.Lost += int64(t.Seq - c.next)
		c.next = t.Seq + 1
	default:
		n.Repeated++
	}
	// A tick is early only if the clock was set back.
	_ = n.Latency.RecordValue(min(max(c.g.now-t.Due, 1), n.Latency.HighestTrackableValue()))
	return nil
}

// Message keeps the engine of the first hello. It implements client.Handler.
func (c *conn) Message(m client.Message) error {
	if c.g.engine != "" {
		return nil
	}
	if h, ok := m.Hello(); ok {
		c.g.engine = h.Engine
	}
	return nil
}

// Ping sends a pong. It implements client.Handler.
func (c *conn) Ping(payload []byte) error {
	_, _ = unix.Write(c.fd, client.AppendFrame(nil, wire.OpPong, payload))
	return nil
}

func (c *conn) close() {
	if c.decoder != nil {
		c.decoder.Close()
	}
	c.g.byFD[c.fd] = nil
	_ = unix.Close(c.fd)
	c.fd = -1
}
