package e2e

import (
	"net"
	"sync"
	"testing"
)

// proxy is a TCP proxy between browser and server whose connections a test interrupts.
type proxy struct {
	url  string
	ln   net.Listener
	done sync.WaitGroup // its goroutines

	mu      sync.Mutex
	changed *sync.Cond // signals that mode changed
	mode    mode
	target  string                // the server's address
	open    map[*net.TCPConn]bool // of both sides
}

// mode is what a proxy does with connections, open ones included.
type mode int

const (
	passing    mode = iota // bytes pass
	refusing               // connections are reset
	swallowing             // bytes wait and connections stay open, as with a pulled cable
	closed                 // as refusing, at the end of the test
)

// newProxy starts a proxy in front of a server. It ends with the test.
func newProxy(t testing.TB, s *server) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{url: "http://" + ln.Addr().String(), ln: ln, target: s.addr, open: map[*net.TCPConn]bool{}}
	p.changed = sync.NewCond(&p.mu)
	p.done.Go(p.accept)
	t.Cleanup(func() {
		ln.Close()
		p.set(closed)
		p.done.Wait()
	})
	return p
}

// setTarget sends new connections to another server. To the browser it has the same address as the first one.
func (p *proxy) setTarget(s *server) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = s.addr
}

// set changes the mode. It takes effect at once on open connections.
func (p *proxy) set(m mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = m
	if m == refusing || m == closed {
		for c := range p.open {
			c.SetLinger(0) // both ends see a reset
			c.Close()
		}
		clear(p.open)
	}
	p.changed.Broadcast()
}

// admit waits while bytes are swallowed, then adds c to the open connections and returns the target. It reports false
// when connections are refused.
func (p *proxy) admit(c *net.TCPConn) (target string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.mode == swallowing {
		p.changed.Wait()
	}
	if p.mode != passing {
		return "", false
	}
	p.open[c] = true
	return p.target, true
}

func (p *proxy) accept() {
	for {
		c, err := p.ln.Accept()
		if err != nil {
			return
		}
		p.done.Go(func() { p.serve(c.(*net.TCPConn)) })
	}
}

// serve connects to the target and copies in both directions until both have ended.
func (p *proxy) serve(client *net.TCPConn) {
	defer client.Close()
	target, ok := p.admit(client)
	if !ok {
		client.SetLinger(0)
		return
	}
	c, err := net.Dial("tcp", target)
	if err != nil {
		client.SetLinger(0) // refused, as by a stopped server
		return
	}
	server := c.(*net.TCPConn)
	defer server.Close()
	if _, ok := p.admit(server); !ok { // the mode changed meanwhile
		client.SetLinger(0)
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.copy(server, client) })
	both.Go(func() { p.copy(client, server) })
	both.Wait()
	p.mu.Lock()
	delete(p.open, client)
	delete(p.open, server)
	p.mu.Unlock()
}

// copy copies until either end closes or the mode ends the connection.
func (p *proxy) copy(to, from *net.TCPConn) {
	defer to.CloseWrite()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if !p.waitToPass() {
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				from.Close()
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// waitToPass waits while bytes are swallowed, and reports whether they may pass.
func (p *proxy) waitToPass() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.mode == swallowing {
		p.changed.Wait()
	}
	return p.mode == passing
}
