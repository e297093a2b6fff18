package shard

import (
	"sync/atomic"
	"testing"
	"time"

	"ticklane/internal/stream"
	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

// slowThrottle takes its time before bytes are gathered, and records when it was called.
type slowThrottle struct{ idle, release atomic.Int64 }

func (b *slowThrottle) Idle(time.Time) bool {
	time.Sleep(5 * time.Millisecond)
	b.idle.CompareAndSwap(0, int64(time.Since(processStart)))
	return false
}

func (b *slowThrottle) Release(now time.Time, held int, _ bool) (int, time.Time, bool) {
	b.release.CompareAndSwap(0, int64(now.Sub(processStart)))
	return held, now, false
}

// TestReleaseTime: Release gets the time at which bytes are held, not that of the pass, which began before.
func TestReleaseTime(t *testing.T) {
	h := newFixture(t, Options{Writers: 1})
	b := &slowThrottle{}
	p := &fakeProtocol{throttle: b}
	nc := h.connect(Handoff{Options: stream.Options{Format: wire.WSJSON}}, p, false)
	testkit.Eventually(t, func() bool { return b.release.Load() != 0 }, "the release")
	if b.release.Load() < b.idle.Load() {
		t.Errorf("released at %d, held only after %d", b.release.Load(), b.idle.Load())
	}
	nc.Close()
	p.awaitClose(t)
}
