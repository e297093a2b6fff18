package handlers_test

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// TestUnknownMethods checks that they are answered by a problem, are counted and don't close the connection.
func TestUnknownMethods(t *testing.T) {
	srv := newTestServer(t, testserver.Options{})
	c := srv.Dial()
	for i, method := range []string{"FOO", "get", "PROPFIND", "SUBSCRIBE"} {
		before := srv.Handlers.Counts().Requests
		c.Request(method, []string{"/sse/subscribe", "/ws/subscribe", "/api/stats", "/"}[i], "Accept: text/html")
		wantProblem(t, c, c.ReadBody(), 501)
		if after := srv.Handlers.Counts().Requests; after != before+1 {
			t.Errorf("%s: %d requests were counted", method, after-before)
		}
	}
	c.Request("GET", "/healthz")
	if body := c.ReadBody(); body != "ok\n" {
		t.Errorf("%q", body)
	}
}

// TestAllowIsTrue sends every method to every route, and compares Allow with the methods that are not answered with 405.
func TestAllowIsTrue(t *testing.T) {
	srv := newLabServer(t)
	paths := map[string]bool{}
	for _, r := range srv.Handlers.Routes() {
		paths[strings.NewReplacer(":conn", "x", ":name", "x.html", "*", "theme.js").Replace(r.Path)] = true
	}
	if len(paths) < 30 {
		t.Fatalf("only %d routes were found", len(paths))
	}
	for path := range paths {
		var supported []string
		allow := map[string]string{} // by refused method
		for _, method := range []string{"GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT"} {
			c := srv.Dial()
			c.Request(method, path, "Content-Length: 0")
			c.NetConn.Close()
			if c.Status != 405 {
				supported = append(supported, method)
				continue
			}
			allow[method] = c.Header.Get("Allow")
		}
		if len(supported) == 0 || len(allow) == 0 {
			t.Errorf("%s: supports %v", path, supported)
		}
		slices.Sort(supported)
		for method, list := range allow {
			got := strings.Split(list, ", ")
			slices.Sort(got)
			if !slices.Equal(got, supported) {
				t.Errorf("%s %s: Allow %q, want %v", method, path, list, supported)
			}
		}
	}
}

// TestObsoleteRequests checks that other major versions of HTTP get 505, continued lines 400, and that later minor versions
// are served.
func TestObsoleteRequests(t *testing.T) {
	srv := newTestServer(t, testserver.Options{})
	for request, status := range map[string]int{
		"GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n": 505, "GET /healthz HTTP/0.9\r\nHost: localhost\r\n\r\n": 505,
		"PRI * HTTP/2.0\r\nHost: localhost\r\n\r\n": 505, "GET /healthz HTTP/1.2\r\nHost: localhost\r\n\r\n": 200,
		"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n c\r\n\r\n": 400, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n\tc\r\n\r\n": 400,
	} {
		c := srv.Dial()
		c.Send(request)
		c.ReadHead()
		if c.Status != status {
			t.Errorf("%q: status %d, want %d", request, c.Status, status)
		}
		if body := c.ReadBody(); status != 200 {
			wantProblem(t, c, body, status)
		}
	}
}

// TestLengthBesideChunks checks that such a request is refused: a proxy may see its end elsewhere.
func TestLengthBesideChunks(t *testing.T) {
	srv := newTestServer(t, testserver.Options{})
	for _, length := range []string{"Content-Length: 5", "content-length: 5", "CONTENT-LENGTH:5"} {
		for _, lines := range []string{length + "\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\n" + length} {
			c := srv.Dial()
			method := "POST"
			if strings.HasPrefix(lines, "content-length") {
				method = "FOO" // its length counts before the method
			}
			c.Request(method, "/sse/connections/x", "Content-Type: application/json", lines+"\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost")
			if p := wantProblem(t, c, c.ReadBody(), 400); !strings.Contains(p.Detail, "Content-Length") {
				t.Errorf("%s", p.Detail)
			}
			if b, err := io.ReadAll(c.Reader); err != nil || len(b) > 0 {
				t.Errorf("%s: after the response: %v %q", lines, err, b)
			}
		}
	}
	c := srv.Dial()
	c.Request("POST", "/sse/connections/x", "Content-Type: application/json", "X-Content-Length: 5", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost")
	wantProblem(t, c, c.ReadBody(), 404)
	if c.ReadHead(); c.ReadBody() != "ok\n" {
		t.Error("the connection was closed")
	}
}

// TestConnectionLists checks that Connection is a list of tokens in any case and any number of lines (RFC 9110 §7.6.1).
func TestConnectionLists(t *testing.T) { onEngines(t, testConnectionLists) }

func testConnectionLists(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine})
	srv.Publish(40)
	for _, lines := range []string{"Connection: close", "Connection: Close", "Connection: keep-alive, CLOSE", "Connection: te\r\nConnection: Close"} {
		for _, path := range []string{"/healthz", "/nothing", "/sse/subscribe?limit=3&from=oldest"} {
			c := srv.Dial()
			c.Request("GET", path, lines)
			if got := c.Header["Connection"]; len(got) != 1 || got[0] != "close" {
				t.Errorf("%s, %s: Connection %q", path, lines, got)
			}
			if _, err := io.ReadAll(c.Reader); err != nil {
				t.Errorf("%s, %s: %v", path, lines, err)
			}
		}
	}
	for _, lines := range [][]string{
		{"Connection: keep-alive\r\nConnection: Upgrade", "Upgrade: websocket"},
		{"Connection: UPGRADE , close", "Upgrade: h2c\r\nUpgrade: WebSocket"},
		{"Connection: ,upgrade", "Upgrade: h2c, websocket"},
	} {
		c := srv.Dial()
		c.Request("GET", "/ws/subscribe", append(append([]string{}, lines...), testserver.Upgrade[2:]...)...)
		if got := c.Header["Connection"]; c.Status != 101 || len(got) != 1 || got[0] != "Upgrade" {
			t.Fatalf("%q: %d, %v", lines, c.Status, c.Header)
		}
		c.Format = wire.WSJSON
		c.ReadHello()
		c.Want("snapshot")
		c.WriteFrame(ws.OpClose, true, string(ws.NewCloseFrameBody(1000, "")))
		c.WantClose(1000)
	}
}

// TestRefusedUpgradeClosesConnection: a proxy may forward everything after a request with Upgrade without looking at it, so
// that a further request could have any client address.
func TestRefusedUpgradeClosesConnection(t *testing.T) {
	onEngines(t, func(t *testing.T, engine string) {
		srv := newTestServer(t, testserver.Options{Engine: engine})
		for _, path := range []string{"/ws/subscribe?topics=nothing", "/api/time", "/nothing", "/healthz", "/ws/ingest"} {
			c := srv.Dial()
			second := "GET /api/time HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n"
			c.Request("GET", path, append(append([]string{}, testserver.Upgrade...), "\r\n"+second+second)...)
			c.ReadBody()
			if rest, err := io.ReadAll(c.Reader); err != nil || len(rest) > 0 {
				t.Errorf("%s: %d, then %.60q %v", path, c.Status, rest, err)
			}
		}
	})
}
