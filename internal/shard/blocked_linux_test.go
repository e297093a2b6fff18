package shard

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"ticklane/internal/stream"
	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

// TestBlockedClients: however a client that doesn't read goes away, its connection is closed, and others get their ticks.
func TestBlockedClients(t *testing.T) {
	for name, leave := range map[string]func(nc *net.TCPConn, p *fakeProtocol){
		"timeout": func(*net.TCPConn, *fakeProtocol) {},
		"FIN":     func(nc *net.TCPConn, _ *fakeProtocol) { nc.CloseWrite() },
		"RST":     func(nc *net.TCPConn, _ *fakeProtocol) { nc.SetLinger(0); nc.Close() },
		"reset":   func(_ *net.TCPConn, p *fakeProtocol) { p.reset() },
	} {
		t.Run(name, func(t *testing.T) {
			writeTimeout := timeout
			if name == "timeout" {
				writeTimeout = 200 * time.Millisecond
			}
			h := newFixture(t, Options{Writers: 1, WriteTimeout: writeTimeout})
			p, other := &fakeProtocol{}, &fakeProtocol{}
			nc := h.connect(Handoff{Options: stream.Options{Format: wire.WSJSON}}, p, true)
			meter, read := new(stream.Meter), new(byteCounter)
			reads := h.connect(Handoff{Options: stream.Options{Format: wire.WSJSON, Meter: meter}}, other, false)
			go io.Copy(read, reads)
			testkit.Eventually(t, func() bool {
				// The other client has read everything before more is published, so that its socket is never full.
				if other.sub.Counters().Ticks < h.log.Head().Seq || uint64(read.Load()) < meter.Bytes.Load() {
					return false
				}
				h.publish(500)
				return h.log.Head().Seq-p.sub.Info().Position > 5000
			}, "the socket to be full")
			leave(nc.(*net.TCPConn), p)
			p.awaitClose(t)
			if slow := p.sub.Info().Slow; slow != (name == "timeout") {
				t.Errorf("slow: %v", slow)
			}
			testkit.Eventually(t, func() bool { return other.sub.Counters().Ticks == h.log.Head().Seq }, "the other's ticks")
			if !other.isOpen() {
				t.Error("the other connection was closed too")
			}
		})
	}
}

// byteCounter counts the bytes written to it.
type byteCounter struct{ atomic.Int64 }

func (n *byteCounter) Write(b []byte) (int, error) {
	n.Add(int64(len(b)))
	return len(b), nil
}

// TestCloseWithBlockedClients: they don't delay Pool.Close, and a closed pool refuses connections.
func TestCloseWithBlockedClients(t *testing.T) {
	h := newFixture(t, Options{Writers: 2})
	var all []*fakeProtocol
	for range 6 {
		p := &fakeProtocol{}
		all = append(all, p)
		h.connect(Handoff{Options: stream.Options{Format: wire.WSJSON}}, p, true)
	}
	testkit.Eventually(t, func() bool {
		h.publish(500)
		return h.log.Head().Seq-all[0].sub.Info().Position > 5000
	}, "the sockets to be full")
	h.pool.Close()
	for _, p := range all {
		p.awaitClose(t)
	}
	if err := h.pool.Add(Handoff{}); err != ErrClosed {
		t.Errorf("Add: %v", err)
	}
}
