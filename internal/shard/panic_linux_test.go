package shard

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ticklane/internal/stream"
	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

// TestPanicClosesOneConnection: its writer continues with the others.
func TestPanicClosesOneConnection(t *testing.T) {
	h := newFixture(t, Options{Writers: 1})
	other := &fakeProtocol{}
	reads := h.connect(Handoff{Options: stream.Options{Format: wire.WSJSON}}, other, false)
	panicking := []*fakeProtocol{{onOpen: func() { panic("open") }}, {handleInput: func([]byte) bool { panic("feed") }}}
	for i, p := range panicking {
		nc := h.connect(Handoff{ResponseHead: responseHead("head"), Options: stream.Options{Format: wire.WSJSON}}, p, false)
		expect(t, nc, "head")
		nc.Write([]byte("x"))
		p.awaitClose(t)
		if n := h.panics.Load(); n != int32(i+1) {
			t.Errorf("%d panics", n)
		}
	}
	h.publish(1)
	testkit.Eventually(t, func() bool { return other.sub.Counters().Ticks == 1 }, "the other's tick")
	reads.Close()
	other.awaitClose(t)
}

// TestPanicInAdd: the descriptor stays the caller's, and the pool forgets the connection.
func TestPanicInAdd(t *testing.T) {
	for name, handoff := range map[string]Handoff{
		"head":     {ResponseHead: func(*stream.Subscriber) []byte { panic("head") }},
		"protocol": {Protocol: func(*stream.Subscriber, func()) (Protocol, Throttle) { panic("protocol") }},
	} {
		t.Run(name, func(t *testing.T) {
			h := newFixture(t, Options{Writers: 1})
			fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
			if err != nil {
				t.Fatal(err)
			}
			handoff.FD, handoff.Options.Topics = fds[0], h.topics()
			if err := h.pool.Add(handoff); err != ErrPanicked || h.panics.Load() != 1 {
				t.Errorf("%v, %d panics", err, h.panics.Load())
			}
			if n := h.log.Lane(wire.SSE).Connections; n != 0 {
				t.Errorf("%d streams left", n)
			}
			for _, fd := range fds {
				if err := unix.Close(fd); err != nil {
					t.Error(err)
				}
			}
			done := make(chan struct{})
			go func() { h.pool.Close(); close(done) }()
			select {
			case <-done:
			case <-time.After(timeout):
				t.Fatal("Pool.Close hangs")
			}
		})
	}
}
