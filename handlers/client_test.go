package handlers

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"

	"ticklane/internal/wire"
)

// message is one that a client read, whatever its lane.
type message struct {
	T, S, Conn, Lane, Engine, Epoch, Resume, Mode, Reason, Code, Msg string

	N, I, From, To, Missed, Head, Oldest uint64
	Retry, HB, Time, Received, Sent      int64
	ID                                   *int64
	Topics                               []string
	Quotes                               []json.RawMessage

	text  string // the JSON, or the JSON twin
	size  int    // of the message in its encoding
	event string // the rest: SSE only
	id    string
	retry string
}

// UnmarshalJSON reads by exact names, since encoding/json doesn't tell "T" from "t".
func (m *message) UnmarshalJSON(b []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	for name, into := range map[string]any{
		"T": &m.T, "S": &m.S, "conn": &m.Conn, "lane": &m.Lane, "engine": &m.Engine, "epoch": &m.Epoch, "resume": &m.Resume,
		"mode": &m.Mode, "reason": &m.Reason, "code": &m.Code, "msg": &m.Msg, "n": &m.N, "i": &m.I, "from": &m.From, "to": &m.To,
		"missed": &m.Missed, "head": &m.Head, "oldest": &m.Oldest, "retry": &m.Retry, "hb": &m.HB, "t": &m.Time,
		"received": &m.Received, "sent": &m.Sent, "id": &m.ID, "topics": &m.Topics, "quotes": &m.Quotes,
	} {
		if raw, ok := all[name]; ok {
			if err := json.Unmarshal(raw, into); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

// closed is how a WebSocket ended.
type closed struct {
	code   uint16
	reason string
}

func (c closed) Error() string { return fmt.Sprintf("closed with %d %s", c.code, c.reason) }

// client reads a stream of either lane from a socket of its own, without the help of a browser or of our code.
type client struct {
	*house
	format   wire.Format
	nc       net.Conn
	received *atomic.Int64 // bytes from the socket, TLS included
	r        *bufio.Reader // the connection
	body     *bufio.Reader // SSE: without chunks
	status   int
	header   textproto.MIMEHeader

	hello message
	last  string // SSE's last event id
	pongs []string

	window []byte // WebSocket: the text that packed messages may refer to
	packed int    // how many came
}

// counted counts what comes from a socket.
type counted struct {
	net.Conn
	n *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func (h *house) dial() *client {
	h.Helper()
	nc, err := net.DialTimeout("tcp", h.addr, patience)
	if err != nil {
		h.Fatal(err)
	}
	return h.over(nc)
}

// over makes a client of a connection.
func (h *house) over(nc net.Conn) *client {
	c := &client{house: h, nc: nc, received: new(atomic.Int64)}
	c.nc = counted{nc, c.received}
	if h.secure {
		c.nc = tls.Client(c.nc, &tls.Config{InsecureSkipVerify: true})
	}
	c.nc.SetDeadline(time.Now().Add(5 * patience))
	c.r = bufio.NewReader(c.nc)
	h.Cleanup(func() { nc.Close() })
	return c
}

// ask sends a request as it stands and reads the answer's head. Lines of extra end without a line break.
func (c *client) ask(method, path string, extra ...string) {
	c.Helper()
	host := "Host: " + c.addr
	for _, line := range extra {
		if strings.HasPrefix(line, "Host:") {
			host = ""
		}
	}
	lines := []string{method + " " + path + " HTTP/1.1"}
	if host != "" {
		lines = append(lines, host)
	}
	lines = append(lines, extra...)
	c.send(strings.Join(lines, "\r\n") + "\r\n\r\n")
	c.head()
}

func (c *client) send(text string) {
	c.Helper()
	if _, err := io.WriteString(c.nc, text); err != nil {
		c.Fatalf("send: %v", err)
	}
}

func (c *client) head() {
	c.Helper()
	tp := textproto.NewReader(c.r)
	line, err := tp.ReadLine()
	if err != nil {
		c.Fatalf("status line: %v", err)
	}
	if _, err := fmt.Sscanf(line, "HTTP/1.1 %d", &c.status); err != nil {
		c.Fatalf("status line %q: %v", line, err)
	}
	if c.header, err = tp.ReadMIMEHeader(); err != nil {
		c.Fatalf("header: %v", err)
	}
}

// all reads a body of a known length.
func (c *client) all() string {
	c.Helper()
	n, err := strconv.Atoi(c.header.Get("Content-Length"))
	if err != nil {
		c.Fatalf("%d without Content-Length: %v", c.status, c.header)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(c.r, b); err != nil {
		c.Fatalf("body: %v", err)
	}
	return string(b)
}

// get is one request on a connection of its own.
func (h *house) get(path string, extra ...string) (*client, string) {
	h.Helper()
	c := h.dial()
	defer c.nc.Close()
	c.ask("GET", path, extra...)
	if strings.EqualFold(c.header.Get("Transfer-Encoding"), "chunked") {
		c.Fatalf("%s: an endless answer", path)
	}
	return c, c.all()
}

// sse opens an event stream and reads its hello.
func (h *house) sse(query string, extra ...string) *client {
	h.Helper()
	c := h.dial()
	c.events(query, extra...)
	c.greet()
	return c
}

// events asks for an event stream on this connection.
func (c *client) events(query string, extra ...string) {
	c.Helper()
	c.format = wire.SSEJSON
	c.ask("GET", "/sse/subscribe?"+query, append([]string{"Accept: text/event-stream"}, extra...)...)
	if c.status != 200 {
		c.Fatalf("sse %s: status %d: %s", query, c.status, c.all())
	}
	if strings.EqualFold(c.header.Get("Transfer-Encoding"), "chunked") {
		c.body = bufio.NewReader(httputil.NewChunkedReader(c.r))
	} else {
		c.body = bufio.NewReader(strings.NewReader(c.all()))
	}
	c.unpack(c.body)
}

// unpack makes the body of r, which may be compressed.
func (c *client) unpack(r *bufio.Reader) {
	c.Helper()
	if c.body = r; c.header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r)
		if err != nil {
			c.Fatal(err)
		}
		c.body = bufio.NewReader(z)
	}
}

const handshakeKey = "dGhlIHNhbXBsZSBub25jZQ=="

var upgrade = []string{"Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + handshakeKey}

// ws opens a WebSocket and reads its hello.
func (h *house) ws(query string, extra ...string) *client {
	h.Helper()
	c := h.socket(query, extra...)
	c.greet()
	return c
}

// socket opens a WebSocket.
func (h *house) socket(query string, extra ...string) *client {
	h.Helper()
	c := h.dial()
	c.upgrade(query, extra...)
	return c
}

func (c *client) upgrade(query string, extra ...string) {
	c.Helper()
	lines := append(append([]string{}, upgrade...), extra...)
	if c.offer != "" {
		lines = append(lines, "Sec-WebSocket-Protocol: "+c.offer)
	}
	c.ask("GET", "/ws/subscribe?"+query, lines...)
	if c.format = wire.WSJSON; c.header.Get("Sec-Websocket-Protocol") == subprotocolProto {
		c.format = wire.WSProto
	}
	if c.status != 101 || c.header.Get("Sec-Websocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		c.Fatalf("ws %s: status %d, %v", query, c.status, c.header)
	}
}

func (h *house) stream(lane wire.Lane, query string) *client {
	h.Helper()
	if lane == wire.SSE {
		return h.sse(query)
	}
	return h.ws(query)
}

// from opens a stream at a position, each time in another of the ways that the lane has.
func (h *house) from(lane wire.Lane, position, query string, byHeader bool) *client {
	h.Helper()
	if lane == wire.SSE && byHeader {
		return h.sse(query+"&from=oldest", "Last-Event-ID: "+position)
	}
	return h.stream(lane, query+"&from="+url.QueryEscape(position))
}

func (c *client) greet() {
	c.Helper()
	if c.hello = c.next(); c.hello.T != "hello" {
		c.Fatalf("%s instead of hello", c.hello.text)
	}
}

// next returns the next message and fails at the stream's end.
func (c *client) next() message {
	c.Helper()
	m, err := c.read()
	if err != nil {
		c.Fatalf("%s: %v", c.format, err)
	}
	return m
}

// want returns the next message, which must be of type t.
func (c *client) want(t string) message {
	c.Helper()
	m := c.next()
	if m.T != t {
		c.Fatalf("%s: %.300s instead of %s", c.format, m.text, t)
	}
	return m
}

// await returns the next message of type t and skips ticks before it.
func (c *client) await(t string) message {
	c.Helper()
	for {
		m := c.next()
		if m.T == t {
			return m
		}
		if m.T != "q" && m.T != "hb" {
			c.Fatalf("%s: %.300s while waiting for %s", c.format, m.text, t)
		}
	}
}

// read returns the next message; at the end io.EOF (SSE) or closed (WebSocket).
func (c *client) read() (message, error) {
	for {
		m, err := c.raw()
		if err != nil || m.text == "" {
			if err != nil {
				return m, err
			}
			continue
		}
		if bytes.HasPrefix([]byte(m.text), []byte(`{"T":"q",`)) {
			return m, tick(&m)
		}
		return m, json.Unmarshal([]byte(m.text), &m)
	}
}

func (c *client) raw() (message, error) {
	if c.format == wire.SSEJSON {
		return c.event()
	}
	return c.frame()
}

// tick reads the fields that tests look at, fast.
func tick(m *message) error {
	m.T = "q"
	rest := m.text[len(`{"T":"q","S":"`):]
	m.S, rest, _ = strings.Cut(rest, `"`)
	at := strings.LastIndex(rest, `,"n":`)
	if at < 0 || !strings.HasSuffix(rest, "}") {
		return fmt.Errorf("not a tick: %s", m.text)
	}
	n, i, ok := strings.Cut(strings.TrimSuffix(rest[at+5:], "}"), `,"i":`)
	var err1, err2 error
	m.N, err1 = strconv.ParseUint(n, 10, 64)
	m.I, err2 = strconv.ParseUint(i, 10, 64)
	if !ok {
		err1 = fmt.Errorf("not a tick: %s", m.text)
	}
	return errors.Join(err1, err2)
}

// write sends one masked frame.
func (c *client) write(op ws.OpCode, fin bool, payload string) {
	c.Helper()
	f := ws.MaskFrame(ws.NewFrame(op, fin, []byte(payload)))
	if err := ws.WriteFrame(c.nc, f); err != nil {
		c.Fatalf("write frame: %v", err)
	}
}

func (c *client) say(text string) { c.Helper(); c.write(ws.OpText, true, text) }

// again takes the last line of a finished SSE stream, and returns who asks next: the same connection, or another one where
// the server said that it closes this one, and does.
func (c *client) again() *client {
	c.Helper()
	if _, err := c.r.Discard(2); err != nil {
		c.Fatalf("the end of the chunks: %v", err)
	}
	if c.engine(wire.SSE) != engineShard {
		if c.header.Get("Connection") == "close" {
			c.Fatalf("%v", c.header)
		}
		return c
	}
	if b, err := io.ReadAll(c.r); err != nil || len(b) > 0 || c.header.Get("Connection") != "close" {
		c.Fatalf("after the stream: %q, %v; %v", b, err, c.header)
	}
	c.nc.Close()
	return c.dial()
}

// end reads to the end of the stream and returns the messages before it.
func (c *client) end() ([]message, error) {
	var got []message
	for {
		m, err := c.read()
		if err != nil {
			return got, err
		}
		got = append(got, m)
	}
}

// closes checks how a WebSocket ends, and that the connection then does.
func (c *client) closes(code uint16) []message {
	c.Helper()
	got, err := c.end()
	var how closed
	if !errors.As(err, &how) || how.code != code {
		c.Fatalf("%v, want close %d; before it %d messages", err, code, len(got))
	}
	// The server may have seen our close before, and be gone.
	ws.WriteFrame(c.nc, ws.MaskFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusCode(code), ""))))
	if _, err := c.r.ReadByte(); err == nil {
		c.Fatal("more bytes after the close")
	}
	c.nc.Close()
	return got
}

// cut ends the connection in mid-stream, by RST or by FIN.
func (c *client) cut(reset bool) {
	nc := c.nc.(counted).Conn.(*net.TCPConn)
	if reset {
		nc.SetLinger(0)
	}
	nc.Close()
}
