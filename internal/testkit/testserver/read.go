package testserver

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"

	"ticklane/internal/wire"
	"ticklane/internal/wire/wiretest"
)

// ReadHello reads the first message of a stream into c.Hello.
func (c *Client) ReadHello() {
	c.Helper()
	if c.Hello = c.Next(); c.Hello.T != "hello" {
		c.Fatalf("%s instead of hello", c.Hello.Text)
	}
}

// Read returns the next message. The end of a stream is io.EOF on SSE and a wiretest.CloseError on WebSocket.
func (c *Client) Read() (wiretest.Message, error) {
	if c.Format != wire.SSEJSON {
		return c.Frames.Read(c.Reader)
	}
	m, err := wiretest.ReadEvent(c.Body)
	if m.EventID != "" && err == nil {
		c.LastEventID = m.EventID
	}
	return m, err
}

// ReadAll reads to the end of the stream and returns the messages before it and Read's error.
func (c *Client) ReadAll() ([]wiretest.Message, error) {
	var got []wiretest.Message
	for {
		m, err := c.Read()
		if err != nil {
			return got, err
		}
		got = append(got, m)
	}
}

// Next returns the next message.
func (c *Client) Next() wiretest.Message {
	c.Helper()
	m, err := c.Read()
	if err != nil {
		c.Fatalf("%s: %v", c.Format, err)
	}
	return m
}

// Want returns the next message, which must be of type t.
func (c *Client) Want(t string) wiretest.Message {
	c.Helper()
	m := c.Next()
	if m.T != t {
		c.Fatalf("%s: %.300s instead of %s", c.Format, m.Text, t)
	}
	return m
}

// WaitFor returns the next message of type t. Only messages of the types skip may come before it, ticks and heartbeats
// if there are none.
func (c *Client) WaitFor(t string, skip ...string) wiretest.Message {
	c.Helper()
	if len(skip) == 0 {
		skip = []string{"q", "hb"}
	}
	for {
		m := c.Next()
		if m.T == t {
			return m
		}
		allowed := false
		for _, s := range skip {
			allowed = allowed || m.T == s
		}
		if !allowed {
			c.Fatalf("%s: %.300s while waiting for %s", c.Format, m.Text, t)
		}
	}
}

// WantAllTicks reads a stream of all topics, open since seq 0, up to the tick upto. Each tick must have arrived or be
// covered by a gap that is followed by its snapshot. It returns the number of gaps.
func (c *Client) WantAllTicks(upto uint64) (gaps uint64) {
	c.Helper()
	for at := uint64(0); at < upto; {
		switch m := c.Next(); m.T {
		case "q":
			if m.I != at+1 || m.Text != c.Ticks.JSON(m.I) {
				c.Fatalf("%s after %d", m.Text, at)
			}
			at = m.I
		case "gap":
			if m.From != at+1 || m.Missed != m.To-m.From+1 || m.Reason != "lag" {
				c.Fatalf("%s after %d", m.Text, at)
			}
			gaps++
			at = m.To
			if s := c.Want("snapshot"); s.I != at {
				c.Fatalf("%.100s after %s", s.Text, m.Text)
			}
		case "hb":
			if m.Head != at {
				c.Fatalf("%s at %d", m.Text, at)
			}
		default:
			c.Fatalf("%.200s", m.Text)
		}
	}
	return gaps
}

// ErrDiffers is returned by CompareTicks for a byte that differs.
var ErrDiffers = errors.New("the stream's bytes differ from the published ticks")

// CompareTicks compares the bytes of an uncompressed stream, which starts with the tick at seq 1, with the published
// ticks up to seq last. It stores the seq that it has reached, and waits without a deadline.
func (c *Client) CompareTicks(last uint64, reached *atomic.Uint64) error {
	in := io.Reader(c.Reader)
	if c.Format == wire.SSEJSON {
		in = c.Body
	}
	c.NetConn.SetDeadline(time.Time{})
	at, ticks, buf := 0, 0, make([]byte, 32<<10)
	for uint64(ticks) < last {
		n, err := in.Read(buf)
		if err != nil {
			return err
		}
		var same bool
		if ticks, same = c.Ticks.matches(c.Format, at, buf[:n], ticks); !same {
			return ErrDiffers
		}
		at += n
		reached.Store(uint64(ticks))
	}
	return nil
}

// WriteFrame sends one masked frame.
func (c *Client) WriteFrame(op ws.OpCode, fin bool, payload string) {
	c.Helper()
	f := ws.MaskFrame(ws.NewFrame(op, fin, []byte(payload)))
	if err := ws.WriteFrame(c.NetConn, f); err != nil {
		c.Fatalf("write frame: %v", err)
	}
}

// SendText sends a text message.
func (c *Client) SendText(text string) {
	c.Helper()
	c.WriteFrame(ws.OpText, true, text)
}

// NextRequest reads the end of a finished event stream and returns a client for the next request: c, or a new one where
// the server announced that it closes the connection, which it must do.
func (c *Client) NextRequest() *Client {
	c.Helper()
	if _, err := c.Reader.Discard(2); err != nil {
		c.Fatalf("the end of the chunks: %v", err)
	}
	if c.Engine(wire.SSE) != Shard {
		if c.Header.Get("Connection") == "close" {
			c.Fatalf("%v", c.Header)
		}
		return c
	}
	if b, err := io.ReadAll(c.Reader); err != nil || len(b) > 0 || c.Header.Get("Connection") != "close" {
		c.Fatalf("after the stream: %q, %v; %v", b, err, c.Header)
	}
	c.NetConn.Close()
	return c.Dial()
}

// WantClose reads to the end of a WebSocket, which must close with code and then end its connection. It returns the
// messages before the close.
func (c *Client) WantClose(code uint16) []wiretest.Message {
	c.Helper()
	got, err := c.ReadAll()
	var closed wiretest.CloseError
	if !errors.As(err, &closed) || closed.Code != code {
		c.Fatalf("%v, want close %d; before it %d messages", err, code, len(got))
	}
	// An error is possible: the server may have read our close before and be gone.
	ws.WriteFrame(c.NetConn, ws.MaskFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusCode(code), ""))))
	if _, err := c.Reader.ReadByte(); err == nil {
		c.Fatal("more bytes after the close")
	}
	c.NetConn.Close()
	return got
}

// Cut closes the connection of a stream, by RST or by FIN.
func (c *Client) Cut(reset bool) {
	nc := c.NetConn.(countingConn).Conn.(*net.TCPConn)
	if reset {
		nc.SetLinger(0)
	}
	nc.Close()
}
