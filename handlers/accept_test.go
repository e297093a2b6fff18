package handlers

import (
	"net"
	"strings"
	"testing"
	"time"
)

// TestTooManyConnections: silent sockets of one address fill no more than its share, and the one too many is closed
// without a status, after which an EventSource tries again.
func TestTooManyConnections(t *testing.T) {
	h := open(t, plan{settings: func(s *Settings) {
		s.MaxPerAddress = 3
		s.TrustedProxies = nil
	}, listener: func(ln net.Listener) net.Listener { return foreign{ln} }})
	var silent []*client
	for range 6 { // twice limits.per_address
		silent = append(silent, h.dial())
	}
	until(t, "all to be accepted", func() bool { return h.server.ln.Open() == 6 })
	late := h.dial()
	late.nc.SetReadDeadline(time.Now().Add(patience))
	if b, err := late.r.ReadByte(); err == nil {
		t.Errorf("the one too many was answered: %q", b)
	}
	silent[0].nc.Close()
	until(t, "the place to be free again", func() bool { return h.server.ln.Open() == 5 })
	if c, text := h.get("/healthz"); c.status != 200 {
		t.Errorf("status %d: %s", c.status, text)
	}
}

// foreign lets peers look as if they came from another machine, since loopback is exempt.
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
	h := openLab(t)
	c := h.dial()
	c.ask("POST", "/api/lab/rate", "Content-Type: application/json", "Content-Encoding: gzip", "Content-Length: 2\r\n\r\n{}")
	if text := c.all(); c.status != 415 || !strings.Contains(text, "Content-Encoding") {
		t.Errorf("status %d: %s", c.status, text)
	}
}

func TestPreflightOfAnAllowedOrigin(t *testing.T) {
	h := open(t, plan{settings: func(s *Settings) { s.Origins = []string{"https://desk.example.com"} }})
	for origin, status := range map[string]int{"https://desk.example.com": 204, "https://evil.example.com": 405} {
		c := h.dial()
		c.ask("OPTIONS", "/sse/connections/x", "Origin: "+origin, "Access-Control-Request-Method: POST")
		if c.status != status || status == 204 && !strings.Contains(c.header.Get("Access-Control-Allow-Methods"), "POST") {
			t.Errorf("%s: status %d %v", origin, c.status, c.header)
		}
	}
}

// TestRateErrorsKeepTheId: a client that waits for an answer must learn that it was refused.
func TestRateErrorsKeepTheId(t *testing.T) {
	h := open(t, plan{settings: func(s *Settings) { s.MessageRate, s.MessageBurst = 1e-6, 1 }})
	c := h.ws("snapshot=false")
	c.say(`{"action":"time","id":1}`)
	c.want("time")
	c.say(`{"action":"time","id":2}`)
	if m := c.want("error"); m.Code != "rate" || m.ID == nil || *m.ID != 2 {
		t.Errorf("%s", m.text)
	}
}
