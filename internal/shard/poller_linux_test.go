package shard

import (
	"io"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// breakableEpoll makes epoll_wait fail once broken is set, and counts the calls after that.
func breakableEpoll(t *testing.T, fail func() (int, error)) (broken *atomic.Bool, calls *atomic.Int32) {
	t.Cleanup(func() { epollWait = unix.EpollWait })
	broken, calls = new(atomic.Bool), new(atomic.Int32)
	epollWait = func(fd int, events []unix.EpollEvent, wait int) (int, error) {
		if broken.Load() {
			calls.Add(1)
			return fail()
		}
		return unix.EpollWait(fd, events, wait)
	}
	return broken, calls
}

// TestPollerFails: the failure is reported once, connections are closed, and new ones refused. A panic has the same effect.
func TestPollerFails(t *testing.T) {
	for name, fail := range map[string]func() (int, error){
		"error": func() (int, error) { return -1, unix.EINVAL },
		"panic": func() (int, error) { panic("poller") },
	} {
		t.Run(name, func(t *testing.T) {
			broken, calls := breakableEpoll(t, fail)
			var failures atomic.Int32
			h := newFixture(t, Options{Writers: 1, OnFailure: func(err error) {
				if failures.Add(1); err == nil {
					t.Error("no error")
				}
			}})
			p := &fakeProtocol{}
			nc := h.connect(Handoff{Options: stream.Options{Format: wire.WSJSON}}, p, false)
			broken.Store(true)
			io.WriteString(nc, "x") // an event
			p.awaitClose(t)
			if calls.Load() != 1 || failures.Load() != 1 {
				t.Errorf("epoll_wait called %d times after it failed, OnFailure %d times", calls.Load(), failures.Load())
			}
			if err := h.pool.Add(Handoff{}); err != ErrClosed {
				t.Errorf("Add: %v", err)
			}
			h.pool.Close()
		})
	}
}
