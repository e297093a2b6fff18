package testserver

import (
	"bufio"
	"compress/gzip"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"net/textproto"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"ticklane/internal/wire"
	"ticklane/internal/wire/wiretest"
)

// Client is one connection to a server. It sends requests and reads answers, one of which may be a stream. Failures of
// its methods end the test, unless they return an error. It must not be used concurrently.
type Client struct {
	*Server
	NetConn  net.Conn
	Received *atomic.Int64 // bytes read from the socket, TLS included
	Reader   *bufio.Reader // of the connection

	Status int
	Header textproto.MIMEHeader
	Body   *bufio.Reader // of an event stream: without chunks, decompressed

	Format      wire.Format
	Hello       wiretest.Message
	LastEventID string
	Frames      wiretest.FrameReader
}

// countingConn counts the bytes that it reads.
type countingConn struct {
	net.Conn
	n *atomic.Int64
}

func (c countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// Dial opens a connection. It is closed at the end of the test.
func (s *Server) Dial() *Client {
	s.Helper()
	nc, err := net.DialTimeout("tcp", s.Addr, Timeout)
	if err != nil {
		s.Fatal(err)
	}
	return s.newClient(nc)
}

// DialSmall opens a connection that buffers only a few KiB of what the client hasn't read.
func (s *Server) DialSmall() *Client {
	s.Helper()
	d := net.Dialer{Timeout: Timeout, Control: func(_, _ string, raw syscall.RawConn) error {
		var err error
		if e := raw.Control(func(fd uintptr) { err = setReceiveBuffer(fd, 4096) }); e != nil {
			return e
		}
		return err
	}}
	nc, err := d.Dial("tcp", s.Addr)
	if err != nil {
		s.Fatal(err)
	}
	return s.newClient(nc)
}

func (s *Server) newClient(nc net.Conn) *Client {
	c := &Client{Server: s, Received: new(atomic.Int64)}
	c.NetConn = countingConn{nc, c.Received}
	if s.Settings.TLS != nil {
		c.NetConn = tls.Client(c.NetConn, &tls.Config{InsecureSkipVerify: true})
	}
	c.NetConn.SetDeadline(time.Now().Add(5 * Timeout))
	c.Reader = bufio.NewReader(c.NetConn)
	s.Cleanup(func() { nc.Close() })
	return c
}

// Request sends a request and reads the head of its answer. Lines are further header lines, without their line breaks;
// a Host among them replaces the server's.
func (c *Client) Request(method, path string, lines ...string) {
	c.Helper()
	head := []string{method + " " + path + " HTTP/1.1"}
	if !hasHeader(lines, "Host") {
		head = append(head, "Host: "+c.Addr)
	}
	c.Send(strings.Join(append(head, lines...), "\r\n") + "\r\n\r\n")
	c.ReadHead()
}

// Post is Request with a body, which is JSON unless a line says otherwise.
func (c *Client) Post(path, body string, lines ...string) {
	c.Helper()
	if !hasHeader(lines, "Content-Type") {
		lines = append(lines, "Content-Type: application/json")
	}
	c.Request("POST", path, append(lines, fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body))...)
}

func hasHeader(lines []string, name string) bool {
	for _, line := range lines {
		if strings.HasPrefix(line, name+":") {
			return true
		}
	}
	return false
}

// Send sends text as it is.
func (c *Client) Send(text string) {
	c.Helper()
	if _, err := io.WriteString(c.NetConn, text); err != nil {
		c.Fatalf("send: %v", err)
	}
}

// ReadHead reads an answer's status line and header.
func (c *Client) ReadHead() {
	c.Helper()
	tp := textproto.NewReader(c.Reader)
	line, err := tp.ReadLine()
	if err != nil {
		c.Fatalf("status line: %v", err)
	}
	if _, err := fmt.Sscanf(line, "HTTP/1.1 %d", &c.Status); err != nil {
		c.Fatalf("status line %q: %v", line, err)
	}
	if c.Header, err = tp.ReadMIMEHeader(); err != nil {
		c.Fatalf("header: %v", err)
	}
}

