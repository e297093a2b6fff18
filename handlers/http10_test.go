package handlers_test

import (
	"io"
	"net/textproto"
	"reflect"
	"slices"
	"testing"
	"time"

	"ticklane/handlers"
	"ticklane/internal/stream"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// openHTTP10 opens an event stream as a client of HTTP/1.0, which has no chunked coding, and reads its hello.
func openHTTP10(srv *testserver.Server, query string, lines ...string) *testserver.Client {
	srv.Helper()
	return requestHTTP10(srv.Dial(), query, lines...)
}

func requestHTTP10(c *testserver.Client, query string, lines ...string) *testserver.Client {
	c.Helper()
	c.RequestHTTP10(query, lines...)
	if c.Status != 200 || c.Header.Get("Content-Type") != "text/event-stream" || c.Header.Get("Cache-Control") != "no-store, no-transform" {
		c.Fatalf("%d %v", c.Status, c.Header)
	}
	if c.Header.Get("Transfer-Encoding") != "" || c.Header.Get("Content-Length") != "" || !slices.Equal(c.Header["Connection"], []string{"close"}) {
		c.Errorf("head %v", c.Header)
	}
	c.ReadHello()
	if c.Hello.Engine != c.Engine(wire.SSE) {
		c.Errorf("%s", c.Hello.Text)
	}
	return c
}

// TestSSEToHTTP10 checks that the body is the bare events and ends with the connection, whatever Connection header was sent.
func TestSSEToHTTP10(t *testing.T) { onEngines(t, testSSEToHTTP10) }

func testSSEToHTTP10(t *testing.T, engine string) {
	for _, wish := range []string{"X-None: 1", "Connection: keep-alive", "Connection: close"} {
		t.Run(wish, func(t *testing.T) {
			srv := newTestServer(t, testserver.Options{Engine: engine})
			c := openHTTP10(srv, "limit=3&snapshot=false", wish)
			srv.Publish(5)
			for range 3 {
				c.Want("q")
			}
			c.Want("bye")
			if rest, err := io.ReadAll(c.Body); err != nil || len(rest) != 0 {
				t.Errorf("after the bye %q, %v", rest, err)
			}
			if got := srv.TickLog.Lane(wire.SSE); got.Wire != uint64(c.Received.Load()) {
				t.Errorf("%d wire bytes counted, %d came", got.Wire, c.Received.Load())
			}
			c.NetConn.Close()
			wantNoStreams(srv)
		})
	}
}

// TestHTTP10Head checks that HEAD has the head of GET and no body, closes the connection, and opens no stream.
func TestHTTP10Head(t *testing.T) { onEngines(t, testHTTP10Head) }

func testHTTP10Head(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine, Log: compressing(stream.CompressOn)})
	for _, lines := range []string{"X-None: 1", "Connection: keep-alive", "Connection: close\r\nAccept-Encoding: gzip"} {
		heads := map[string]textproto.MIMEHeader{}
		for _, method := range []string{"GET", "HEAD"} {
			c := srv.Dial()
			c.Send(method + " /sse/subscribe?topics=S1 HTTP/1.0\r\nHost: " + c.Addr + "\r\nAccept: text/event-stream\r\n" + lines + "\r\n\r\n")
			c.ReadHead()
			c.Header.Del("Date")
			if heads[method] = c.Header; c.Status != 200 {
				t.Errorf("%s %q: %d", method, lines, c.Status)
			}
			if method == "GET" {
				c.Cut(true)
			} else if rest, err := io.ReadAll(c.Reader); err != nil || len(rest) > 0 {
				t.Errorf("HEAD %q: %q after the head, %v", lines, rest, err)
			}
		}
		if get, head := heads["GET"], heads["HEAD"]; !reflect.DeepEqual(get, head) {
			t.Errorf("%q: HEAD has %v, GET %v", lines, head, get)
		}
	}
	if got := srv.TickLog.Lane(wire.SSE).Opened; got != 3 {
		t.Errorf("%d streams were opened by 3 GET and 3 HEAD", got)
	}
}

// TestHTTP10Ends checks that clients which disconnect or don't read, and a shutdown, leave nothing behind.
func TestHTTP10Ends(t *testing.T) { onEngines(t, testHTTP10Ends) }

func testHTTP10Ends(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.WriteTimeout, s.WriteBuffer = 2*time.Second, 4096 }})
	stop := srv.PublishRate(2000)
	for _, reset := range []bool{false, true} {
		openHTTP10(srv, "").Cut(reset)
	}
	requestHTTP10(srv.DialSmall(), "") // doesn't read further
	srv.Publish(20_000)                // more than fits into the socket
	testkit.Eventually(t, func() bool { return srv.TickLog.Lane(wire.SSE).Slow == 1 }, "the end of the stalled stream")
	wantNoStreams(srv) // while ticks are published: a stream notices a disconnect when it writes
	stop()
	c := openHTTP10(srv, "topics=S19")
	c.Want("snapshot")
	if err := srv.Stop(testserver.Timeout); err != nil {
		t.Error(err)
	}
	if bye := c.Want("bye"); bye.Reason != wire.ByeShutdown {
		t.Errorf("%s", bye.Text)
	}
}

// TestHTTP10Gzip checks that a compressed stream ends with the gzip trailer.
func TestHTTP10Gzip(t *testing.T) { onEngines(t, testHTTP10Gzip) }

func testHTTP10Gzip(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine, Log: stream.Config{Compress: stream.CompressOn, MaxSharedEncoders: 4}})
	c := srv.Dial()
	c.Send("GET /sse/subscribe?limit=100&snapshot=false HTTP/1.0\r\nHost: " + c.Addr + "\r\nAccept-Encoding: gzip\r\n\r\n")
	c.ReadHead()
	c.Format = wire.SSEJSON
	c.SetBody(c.Reader)
	c.ReadHello()
	srv.Publish(200)
	for range 100 {
		c.Want("q")
	}
	c.Want("bye")
	if _, err := c.ReadAll(); err != io.EOF {
		t.Error(err)
	}
}
