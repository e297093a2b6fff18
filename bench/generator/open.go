package generator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"ticklane/internal/wire"
)

// Dial says what subscribers ask for.
type Dial struct {
	Port     int
	Lane     wire.Lane
	Path     string
	Compress bool   // offer gzip, or permessage-deflate with context takeover
	Protocol string // a WebSocket subprotocol, empty for none
	Stalled  bool   // send the request and never read, with the smallest receive buffer
}

const (
	sources          = 8   // loopback addresses of the clients: one has 28,000 ports to one server
	maxOpening       = 200 // handshakes under way at once
	handshakeTimeout = time.Minute
)

// Open opens n subscribers and returns when all have received the head of a response.
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
			g.stalled = append(g.stalled, c.fd) // it isn't one that must receive every tick
			continue
		}
		g.mu.Lock()
		g.byFD[c.fd], g.all = c, append(g.all, c)
		g.mu.Unlock()
		if err := unix.EpollCtl(g.epoll, unix.EPOLL_CTL_ADD, c.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.fd)}); err != nil {
			return err
		}
		if err := g.awaitReady(ctx, base+int64(i+1-maxOpening)); err != nil {
			return err
		}
	}
	if d.Stalled {
		return nil
	}
	return g.awaitReady(ctx, base+int64(n))
}

// awaitReady waits until n handshakes are complete.
func (g *Generator) awaitReady(ctx context.Context, n int64) error {
	for start := time.Now(); g.ready.Load() < n; time.Sleep(200 * time.Microsecond) {
		if err := errors.Join(ctx.Err(), g.failure()); err != nil {
			return err
		}
		if time.Since(start) > handshakeTimeout {
			return fmt.Errorf("%d of %d handshakes are incomplete after %v", n-g.ready.Load(), n, handshakeTimeout)
		}
	}
	return nil
}

func (g *Generator) connect(i int, d Dial) (*conn, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if d.Stalled {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1)
	}
	err = errors.Join(err,
		// The port is chosen when the other address is known too, which allows more connections.
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1),
		unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(2 + i%sources)}}),
		unix.Connect(fd, &unix.SockaddrInet4{Port: d.Port, Addr: [4]byte{127, 0, 0, 1}}),
		unix.SetNonblock(fd, true))
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return &conn{g: g, fd: fd, lane: d.Lane}, nil
}

// The key of every handshake is the example of RFC 6455 §1.3, whose answer the baseline server has as a constant.
const (
	key       = "dGhlIHNhbXBsZSBub25jZQ=="
	acceptKey = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

func (d Dial) request() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\n", d.Path, net.JoinHostPort("127.0.0.1", fmt.Sprint(d.Port)))
	if d.Lane == wire.WS {
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
