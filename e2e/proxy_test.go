package e2e

import (
	"net"
	"sync"
	"testing"
)

// proxy is the network between browser and server, which the tests cut.
type proxy struct {
	url  string
	ln   net.Listener
	mu   sync.Mutex
	cond *sync.Cond
	to   string
	mode mode
	open map[*net.TCPConn]bool
	done sync.WaitGroup
}

type mode int

const (
	passing mode = iota
	refusing
	swallowing // bytes wait, connections stay open: what a pulled cable looks like
	closed
)

// between starts a proxy in front of a server.
func between(t testing.TB, s *server) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{url: "http://" + ln.Addr().String(), ln: ln, to: s.addr, open: map[*net.TCPConn]bool{}}
	p.cond = sync.NewCond(&p.mu)
	p.done.Go(p.accept)
	t.Cleanup(func() {
		ln.Close()
		p.set(closed)
		p.done.Wait()
	})
	return p
}

// lead sends the connections that come from now on to another server: to the browser it is the same one, come back.
func (p *proxy) lead(to *server) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to = to.addr
}

// set changes what happens to connections, those that are open included.
func (p *proxy) set(m mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = m
	if m == refusing || m == closed {
		for c := range p.open {
			c.SetLinger(0) // so that both ends see a reset
			c.Close()
		}
		clear(p.open)
	}
	p.cond.Broadcast()
}

// enter waits while bytes are swallowed, and tells where to go on to; c is then known to set.
func (p *proxy) enter(c *net.TCPConn) (to string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.mode == swallowing {
		p.cond.Wait()
	}
	if p.mode != passing {
		return "", false
	}
	p.open[c] = true
	return p.to, true
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

func (p *proxy) serve(client *net.TCPConn) {
	defer client.Close()
	to, ok := p.enter(client)
	if !ok {
		client.SetLinger(0)
		return
	}
	c, err := net.Dial("tcp", to)
	if err != nil {
		client.SetLinger(0) // a server that is gone refuses
		return
	}
	server := c.(*net.TCPConn)
	defer server.Close()
	if _, ok := p.enter(server); !ok { // cut meanwhile
		client.SetLinger(0)
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.pump(server, client) })
	both.Go(func() { p.pump(client, server) })
	both.Wait()
	p.mu.Lock()
	delete(p.open, client)
	delete(p.open, server)
	p.mu.Unlock()
}

// pump copies until either end closes.
func (p *proxy) pump(to, from *net.TCPConn) {
	defer to.CloseWrite()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if !p.flows() {
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

// flows waits while bytes are swallowed; false means that the connection was cut.
func (p *proxy) flows() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.mode == swallowing {
		p.cond.Wait()
	}
	return p.mode == passing
}
