package netconn

import (
	"net/netip"
	"sync"
)

// Limiter bounds how many connections or streams are open, in total and per client address. It is safe for concurrent
// use.
type Limiter struct {
	total, perAddress int
	exemptLoopback    bool
	exempt            func(netip.Addr) bool // more addresses that count for the total only; nil for none

	mu        sync.Mutex
	open      int
	byAddress map[string]int // key: see clientOf
	closed    bool
	drained   chan struct{} // closed once closed is set and open is 0
}

// NewLimiter returns a limiter that admits so many in total and perAddress for each client. With exemptLoopback, clients on a
// loopback address count for the total only: a load test on one machine would be refused otherwise.
func NewLimiter(total, perAddress int, exemptLoopback bool) *Limiter {
	return &Limiter{total: total, perAddress: perAddress, exemptLoopback: exemptLoopback, byAddress: make(map[string]int), drained: make(chan struct{})}
}

// Exempt adds addresses that count for the total only. It must be called before Acquire.
func (l *Limiter) Exempt(addresses func(netip.Addr) bool) { l.exempt = addresses }

// clientOf returns the client that an address is counted for, and whether it is counted for a client at all.
func (l *Limiter) clientOf(address string) (client string, counted bool) {
	if l.exempt != nil {
		if a, err := netip.ParseAddr(address); err == nil && l.exempt(a.Unmap().WithZone("")) {
			return "", false
		}
	}
	return clientOf(address, l.exemptLoopback)
}

// Admission is the result of Limiter.Acquire and Limiter.Check.
type Admission int

const (
	// Admitted means that a slot was taken. It must be released.
	Admitted Admission = iota
	// TotalReached means that no more can be open in total.
	TotalReached
	// AddressReached means that no more can be open for the client address.
	AddressReached
	// ShuttingDown means that the limiter is closed.
	ShuttingDown
)

// Acquire takes a slot for a client address, an IP address with or without a zone.
func (l *Limiter) Acquire(address string) Admission {
	client, counted := l.clientOf(address)
	l.mu.Lock()
	defer l.mu.Unlock()
	admission := l.check(client, counted)
	if admission == Admitted {
		l.open++
		if counted {
			l.byAddress[client]++
		}
	}
	return admission
}

// Check returns what Acquire would return, and takes no slot.
func (l *Limiter) Check(address string) Admission {
	client, counted := l.clientOf(address)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.check(client, counted)
}

// check is called with mu held.
func (l *Limiter) check(client string, counted bool) Admission {
	switch {
	case l.closed:
		return ShuttingDown
	case l.open >= l.total:
		return TotalReached
	case counted && l.byAddress[client] >= l.perAddress:
		return AddressReached
	}
	return Admitted
}

// Release frees a slot. It must be called once for each Acquire that returned Admitted, with the same address.
func (l *Limiter) Release(address string) {
	client, counted := l.clientOf(address)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if counted {
		if l.byAddress[client]--; l.byAddress[client] == 0 {
			delete(l.byAddress, client)
		}
	}
	if l.closed && l.open == 0 {
		close(l.drained)
	}
}

// Close makes Acquire return ShuttingDown. The returned channel is closed when every slot has been released; each call
// returns the same one.
func (l *Limiter) Close() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		if l.open == 0 {
			close(l.drained)
		}
	}
	return l.drained
}

// Closed reports whether Close was called.
func (l *Limiter) Closed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// Open returns the number of slots taken.
func (l *Limiter) Open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open
}

// clientOf returns the client that an address is counted for, and whether it is counted for a client at all. An IPv6
// client has a whole /64 network at its disposal (RFC 4291 §2.5.4); an IPv4-mapped address is the IPv4 client's.
func clientOf(address string, exemptLoopback bool) (client string, counted bool) {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address, true
	}
	a = a.Unmap().WithZone("")
	if exemptLoopback && a.IsLoopback() {
		return "", false
	}
	if a.Is4() {
		return a.String(), true
	}
	return netip.PrefixFrom(a, 64).Masked().String(), true
}
