package handlers_test

import (
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"ticklane/handlers"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

func TestOverload(t *testing.T) { onEngines(t, testOverload) }

func testOverload(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.MaxStreams = 2 }})
	first, second := srv.SSE(""), srv.WS("")
	refused := func() {
		t.Helper()
		c := srv.Dial()
		c.RequestSSE("")
		bye := c.Want("bye")
		if bye.Reason != "overload" || bye.Event != "bye" || bye.EventID != "" || bye.Retry < 1000 || bye.EventRetry != strconv.FormatInt(bye.Retry, 10) {
			t.Errorf("%+v", bye)
		}
		if got, err := c.ReadAll(); len(got) > 0 {
			t.Errorf("after the bye: %d, %v", len(got), err)
		}
		if c.Header.Get("Content-Type") != "text/event-stream" || c.Header.Get("Cache-Control") != "no-store, no-transform" {
			t.Errorf("%v", c.Header)
		}
		for _, accept := range []string{"Accept: */*", "Accept: text/html,*/*", "X-None: 1", "Accept: text/event-stream;q=0, */*"} {
			answer, body := srv.Get("/sse/subscribe", accept)
			if p := wantProblem(t, answer, body, 503); p.Detail != "No stream can be opened now: limits.connections is reached, 2 open streams." {
				t.Errorf("detail %q", p.Detail)
			}
			if n, err := strconv.Atoi(answer.Header.Get("Retry-After")); err != nil || n < 1 {
				t.Errorf("Retry-After %q", answer.Header.Get("Retry-After"))
			}
		}
		for accept, status := range map[string]int{"text/event-stream": 200, "*/*": 503} {
			head := srv.Dial()
			head.Request("HEAD", "/sse/subscribe", "Accept: "+accept)
			if head.Status != status || status == 503 && head.Header.Get("Retry-After") == "" || head.Reader.Buffered() > 0 {
				t.Errorf("HEAD, %s: %d %v", accept, head.Status, head.Header)
			}
		}
		c = srv.Dial()
		c.Request("GET", "/sse/subscribe", "Accept: application/json\r\nAccept: text/html, Text/Event-Stream; q=0.5")
		if body := c.ReadBody(); c.Status != 200 || !strings.Contains(body, "event: bye") {
			t.Errorf("%d %s", c.Status, body)
		}
		for _, srv.Subprotocol = range []string{protobuf, ""} {
			w := openWS(srv, "")
			if bye := w.Want("bye"); bye.Reason != "overload" || bye.Retry < 1000 {
				t.Errorf("%s", bye.Text)
			}
			w.WantClose(1013)
		}
	}
	refused()
	if c := srv.Handlers.Counts(); c.Overloads != 8 || c.Waiting == 0 || c.Waiting > 8 { // HEAD opens no stream
		t.Errorf("%d counted, %d wait", c.Overloads, c.Waiting)
	}
	if n := srv.TickLog.Lane(wire.SSE).Opened + srv.TickLog.Lane(wire.WS).Opened; n != 2 {
		t.Errorf("%d streams were opened", n)
	}
	second.Cut(true)
	testkit.Eventually(t, func() bool { return liveStreams(srv) == 1 }, "the WebSocket's end")
	third := srv.SSE("limit=1&snapshot=false")
	refused()
	srv.Publish(1)
	wantEnd(third, "limit", 0)
	testkit.Eventually(t, func() bool { return liveStreams(srv) == 1 }, "the stream's end")
	srv.WS("")
	first.Cut(true)
}

// TestPerAddress checks the limit for each client address, which is taken from X-Forwarded-For behind a trusted proxy only.
func TestPerAddress(t *testing.T) { onEngines(t, testPerAddress) }

