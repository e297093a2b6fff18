package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"ticklane/internal/config"
)

// ports are the listening sockets of serve. They stay open while it serves anew, so that clients wait meanwhile and none is refused.
type ports struct {
	mu          sync.Mutex
	main, admin net.Listener // nil before the first listen; admin is nil without server.admin_addr
}

// listen returns listeners of server.addr and server.admin_addr. The caller must close them, which leaves the sockets open.
func (p *ports) listen(c config.Server) (main, admin net.Listener, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.main == nil {
		main, err := listen(c.Addr)
		if err != nil {
			return nil, nil, err
		}
		p.main = main
		if p.admin, err = listenAdmin(c.AdminAddr); err != nil {
			return nil, nil, err
		}
	}
	if main, err = duplicate(p.main); err == nil && p.admin != nil {
		admin, err = duplicate(p.admin)
	}
	return main, admin, err
}

// close closes the sockets, once the listeners that listen has returned are closed.
func (p *ports) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, ln := range []net.Listener{p.main, p.admin} {
		if ln != nil {
			_ = ln.Close()
		}
	}
}

// duplicate returns another listener of the same socket.
func duplicate(ln net.Listener) (net.Listener, error) {
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", ln.Addr(), err)
	}
	defer file.Close()
	return net.FileListener(file)
}

// listen listens without MPTCP, whose sockets don't support TCP_USER_TIMEOUT.
func listen(addr string) (net.Listener, error) {
	var lc net.ListenConfig
	lc.SetMultipathTCP(false)
	ln, err := lc.Listen(context.Background(), "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("listen on %s: the address is in use by another program: stop it, or choose another address, such as --server.addr 127.0.0.1:3001", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("server.addr: %w", err)
	}
	return ln, nil
}

// listenAdmin listens on server.admin_addr. It returns nil if that is empty.
func listenAdmin(addr string) (net.Listener, error) {
	if addr == "" {
		return nil, nil
	}
	ln, err := listen(addr)
	if err != nil {
		return nil, fmt.Errorf("server.admin_addr: %w", err)
	}
	return ln, nil
}

// printURL prints the URL of the server.
func printURL(out io.Writer, cfg config.Config, addr net.Addr) {
	scheme := "http"
	if cfg.Server.TLSCert != "" {
		scheme = "https"
	}
	host := "localhost"
	tcp := addr.(*net.TCPAddr)
	if !tcp.IP.Equal(net.IPv4(127, 0, 0, 1)) && !tcp.IP.Equal(net.IPv6loopback) && !tcp.IP.IsUnspecified() {
		host = tcp.IP.String()
	}
	fmt.Fprintf(out, "Ticklane %s serves on %s://%s%s\n", version, scheme, net.JoinHostPort(host, strconv.Itoa(tcp.Port)), cfg.Server.BasePath)
}

// warnExposed warns of settings that are unlikely to be meant on an address that other machines can reach.
func warnExposed(out io.Writer, cfg config.Config, addr net.Addr, logger *slog.Logger) {
	ip := addr.(*net.TCPAddr).IP
	if ip.IsUnspecified() && len(cfg.Server.Hosts) == 0 {
		logger.Warn("server.addr accepts connections on all interfaces, but only requests to localhost are answered: set server.hosts to the names "+
			"that clients use, and server.trusted_proxies if they come through a proxy", "addr", addr)
	}
	if cfg.Lab.Enabled && !ip.IsLoopback() {
		stars := strings.Repeat("*", 80)
		fmt.Fprintf(out, "\n%s\nWARNING: lab.enabled on %s: anyone who reaches this address can cut streams,\nchange the market's rate and "+
			"start thousands of clients. Disable it, or listen on 127.0.0.1.\n%[1]s\n\n", stars, addr)
		logger.Error("lab.enabled on an address that other machines can reach: anyone there can load this server; disable it, or listen on 127.0.0.1", "addr", addr)
	}
}
