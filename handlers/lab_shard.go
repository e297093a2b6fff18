package handlers

import (
	"time"

	"ticklane/internal/shard"
	"ticklane/internal/stream"
)

// brake is rig for engine shard, whose writers must not wait: the same drills, asked instead of carried out.
func (l *lab) brake(sub *stream.Subscriber, reset func(), delay time.Duration) (shard.Throttle, func()) {
	if l == nil {
		return nil, func() {}
	}
	r := &rig{sub: sub, reset: reset, delay: delay, over: make(chan struct{})}
	return r, l.enter(r)
}

// Idle tells that nothing is asked of the rig.
func (r *rig) Idle(time.Time) bool { return r.idle() }

// Release lets go of held bytes as the drills allow it, in Flush's order.
func (r *rig) Release(now time.Time, held int, ended bool) (n int, again time.Time, more bool) {
	t := now.UnixNano()
	// Counted from now, which holds when the clock is set.
	wait := func(until int64, more bool) (int, time.Time, bool) { return 0, now.Add(time.Duration(until - t)), more }
	if r.delay > 0 && r.delayed == 0 {
		r.delayed = t + int64(r.delay)
	}
	if t < r.delayed {
		return wait(r.delayed, false)
	}
	if until := r.stall.Load(); t < until {
		return wait(until, false)
	}
	if until := r.buffer.Load(); t < until && held < bufferSize && !ended {
		return wait(until, true)
	}
	n = held
	if t < r.slow.Load() {
		if r.piece == 0 {
			r.piece = t + int64(slowPause)
		}
		if t < r.piece {
			return wait(r.piece, false)
		}
		r.piece = t + int64(slowPause)
		n = min(held, slowRate/4)
	}
	if n == held {
		r.delayed, r.piece = 0, 0
	}
	return n, now, false
}
