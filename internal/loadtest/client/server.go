package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// OpenTimeout bounds the time from dialling to the hello.
const OpenTimeout = 15 * time.Second

// Server is what clients need to know of a server. It is shared by connections and must not change while they use it.
type Server struct {
	URL         *url.URL
	Token       string         // sent with each request; empty for none
	Symbols     map[string]int // index of each symbol, from 0
	ClockOffset int64          // the server's clock − ours, µs
}

// Heads is how far a server's log has got.
type Heads struct {
	Seq     uint64         // newest seq
	Symbols map[int]uint64 // newest number of each symbol of the topics, by index
}

// ParseHeads reads the heads from the JSON text of a snapshot.
func (s *Server) ParseHeads(snapshot []byte) (Heads, error) {
	h := Heads{Symbols: make(map[int]uint64)}
	head, ok := parseSnapshot(snapshot, func(t *Tick) {
		if k, known := s.Symbols[string(t.Symbol)]; known {
			h.Symbols[k] = t.N
		}
	})
	if !ok {
		return h, malformed("snapshot")
	}
	h.Seq = head.seq
	return h, nil
}

// Loopback reports whether the server's host is this machine by name or address alone, without resolving it.
func (s *Server) Loopback() bool { return IsLoopback(s.URL.Hostname()) }

// IsLoopback reports whether host is localhost or a loopback address. It resolves nothing.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// base returns the path before /sse/subscribe, empty at the root.
func (s *Server) base() string { return strings.TrimSuffix(s.URL.Path, "/") }

// Address returns the server's host and port.
func (s *Server) Address() string {
	port := s.URL.Port()
	if port == "" {
		port = "80"
		if s.URL.Scheme == "https" {
			port = "443"
		}
	}
	return net.JoinHostPort(s.URL.Hostname(), port)
}

// dial opens a connection, with TLS if the URL's scheme is https. from is the local address, the zero Addr for the system's
// choice.
func (s *Server) dial(ctx context.Context, from netip.Addr) (net.Conn, error) {
	d := &net.Dialer{Timeout: OpenTimeout}
	if from.IsValid() {
		d.LocalAddr, d.Control = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0)), bindWithoutPort
	}
	nc, err := d.DialContext(ctx, "tcp", s.Address())
	switch {
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("no local port is free: %w; use fewer --conns, or widen the system's range of local ports", err)
	case err != nil:
		return nil, err
	}
	if s.URL.Scheme != "https" {
		return nc, nil
	}
	secure := tls.Client(nc, &tls.Config{ServerName: s.URL.Hostname(), NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12})
	if err := secure.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, fmt.Errorf("TLS with %s: %w", s.Address(), err)
	}
	return secure, nil
}