// ReadBody reads the body of an answer with a Content-Length, or with the status 204.
func (c *Client) ReadBody() string {
	c.Helper()
	if c.Status == 204 {
		return ""
	}
	n, err := strconv.Atoi(c.Header.Get("Content-Length"))
	if err != nil {
		c.Fatalf("%d without Content-Length: %v", c.Status, c.Header)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(c.Reader, b); err != nil {
		c.Fatalf("body: %v", err)
	}
	return string(b)
}

// Get makes a GET request on a new connection and returns the response and its body.
func (s *Server) Get(path string, lines ...string) (answer *Client, body string) {
	s.Helper()
	c := s.Dial()
	defer c.NetConn.Close()
	c.Request("GET", path, lines...)
	return c, c.ReadBody()
}

// Post makes a POST request on a new connection and returns the response and its body.
func (s *Server) Post(path, body string, lines ...string) (answer *Client, text string) {
	s.Helper()
	c := s.Dial()
	defer c.NetConn.Close()
	c.Post(path, body, lines...)
	return c, c.ReadBody()
}

// PostCommand sends a command for the SSE stream with the id conn.
func (s *Server) PostCommand(conn, body string, lines ...string) (answer *Client, text string) {
	s.Helper()
	return s.Post(s.Settings.BasePath+"/sse/connections/"+conn, body, lines...)
}

// RequestSSE requests an event stream, whose status must be 200, and prepares for reading its events.
func (c *Client) RequestSSE(query string, lines ...string) {
	c.Helper()
	c.Format = wire.SSEJSON
	c.Request("GET", c.Settings.BasePath+"/sse/subscribe?"+query, append([]string{"Accept: text/event-stream"}, lines...)...)
	if c.Status != 200 {
		c.Fatalf("sse %s: status %d: %s", query, c.Status, c.ReadBody())
	}
	if strings.EqualFold(c.Header.Get("Transfer-Encoding"), "chunked") {
		c.SetBody(httputil.NewChunkedReader(c.Reader))
	} else {
		c.SetBody(strings.NewReader(c.ReadBody()))
	}
}

// RequestHTTP10 is RequestSSE by HTTP/1.0: the body ends with the connection. It returns the answer's lines unchecked.
func (c *Client) RequestHTTP10(query string, lines ...string) {
	c.Helper()
	c.Format = wire.SSEJSON
	head := append([]string{"GET /sse/subscribe?" + query + " HTTP/1.0", "Host: " + c.Addr, "Accept: text/event-stream"}, lines...)
	c.Send(strings.Join(head, "\r\n") + "\r\n\r\n")
	c.ReadHead()
	c.SetBody(c.Reader)
}

// SetBody makes Read read events from r, decompressed as the answer's header says.
func (c *Client) SetBody(r io.Reader) {
	c.Helper()
	if c.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r)
		if err != nil {
			c.Fatal(err)
		}
		r = z
	}
	c.Body = bufio.NewReader(r)
}

const (
	handshakeKey    = "dGhlIHNhbXBsZSBub25jZQ=="     // RFC 6455 §1.3
	handshakeAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" // its answer
	protobuf        = "ticklane.v1.protobuf"
)

// Upgrade is the header of a WebSocket handshake.
var Upgrade = []string{
	"Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + handshakeKey,
}

// RequestWS makes a WebSocket handshake, which must succeed, and prepares for reading its messages.
func (c *Client) RequestWS(query string, lines ...string) {
	c.Helper()
	lines = append(append([]string{}, Upgrade...), lines...)
	if c.Subprotocol != "" {
		lines = append(lines, "Sec-WebSocket-Protocol: "+c.Subprotocol)
	}
	c.Request("GET", c.Settings.BasePath+"/ws/subscribe?"+query, lines...)
	if c.Status != 101 || c.Header.Get("Sec-Websocket-Accept") != handshakeAccept {
		c.Fatalf("ws %s: status %d, %v", query, c.Status, c.Header)
	}
	c.Format = wire.WSJSON
	if c.Header.Get("Sec-Websocket-Protocol") == protobuf {
		c.Format = wire.WSProto
	}
	extension := c.Header.Get("Sec-Websocket-Extensions")
	c.Frames = wiretest.FrameReader{
		Protobuf: c.Format == wire.WSProto, Deflate: extension != "", NoTakeover: strings.Contains(extension, "server_no_context_takeover"),
	}
}

// RequestStream is RequestSSE or RequestWS.
func (c *Client) RequestStream(lane wire.Lane, query string, lines ...string) {
	c.Helper()
	if lane == wire.SSE {
		c.RequestSSE(query, lines...)
	} else {
		c.RequestWS(query, lines...)
	}
}
