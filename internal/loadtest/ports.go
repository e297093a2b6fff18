package loadtest

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/http/httptrace"
	"net/netip"
	"time"
)

// sparePorts is the number of local ports for everything but the connections, such as requests to the API.
const sparePorts = 16

// timeWait is how long Linux keeps the port of a connection that this side closed first.
const timeWait = time.Minute

// States of sockets in /proc/net/tcp.
const (
	stateTimeWait = 0x06
	stateListen   = 0x0a
)

// socket is a TCP socket of this machine.
type socket struct {
	local, remote netip.AddrPort
	state         uint8
}

// localPorts are the ports that the system may choose for connections, and the sockets that use some.
type localPorts struct {
	first, last int
	reserved    map[int]bool
	sockets     []socket
	reuse       int // net.ipv4.tcp_tw_reuse: ports in TIME_WAIT are reused after a second, with 1 everywhere, with 2 on loopback
}

// reusable reports whether ports in TIME_WAIT are reused for new connections to an address.
func (p *localPorts) reusable(to netip.Addr) bool {
	return p.reuse == 1 || p.reuse == 2 && to.IsLoopback()
}

// free returns how many connections from one address to another can still be opened, and how many ports are in TIME_WAIT
// meanwhile.
func (p *localPorts) free(from netip.Addr, to netip.AddrPort) (free, waiting int) {
	used := make(map[uint16]bool)
	for port := range p.reserved {
		if port >= p.first && port <= p.last {
			used[uint16(port)] = true
		}
	}
	for _, s := range p.sockets {
		port := s.local.Port()
		if int(port) < p.first || int(port) > p.last || used[port] {
			continue
		}
		switch {
		case s.state == stateListen:
			used[port] = true // the system doesn't choose a port that is bound, on whatever address
		case s.local.Addr() != from || s.remote != to:
		case s.state != stateTimeWait:
			used[port] = true
		case !p.reusable(to.Addr()):
			used[port] = true
			waiting++
		}
	}
	return p.last - p.first + 1 - len(used), waiting
}

// source is a local address with the number of connections that it can open.
type source struct {
	address netip.Addr
	free    int
}

// sources returns local addresses for n connections to a server, none if one has enough ports: then the system chooses.
// from is the address that it chooses. On an IPv4 loopback every address of 127.0.0.0/8 has separate ports. The error is
// a *PortsError.
func (p *localPorts) sources(from netip.Addr, to netip.AddrPort, n int) ([]source, error) {
	free, waiting := p.free(from, to)
	if free-sparePorts >= n {
		return nil, nil
	}
	short := &PortsError{Needed: n, Free: max(0, free-sparePorts), First: p.first, Last: p.last, Waiting: waiting, To: to}
	if !to.Addr().Is4() || !to.Addr().IsLoopback() {
		return nil, short
	}
	var all []source
	sum := 0
	for last := range byte(254) {
		address := netip.AddrFrom4([4]byte{127, 0, 0, last + 1})
		if free, _ := p.free(address, to); free > sparePorts {
			all = append(all, source{address, free - sparePorts})
			sum += free - sparePorts
		}
		if sum >= n {
			return all, nil
		}
	}
	short.Free = sum
	return nil, short
}

// sourceOf returns the address of connection k of n: each has a share by its free ports. It is the zero Addr if the system
// chooses.
func sourceOf(sources []source, k, n int) netip.Addr {
	sum := 0
	for _, s := range sources {
		sum += s.free
	}
	at := int(float64(k) / float64(max(1, n)) * float64(sum))
	for _, s := range sources {
		if at < s.free {
			return s.address
		}
		at -= s.free
	}
	return netip.Addr{}
}

// PortsError says that there are too few local ports for as many connections as were asked for.
type PortsError struct {
	Needed, Free, Waiting int // Waiting: in TIME_WAIT
	First, Last           int // the range of ports
	To                    netip.AddrPort
}

func (e *PortsError) Error() string {
	waiting, remedy := "", ""
	if e.Waiting > 0 {
		waiting = fmt.Sprintf(" (%d are in TIME_WAIT for up to a minute)", e.Waiting)
		remedy = "Wait a minute, widen"
	} else {
		remedy = "Widen"
	}
	remedy += ` the range (as root: sysctl -w net.ipv4.ip_local_port_range="1024 65535")`
	if e.To.Addr().IsLoopback() && !e.To.Addr().Is4() {
		remedy += ", use 127.0.0.1 in --url, where more loopback addresses have separate ports"
	}
	return fmt.Sprintf("--conns: %d local ports are needed for connections to %s, but only %d of %d–%d are free%s. %s, or use fewer connections",
		e.Needed, e.To, e.Free, e.First, e.Last, waiting, remedy)
}

// needPorts chooses the local addresses of the connections. The error is a *PortsError if there are too few ports. It
// checks nothing on systems that don't publish their ports.
func (t *target) needPorts(ctx context.Context, o *Options) error {
	read := readLocalPorts
	if o.localPorts != nil {
		read = o.localPorts
	}
	p, ok := read()
	if !ok {
		return nil
	}
	from, to, err := t.addresses(ctx)
	if err != nil {
		return t.explain(err)
	}
	n := o.Conns + o.SlowReaders
	if !p.reusable(to.Addr()) { // connections that churn closes keep their ports for a minute
		n += int(math.Ceil(o.Churn * min(timeWait, o.Ramp+o.Warmup+o.Duration).Seconds()))
	}
	t.sources, err = p.sources(from, to, n)
	return err
}

// addresses returns the two ends of a connection to the server.
func (t *target) addresses(ctx context.Context) (from netip.Addr, to netip.AddrPort, err error) {
	addrPort := func(a net.Addr) netip.AddrPort {
		p := a.(*net.TCPAddr).AddrPort()
		return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
	}
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) {
		from, to = addrPort(c.Conn.LocalAddr()).Addr(), addrPort(c.Conn.RemoteAddr())
	}})
	_, err = t.stats(traced)
	return from, to, err
}
