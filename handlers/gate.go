package handlers

import (
	"net/netip"
	"sync"
)

// gate admits streams: so many in all, so many for each address.
type gate struct {
	most, each  int
	allLoopback bool // loopback peers don't count for an address: else every load test on one machine is refused

	mu     sync.Mutex
	total  int
	of     map[string]int
	closed bool
	empty  chan struct{} // closed when closed and nobody is left
}

func newGate(most, each int, allLoopback bool) *gate {
	return &gate{most: most, each: each, allLoopback: allLoopback, of: make(map[string]int), empty: make(chan struct{})}
}

// verdict is what became of a request for a stream.
type verdict int

const (
	admitted verdict = iota
	overloaded
	shutting
)

// enter admits one stream of an address. An admitted one must leave.
func (g *gate) enter(address string) verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
		return shutting
	case g.total >= g.most:
		return overloaded
	case g.counted(address) && g.of[holder(address)] >= g.each:
		return overloaded
	}
	g.total++
	if g.counted(address) {
		g.of[holder(address)]++
	}
	return admitted
}

func (g *gate) leave(address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.total--
	if g.counted(address) {
		if g.of[holder(address)]--; g.of[holder(address)] == 0 {
			delete(g.of, holder(address))
		}
	}
	g.drained()
}

// close admits nobody any more. The channel is closed when the last stream has left.
func (g *gate) close() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.closed = true
		g.drained()
	}
	return g.empty
}

// shut tells whether close was called.
func (g *gate) shut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

func (g *gate) drained() {
	if g.closed && g.total == 0 {
		close(g.empty)
	}
}

func (g *gate) counted(address string) bool {
	if !g.allLoopback {
		return true
	}
	a, err := netip.ParseAddr(address)
	return err != nil || !a.Unmap().IsLoopback()
}

// holder is who an address belongs to: an IPv6 client has a whole /64 to itself (RFC 4291 §2.5.4).
func holder(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil || a.Unmap().Is4() {
		return address
	}
	return netip.PrefixFrom(a.WithZone(""), 64).Masked().String()
}
