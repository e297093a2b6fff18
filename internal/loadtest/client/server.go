package client

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// OpenTimeout bounds the time from dialling to the hello.
const OpenTimeout = 15 * time.Second

// Server is what clients need to know of a server. It is shared by connections and must not change while they use it.
type Server struct {
	URL         *url.URL
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

func (s *Server) address() string {
	port := s.URL.Port()
	if port == "" {
		port = "80"
		if s.URL.Scheme == "https" {
			port = "443"
		}
	}
	return net.JoinHostPort(s.URL.Hostname(), port)
}

// dial opens a connection, with TLS if the URL's scheme is https.
func (s *Server) dial(ctx context.Context) (net.Conn, error) {
	nc, err := (&net.Dialer{Timeout: OpenTimeout}).DialContext(ctx, "tcp", s.address())
	if err != nil {
		return nil, err
	}
	if s.URL.Scheme != "https" {
		return nc, nil
	}
	secure := tls.Client(nc, &tls.Config{ServerName: s.URL.Hostname(), NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12})
	if err := secure.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, fmt.Errorf("TLS with %s: %w", s.address(), err)
	}
	return secure, nil
}
