//go:build proxies && linux

package proxies

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// received is a message with the time at which it came.
type received struct {
	message
	at time.Time
}

// stream is an open stream, which a goroutine reads.
type stream struct {
	*site
	lane    string // "sse" or "ws"
	encoded string // Content-Encoding of an event stream
	opened  time.Time
	close   context.CancelFunc
	command func(ctx context.Context, text string) error // of the WebSocket

	mu   sync.Mutex
	all  []received
	err  error // of its end
	done chan struct{}
}

// open opens a stream and returns once the proxy has accepted it. It is closed at the end of the test.
func (s *site) open(lane, query string, header ...string) (*stream, error) {
	ctx, cancel := context.WithCancel(context.Background())
	x := &stream{site: s, lane: lane, opened: time.Now(), close: cancel, done: make(chan struct{})}
	h := http.Header{"Origin": {s.origin()}}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	connect := x.openSSE
	if lane == "ws" {
		connect = x.openWS
	}
	read, err := connect(ctx, query, h)
	if err != nil {
		cancel()
		return nil, err
	}
	go func() {
		defer close(x.done)
		for {
			data, err := read()
			m := message{}
			if err == nil {
				m, err = parse(data)
			}
			x.mu.Lock()
			if err != nil {
				x.err = err
				x.mu.Unlock()
				return
			}
			x.all = append(x.all, received{m, time.Now()})
			x.mu.Unlock()
		}
	}()
	s.t.Cleanup(func() {
		cancel()
		<-x.done
	})
	return x, nil
}

func (s *site) mustOpen(lane, query string, header ...string) *stream {
	s.t.Helper()
	x, err := s.open(lane, query, header...)
	if err != nil {
		s.t.Fatalf("%s: %v", lane, err)
	}
	return x
}

// openSSE returns a function that reads the data of the next event.
func (x *stream) openSSE(ctx context.Context, query string, h http.Header) (func() ([]byte, error), error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, x.url+"/sse/subscribe?"+query, nil)
	if err != nil {
		return nil, err
	}
	req.Header = h
	h.Set("Accept", "text/event-stream")
	h.Set("Accept-Encoding", "gzip")
	limit := time.AfterFunc(timeout, x.close) // of the header, not of the stream
	res, err := x.http.Do(req)
	limit.Stop()
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK || x.two != (res.ProtoMajor == 2) {
		res.Body.Close()
		return nil, fmt.Errorf("%s %s", res.Proto, res.Status)
	}
	x.encoded = res.Header.Get("Content-Encoding")
	var lines *bufio.Reader
	return func() ([]byte, error) {
		if lines == nil { // the first read, since gzip waits for its header
			lines = bufio.NewReader(res.Body)
			if x.encoded == "gzip" {
				z, err := gzip.NewReader(res.Body)
				if err != nil {
					return nil, err
				}
				lines = bufio.NewReader(z)
			}
		}
		for {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				return nil, err
			}
			if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
				return data, nil
			}
		}
	}, nil
}

// openWS returns a function that reads the next message.
func (x *stream) openWS(ctx context.Context, query string, h http.Header) (func() ([]byte, error), error) {
	handshake, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c, res, err := websocket.Dial(handshake, x.url+"/ws/subscribe?"+query, &websocket.DialOptions{
		HTTPClient: x.http, HTTPHeader: h, Subprotocols: []string{"ticklane.v1.json"}, CompressionMode: websocket.CompressionContextTakeover,
	})
	if err != nil {
		if res != nil {
			err = fmt.Errorf("%s: %w", res.Status, err)
		}
		return nil, err
	}
	c.SetReadLimit(1 << 20)
	x.command = func(ctx context.Context, text string) error { return c.Write(ctx, websocket.MessageText, []byte(text)) }
	return func() ([]byte, error) {
		_, data, err := c.Read(ctx)
		if err != nil {
			c.CloseNow()
		}
		return data, err
	}, nil
}

// send sends a command: by a POST, or over the WebSocket.
func (x *stream) send(text string) {
	x.t.Helper()
	if x.lane == "ws" {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		if err := x.command(ctx, text); err != nil {
			x.t.Fatalf("ws: command: %v", err)
		}
		return
	}
	if status, _, body := x.do(http.MethodPost, "/sse/connections/"+x.find("hello").Conn, text, "Origin", x.origin()); status != http.StatusOK {
		x.t.Fatalf("sse: POST of a command: %d %s", status, body)
	}
}

// messages returns what has come so far, and the error of the stream's end.
func (x *stream) messages() ([]received, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.all, x.err
}

// find waits for the first message of a type.
func (x *stream) find(kind string) received {
	x.t.Helper()
	return x.after(time.Time{}, kind)
}

// after waits for the first message of a type that came after a time. A stream that ends before it fails the test.
func (x *stream) after(from time.Time, kind string) (found received) {
	x.t.Helper()
	until(x.t, x.lane+": "+kind, timeout, func() bool {
		all, err := x.messages()
		for _, m := range all {
			if m.T == kind && m.at.After(from) {
				found = m
				return true
			}
		}
		if err != nil {
			x.t.Fatalf("%s: ended before a %s: %v, after %s", x.lane, kind, err, summary(all))
		}
		return false
	})
	return found
}

// summary lists the types of messages.
func summary(all []received) string {
	var b strings.Builder
	for _, m := range all {
		b.WriteString(m.T + " ")
	}
	return b.String()
}