func testPerAddress(t *testing.T, engine string) {
	status := func(srv *testserver.Server, lines ...string) int {
		t.Helper()
		c := srv.Dial()
		c.Request("GET", "/sse/subscribe?topics=S1", lines...)
		return c.Status
	}
	t.Run("loopback is exempt", func(t *testing.T) {
		srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.MaxPerAddress = 1 }})
		for range 5 {
			srv.SSE("")
		}
		if got := srv.TickLog.Subscribers()[0].Info().Address; got != "127.0.0.1" {
			t.Errorf("address %s", got)
		}
	})
	t.Run("untrusted", func(t *testing.T) {
		srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.MaxPerAddress, s.TrustedProxies = 2, []string{"10.0.0.0/8"} }})
		for i, want := range []int{200, 200, 503} {
			if got := status(srv, "X-Forwarded-For: 9.9.9."+strconv.Itoa(i)); got != want {
				t.Errorf("stream %d: %d, want %d", i, got, want)
			}
		}
		answer, body := srv.Get("/sse/subscribe")
		if p := wantProblem(t, answer, body, 503); !strings.HasSuffix(p.Detail, "limits.per_address is reached, 2 open streams of this client address.") {
			t.Errorf("detail %q", p.Detail)
		}
	})
	t.Run("connections past the proxy", func(t *testing.T) {
		open := func(proxy string, n int) (last *testserver.Client) {
			srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.MaxPerAddress, s.TrustedProxies = 2, []string{proxy} }})
			for range n {
				last = srv.Dial()
			}
			return last
		}
		past := open("10.0.0.1", 5)
		past.NetConn.SetReadDeadline(time.Now().Add(5 * time.Second)) // long before an idle connection ends
		if _, err := past.Reader.ReadByte(); err != io.EOF {
			t.Errorf("the fifth connection of an address: %v, want EOF", err)
		}
		through := open("127.0.0.1", 5)
		if through.Request("GET", "/healthz"); through.Status != 200 {
			t.Errorf("the fifth connection of the proxy: status %d", through.Status)
		}
	})
	t.Run("trusted", func(t *testing.T) {
		srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) {
			s.MaxPerAddress, s.TrustedProxies = 2, []string{"127.0.0.1", "::ffff:10.0.0.0/104"}
		}})
		for _, c := range []struct {
			header, address string // several lines with |
		}{
			{"9.9.9.9", "9.9.9.9"},
			{"1.1.1.1, 9.9.9.8", "9.9.9.8"},
			{"1.1.1.1,9.9.9.7,10.1.2.3", "9.9.9.7"},
			{"1.1.1.1|9.9.9.6", "9.9.9.6"},
			{"1.1.1.1, 2.2.2.2|9.9.9.5|10.0.0.1", "9.9.9.5"},
			{"2001:db8::1", "2001:db8::1"},
			{"::ffff:9.9.9.4", "9.9.9.4"},
			{"10.3.3.3", "10.3.3.3"},
			{"nonsense", "127.0.0.1"},
			{"1.1.1.1, nonsense, 10.4.4.4", "10.4.4.4"},
			{"", "127.0.0.1"},
		} {
			var lines []string
			for v := range strings.SplitSeq(c.header, "|") {
				lines = append(lines, "X-Forwarded-For: "+v)
			}
			cl := srv.SSE("topics=S1", lines...)
			if got := srv.TickLog.Find(cl.Hello.Conn).Info().Address; got != c.address {
				t.Errorf("%q: %s, want %s", c.header, got, c.address)
			}
			cl.Cut(true)
		}
	})
	t.Run("spoofing fails", func(t *testing.T) {
		srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.MaxPerAddress, s.TrustedProxies = 2, []string{"127.0.0.1"} }})
		for i, want := range []int{200, 200, 503, 503} {
			claim := "X-Forwarded-For: 8.8.8." + strconv.Itoa(i)
			lines := []string{claim + ", 9.9.9.9"}
			if i%2 == 1 {
				lines = []string{claim, "X-Forwarded-For: 9.9.9.9"} // a proxy that adds a second line
			}
			if got := status(srv, lines...); got != want {
				t.Errorf("stream %d: %d, want %d", i, got, want)
			}
		}
		if got := status(srv, "X-Forwarded-For: 9.9.9.10"); got != 200 {
			t.Errorf("another address: %d", got)
		}
	})
}
