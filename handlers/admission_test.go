package handlers

import (
	"testing"
	"time"
)

func TestRetrySchedule(t *testing.T) {
	now := time.Now()
	r := &retrySchedule{rate: 4}
	for k := range 8 {
		if wait := r.next(now); wait != time.Duration(k)*250*time.Millisecond {
			t.Errorf("client %d waits %v", k, wait)
		}
	}
	if n := r.waiting(now); n != 8 {
		t.Errorf("%v clients wait, want 8", n)
	}
	now = now.Add(time.Second)
	if n := r.waiting(now); n != 4 {
		t.Errorf("%v clients wait after a second, want 4", n)
	}
	if wait := r.next(now); wait != time.Second {
		t.Errorf("the next client waits %v, want 1s", wait)
	}
	now = now.Add(time.Hour)
	if n := r.waiting(now); n != 0 {
		t.Errorf("%v clients wait after an hour", n)
	}
	if wait := r.next(now); wait != 0 {
		t.Errorf("a client after an hour waits %v", wait)
	}
}

// TestRetryScheduleIsBounded checks that clients which never reconnect can't keep the others away.
func TestRetryScheduleIsBounded(t *testing.T) {
	now, r := time.Now(), &retrySchedule{rate: 1}
	for range 10_000 {
		if wait := r.next(now); wait < 0 || wait >= maxSpread {
			t.Fatalf("a client waits %v", wait)
		}
	}
}
