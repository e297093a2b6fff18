package handlers_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"ticklane/handlers"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
)

// TestTooManyConnections checks the limit of silent connections of one address. The connection over it is closed without a
// status, after which an EventSource reconnects.
func TestTooManyConnections(t *testing.T) {
	srv := newTestServer(t, testserver.Options{Settings: func(s *handlers.Settings) {
		s.MaxPerAddress = 3
		s.TrustedProxies = nil
	}, Listener: func(ln net.Listener) net.Listener { return foreign{ln} }})
	var silent []*testserver.Client
	for range 6 { // twice limits.per_address
		silent = append(silent, srv.Dial())
	}
	testkit.Eventually(t, func() bool { return srv.Handlers.OpenConns() == 6 }, "all to be accepted")
	late := srv.Dial()
	late.NetConn.SetReadDeadline(time.Now().Add(testserver.Timeout))
	if b, err := late.Reader.ReadByte(); err == nil {
		t.Errorf("the one too many was answered: %q", b)
	}
	silent[0].NetConn.Close()
	testkit.Eventually(t, func() bool { return srv.Handlers.OpenConns() == 5 }, "the place to be free again")
	if c, text := srv.Get("/healthz"); c.Status != 200 {
		t.Errorf("status %d: %s", c.Status, text)
	}
}

// foreign makes peers appear to be on another machine, since loopback addresses are exempt from the limit.
type foreign struct{ net.Listener }

func (f foreign) Accept() (net.Conn, error) {
	nc, err := f.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return abroad{nc}, nil
}

type abroad struct{ net.Conn }

func (abroad) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 4711} }

func TestLabRefusesCompressedBodies(t *testing.T) {
	srv := newLabServer(t)
	c := srv.Dial()
	c.Request("POST", "/api/lab/rate", "Content-Type: application/json", "Content-Encoding: gzip", "Content-Length: 2\r\n\r\n{}")
	if text := c.ReadBody(); c.Status != 415 || !strings.Contains(text, "Content-Encoding") {
		t.Errorf("status %d: %s", c.Status, text)
	}
}

func TestPreflightOfAnAllowedOrigin(t *testing.T) {
	srv := newTestServer(t, testserver.Options{Settings: func(s *handlers.Settings) { s.Origins = []string{"https://desk.example.com"} }})
	for origin, status := range map[string]int{"https://desk.example.com": 204, "https://evil.example.com": 405} {
		c := srv.Dial()
		c.Request("OPTIONS", "/sse/connections/x", "Origin: "+origin, "Access-Control-Request-Method: POST")
		if c.Status != status || status == 204 && !strings.Contains(c.Header.Get("Access-Control-Allow-Methods"), "POST") {
			t.Errorf("%s: status %d %v", origin, c.Status, c.Header)
		}
	}
}

// TestOriginsWithDefaultPorts checks that server.origins with a default port allows the same origin, which browsers send
// without, and that a preflight lists every header that clients of the contract send.
func TestOriginsWithDefaultPorts(t *testing.T) {
	srv := newTestServer(t, testserver.Options{Settings: func(s *handlers.Settings) { s.Origins = []string{"https://a.example:443", "http://b.example:80"} }})
	for origin, status := range map[string]int{"https://a.example": 204, "http://b.example": 204, "http://a.example": 405, "https://b.example": 405} {
		c := srv.Dial()
		c.Request("OPTIONS", "/sse/subscribe", "Origin: "+origin, "Access-Control-Request-Method: GET")
		if c.Status != status {
			t.Errorf("%s: status %d", origin, c.Status)
		}
		if got := c.Header.Get("Access-Control-Allow-Headers"); status == 204 && got != "Authorization, Cache-Control, Content-Type, Last-Event-ID" {
			t.Errorf("%s: allowed headers %q", origin, got)
		}
	}
}

// TestCORSCredentials checks that they are allowed only by their setting, and only to allowed origins.
func TestCORSCredentials(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		srv := newTestServer(t, testserver.Options{Settings: func(s *handlers.Settings) {
			s.Origins, s.CORSCredentials = []string{"https://a.example"}, allowed
		}})
		for origin, want := range map[string]bool{"https://a.example": allowed, "https://b.example": false} {
			c, _ := srv.Get("/api/time", "Origin: "+origin)
			if got := c.Header.Get("Access-Control-Allow-Credentials") == "true"; got != want {
				t.Errorf("credentials of %s: %v, want %v", origin, got, want)
			}
		}
	}
}

// TestSchemeOfOrigins checks that the scheme counts with TLS and if a trusted proxy reports it, and that a refusal names the Host.
func TestSchemeOfOrigins(t *testing.T) {
	behindProxy := newTestServer(t, testserver.Options{Settings: func(s *handlers.Settings) { s.TrustedProxies = []string{"127.0.0.1"} }})
	secure := newTestServer(t, testserver.Options{Settings: func(s *handlers.Settings) { s.TLS = certificate(t) }})
	for _, c := range []struct {
		srv           *testserver.Server
		origin, proto string
		status        int
	}{
		{behindProxy, "https://localhost", "https", 404}, {behindProxy, "http://localhost", "https", 403},
		{behindProxy, "https://localhost", "http", 403}, {behindProxy, "http://localhost", "HTTP", 404}, {behindProxy, "ftp://localhost", "", 403},
		{secure, "https://localhost", "", 404}, {secure, "http://localhost:443", "", 403}, {secure, "http://localhost", "", 403}, {secure, "HTTPS://localhost:443", "", 404},
	} {
		lines := []string{"Host: localhost", "Origin: " + c.origin}
		if c.proto != "" {
			lines = append(lines, "X-Forwarded-Proto: "+c.proto)
		}
		answer, body := c.srv.PostCommand("x", `{"action":"time"}`, lines...)
		if p := wantProblem(t, answer, body, c.status); c.status == 403 && (!strings.Contains(p.Detail, `Host "localhost"`) || !strings.Contains(p.Detail, "proxy")) {
			t.Errorf("%v: %s", c, body)
		}
	}
}

// TestRateErrorsKeepTheID checks that the client learns which command was refused.
func TestRateErrorsKeepTheID(t *testing.T) {
	srv := newTestServer(t, testserver.Options{Settings: func(s *handlers.Settings) { s.MessageRate, s.MessageBurst = 1e-6, 1 }})
	c := srv.WS("snapshot=false")
	c.SendText(`{"action":"time","id":1}`)
	c.Want("time")
	c.SendText(`{"action":"time","id":2}`)
	if m := c.Want("error"); m.Code != "rate" || m.ID == nil || *m.ID != 2 {
		t.Errorf("%s", m.Text)
	}
}
