package generator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Dial says how subscribers ask.
type Dial struct {
	Port     int
	WS       bool
	Path     string
	Compress bool   // offer gzip, or permessage-deflate with context takeover
	Protocol string // a WebSocket subprotocol
	Stalled  bool   // send the request and never read, with the least receive buffer
}

// sources are how many loopback addresses connections come from: one has 28,000 ports to one server.
const sources = 8

// pending is how many handshakes may be under way.
const pending = 200

// patience is how long a handshake may take.
const patience = time.Minute

// Open opens n subscribers and returns when all of them were answered.
func (g *Generator) Open(ctx context.Context, n int, d Dial) error {
	base := g.ready.Load()
	request := d.request()
	for i := range n {
		c, err := g.connect(i, d)
		if err != nil {
			return fmt.Errorf("connection %d: %w", i+1, err)
		}
		if _, err := unix.Write(c.fd, request); err != nil {
			return fmt.Errorf("connection %d: %w", i+1, err)
		}
		if d.Stalled {
			g.stalled = append(g.stalled, c.fd) // not one that must see every tick
			continue
		}
		g.mu.Lock()
		g.conns[c.fd], g.open = c, append(g.open, c)
		g.mu.Unlock()
		if err := unix.EpollCtl(g.poller, unix.EPOLL_CTL_ADD, c.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.fd)}); err != nil {
			return err
		}
		if err := g.answered(ctx, base+int64(i+1-pending)); err != nil {
			return err
		}
	}
	if d.Stalled {
		return nil
	}
	return g.answered(ctx, base+int64(n))
}

// answered waits until n handshakes are over.
func (g *Generator) answered(ctx context.Context, n int64) error {
	for start := time.Now(); g.ready.Load() < n; time.Sleep(200 * time.Microsecond) {
		if err := errors.Join(ctx.Err(), g.failure()); err != nil {
			return err
		}
		if time.Since(start) > patience {
			return fmt.Errorf("%d of %d handshakes are still open after %v", n-g.ready.Load(), n, patience)
		}
	}
	return nil
}

func (g *Generator) connect(i int, d Dial) (*conn, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	c := &conn{g: g, fd: fd, ws: d.WS}
	if d.Stalled {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1)
	}
	err = errors.Join(err,
		// The port is chosen at connect, when the whole pair is known.
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1),
		unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(2 + i%sources)}}),
		unix.Connect(fd, &unix.SockaddrInet4{Port: d.Port, Addr: [4]byte{127, 0, 0, 1}}),
		unix.SetNonblock(fd, true))
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return c, nil
}

// key is RFC 6455's own example, whose answer the floor knows by heart.
const (
	key    = "dGhlIHNhbXBsZSBub25jZQ=="
	accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

func (d Dial) request() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\n", d.Path, net.JoinHostPort("127.0.0.1", fmt.Sprint(d.Port)))
	if d.WS {
		b.WriteString("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + "\r\n")
		if d.Compress {
			b.WriteString("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n")
		}
		if d.Protocol != "" {
			b.WriteString("Sec-WebSocket-Protocol: " + d.Protocol + "\r\n")
		}
	} else {
		b.WriteString("Accept: text/event-stream\r\n")
		if d.Compress {
			b.WriteString("Accept-Encoding: gzip\r\n")
		}
	}
	b.WriteString("\r\n")
	return []byte(b.String())
}

// answered reads the head of the server's answer.
func (c *conn) answered(head []byte) error {
	lines := strings.Split(strings.TrimSpace(string(head)), "\r\n")
	if want := map[bool]string{false: " 200", true: " 101"}[c.ws]; !strings.Contains(lines[0], want) {
		return errors.New(lines[0])
	}
	accepted := !c.ws
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(name) {
		case "transfer-encoding":
			c.chunked = strings.EqualFold(value, "chunked")
		case "content-encoding":
			if value != "gzip" {
				return errors.New(line)
			}
			c.z = &inflater{}
		case "sec-websocket-extensions":
			if !strings.HasPrefix(value, "permessage-deflate") {
				return errors.New(line)
			}
			c.z = &inflater{}
		case "sec-websocket-accept":
			accepted = value == accept
		}
	}
	if !accepted {
		return errors.New("a wrong Sec-WebSocket-Accept")
	}
	return nil
}

// Compressed returns how many of the connections are compressed.
func (g *Generator) Compressed() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for _, c := range g.open {
		if c.z != nil {
			n++
		}
	}
	return n
}
