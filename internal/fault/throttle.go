package fault

import (
	"time"

	"ticklane/internal/stream"
)

// Throttle injects faults into a stream of engine shard. The engine's writers serve many streams and must not block, so a
// Throttle returns how much may be written, and when. It implements shard.Throttle: only the connection's writer calls it.
type Throttle struct {
	*faults
	delayEnd, nextPiece int64 // ns since 1970; 0 while nothing is held back
}

// Throttle returns the throttle of a stream, nil without an Injector, and a function to call when the stream has ended.
// reset resets the stream's connection. delay is added before each write; 0 for none.
func (i *Injector) Throttle(sub *stream.Subscriber, reset func(), delay time.Duration) (t *Throttle, done func()) {
	if i == nil {
		return nil, func() {}
	}
	f, done := i.register(sub, reset, delay)
	return &Throttle{faults: f}, done
}

// Idle reports whether nothing is held back.
func (t *Throttle) Idle(time.Time) bool { return t.idle() }

// Release returns how many of the held bytes may be written now. When n is 0, it also returns when to call it again, and
// whether more bytes may be gathered until then. The faults apply in the same order as in faultWriter.Flush.
func (t *Throttle) Release(now time.Time, held int, ended bool) (n int, again time.Time, more bool) {
	ns := now.UnixNano()
	// Relative to now, which has a monotonic clock reading.
	wait := func(until int64, more bool) (int, time.Time, bool) {
		return 0, now.Add(time.Duration(until - ns)), more
	}
	if t.delay > 0 && t.delayEnd == 0 {
		t.delayEnd = ns + int64(t.delay)
	}
	if ns < t.delayEnd {
		return wait(t.delayEnd, false)
	}
	if until := t.stall.Load(); ns < until {
		return wait(until, false)
	}
	if until := t.buffer.Load(); ns < until && held < bufferSize && !ended {
		return wait(until, true)
	}
	n = held
	if ns < t.slow.Load() {
		if t.nextPiece == 0 {
			t.nextPiece = ns + int64(slowPause)
		}
		if ns < t.nextPiece {
			return wait(t.nextPiece, false)
		}
		t.nextPiece = ns + int64(slowPause)
		n = min(held, slowPiece)
	}
	if n == held {
		t.delayEnd, t.nextPiece = 0, 0
	}
	return n, now, false
}
