package shard

import (
	"net"
	"sync/atomic"
	"testing"
	"time"

	"ticklane/internal/stream"
	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

// TestTicksBetweenNotified: a tick doesn't wait for all connections that were notified before it, such as the newcomers of a
// storm.
func TestTicksBetweenNotified(t *testing.T) {
	h := newFixture(t, Options{Writers: 1})
	connect := func(p *fakeProtocol) net.Conn {
		return h.connect(Handoff{Options: stream.Options{Format: wire.WSJSON}}, p, false)
	}
	bystander := &fakeProtocol{}
	connect(bystander)

	const busy = 100
	var served atomic.Int32
	servedBefore := int32(-1) // the tick; only the writer uses it
	release := make(chan struct{})
	protocols := make([]*fakeProtocol, busy)
	clients := make([]net.Conn, busy)
	for i := range protocols {
		protocols[i] = &fakeProtocol{handleInput: func([]byte) bool {
			<-release
			if served.Add(1) == 10 {
				h.publish(1)
				time.Sleep(2 * notifiedSlice) // the rest of a slice
			}
			if servedBefore < 0 && bystander.sub.Counters().Ticks > 0 {
				servedBefore = served.Load() - 1
			}
			return true
		}}
		clients[i] = connect(protocols[i])
	}
	for _, nc := range clients {
		nc.Write([]byte("x"))
	}
	testkit.Eventually(t, func() bool {
		waiting := 0
		for _, p := range protocols {
			if p.inputs.Load() > 0 || p.sub.Owner().(*conn).events.Load()&eventReadable != 0 {
				waiting++
			}
		}
		return waiting == busy
	}, "input on every connection")
	close(release)
	testkit.Eventually(t, func() bool { return served.Load() == busy }, "all input")
	h.pool.Close()
	if servedBefore < 0 {
		t.Errorf("the tick was written after all %d connections", busy)
	}
}
