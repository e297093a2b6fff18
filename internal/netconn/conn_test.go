package netconn

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"ticklane/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// hijacked is a connection as fasthttp passes it to a hijack handler.
type hijacked struct {
	net.Conn
	buffered []byte
}

func (h *hijacked) Read(p []byte) (int, error) {
	if len(h.buffered) == 0 {
		return h.Conn.Read(p)
	}
	n := copy(p, h.buffered)
	h.buffered = h.buffered[n:]
	return n, nil
}

func (h *hijacked) UnsafeConn() net.Conn { return h.Conn }

// tcpPair returns a Conn, its listener and its client's end.
func tcpPair(t *testing.T) (*Conn, *Listener, net.Conn) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	conn, l := newConn(t, server)
	return conn, l, client
}

// callbackCase is the steps of a connection, and the callbacks that they make.
type callbackCase struct {
	name  string
	steps []string
	want  []string
	state state
	open  int // slots still taken in the limiter
}

// TestStreamCallbacks walks through the transitions. calls records the callbacks.
func TestStreamCallbacks(t *testing.T) {
	for _, c := range append(transferCases, []callbackCase{
		{"a stream, then another request", []string{"start", "finish", "next"}, []string{"done"}, http, 1},
		{"a read instead", []string{"start", "finish", "read"}, []string{"done"}, http, 1},
		{"done is called once", []string{"start", "finish", "next", "next", "close"}, []string{"done"}, closed, 0},
		{"closed before the last bytes are written", []string{"start", "finish", "close"}, []string{"done"}, closed, 0},
		{"closed while streaming", []string{"start", "close", "finish"}, []string{"abort", "done"}, closed, 0},
		{"closed twice", []string{"start", "close", "close"}, []string{"abort"}, closed, 0},
		{"closed before the stream", []string{"close", "start", "finish"}, []string{"abort", "done"}, closed, 0},
		{"a request amid a stream", []string{"start", "next", "close"}, []string{"abort"}, closed, 0},
		{"detached", []string{"start", "detach", "read", "close"}, nil, closed, 0},
		{"detached too late", []string{"start", "close", "detach"}, []string{"abort", "too late"}, closed, 0},
	}...) {
		t.Run(c.name, func(t *testing.T) {
			conn, l, client := tcpPair(t)
			client.Write([]byte("x")) // for "read"
			var calls []string
			note := func(what string) func() { return func() { calls = append(calls, what) } }
			var release func()
			for _, step := range c.steps {
				switch step {
				case "start":
					conn.StartStream(func(int, int) {}, note("abort"))
				case "finish":
					conn.FinishStream(note("done"))
				case "next":
					conn.NextRequest()
				case "read":
					conn.Read(make([]byte, 1))
				case "detach":
					nc, received, ok := conn.Detach(&hijacked{conn, []byte("abc")})
					if !ok {
						calls = append(calls, "too late")
					} else if nc != net.Conn(conn) || string(received) != "abc" { // not x, which is in the socket
						t.Errorf("%v, %q", nc, received)
					}
				case "duplicate":
					fd, r, err := conn.Duplicate()
					if errors.Is(err, net.ErrClosed) {
						calls = append(calls, "closed")
					} else if err != nil {
						t.Error(err)
					} else {
						release = r
						CloseDescriptor(fd)
					}
				case "release":
					release()
				case "close":
					conn.Close()
				}
			}
			if !slices.Equal(calls, c.want) || conn.state != c.state || l.Open() != c.open {
				t.Errorf("calls %v, state %d, %d open; want %v, %d, %d", calls, conn.state, l.Open(), c.want, c.state, c.open)
			}
			conn.Close()
			if n := len(l.conns); n != 0 {
				t.Errorf("the listener still knows %d connections", n)
			}
		})
	}
}

func TestWritesAreCountedForTheirStream(t *testing.T) {
	conn, _ := newConn(t, new(socket))
	var bytes, writes int
	conn.Write([]byte("before"))
	conn.StartStream(func(b, w int) { bytes += b; writes += w }, nil)
	conn.Write([]byte("12345"))
	conn.NextRequest() // no effect: the stream is not finished
	conn.Write([]byte("678"))
	conn.FinishStream(func() {})
	conn.Write([]byte("9")) // still buffered when the stream's writer returned
	conn.NextRequest()
	conn.Write([]byte("after"))
	if bytes != 9 || writes != 3 {
		t.Errorf("%d bytes in %d writes, want 9 in 3", bytes, writes)
	}
}

// closingConn calls before and after when its socket is closed.
type closingConn struct {
	*net.TCPConn
	before, after func()
}

func (c closingConn) Close() error {
	c.before()
	defer c.after()
	return c.TCPConn.Close()
}

// TestDuplicateWhileClosing checks that Duplicate fails once Close was called, and leaves no descriptor open: the client
// would not receive FIN.
func TestDuplicateWhileClosing(t *testing.T) {
	conn, l, client := tcpPair(t)
	duplicate := func() {
		if fd, release, err := conn.Duplicate(); fd != -1 || release != nil || err != net.ErrClosed {
			t.Errorf("Duplicate: %d, %v", fd, err)
		}
	}
	conn.Conn = closingConn{conn.Conn.(*net.TCPConn), duplicate, duplicate}
	aborts := 0
	conn.StartStream(func(int, int) {}, func() { aborts++ })
	conn.Close()
	if aborts != 1 || l.Open() != 0 {
		t.Errorf("onAbort called %d times, %d open", aborts, l.Open())
	}
	client.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.ReadAll(client); err != nil {
		t.Errorf("after Close the client received %v, want EOF", err)
	}
}

func TestDetachReturnsAllBufferedBytes(t *testing.T) {
	conn, _, _ := tcpPair(t)
	want := strings.Repeat("x", 5000)
	if _, received, ok := conn.Detach(&hijacked{conn, []byte(want)}); !ok || string(received) != want {
		t.Errorf("%d bytes, %v; want %d", len(received), ok, len(want))
	}
}

func TestDrain(t *testing.T) {
	conn, _, client := tcpPair(t)
	client.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := client.Write(make([]byte, 5000)); err != nil {
		t.Fatal(err)
	}
	client.(*net.TCPConn).CloseWrite()
	Drain(conn)
	if n, err := conn.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("%d bytes are left, %v", n, err)
	}
	if _, err := io.ReadAll(client); err != nil {
		t.Errorf("the client received %v, want EOF", err)
	}
}

// wrapped is a connection as TLS wraps it.
type wrapped struct{ net.Conn }

func (w wrapped) NetConn() net.Conn { return w.Conn }

func TestOf(t *testing.T) {
	c, _ := newConn(t, new(socket))
	if Of(c) != c || Of(&hijacked{Conn: wrapped{c}}) != c {
		t.Error("not found")
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic for another connection")
		}
	}()
	Of(new(socket))
}
