package shard

import (
	"io"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// failing is an epoll that works until it is told not to.
func failing(t *testing.T, fail func() (int, error)) (broken *atomic.Bool, calls *atomic.Int32) {
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

// TestPollerFails: it is told once, connections end, and none comes in. A panic is no worse.
func TestPollerFails(t *testing.T) {
	for what, fail := range map[string]func() (int, error){
		"error": func() (int, error) { return -1, unix.EINVAL },
		"panic": func() (int, error) { panic("poller") },
	} {
		t.Run(what, func(t *testing.T) {
			broken, calls := failing(t, fail)
			var told atomic.Int32
			h := open(t, Options{Writers: 1, OnFailure: func(err error) {
				if told.Add(1); err == nil {
					t.Error("no error")
				}
			}})
			p := &peer{}
			nc := h.join(Handoff{Options: stream.Options{Format: wire.WSJSON}}, p, false)
			broken.Store(true)
			io.WriteString(nc, "x") // an event
			p.gone(t)
			if calls.Load() != 1 || told.Load() != 1 {
				t.Errorf("asked %d times after it failed, told %d times", calls.Load(), told.Load())
			}
			if err := h.pool.Add(Handoff{}); err != ErrClosed {
				t.Errorf("Add: %v", err)
			}
			h.pool.Close()
		})
	}
}
