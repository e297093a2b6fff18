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
	now = now.Add(time.Second)
	if wait := r.peek(now); wait != time.Second {
		t.Errorf("peek: %v, want 1s", wait)
	}
	if wait := r.next(now); wait != time.Second {
		t.Errorf("the next client waits %v, want 1s", wait)
	}
	now = now.Add(time.Hour)
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

func TestWaitingClients(t *testing.T) {
	var w waitingClients
	now := time.Unix(1_800_000_000, 0)
	want := func(n int) {
		t.Helper()
		if got := w.count(now); got != n {
			t.Errorf("%d clients wait, want %d", got, n)
		}
	}
	want(0)
	for _, retry := range []time.Duration{2 * time.Second, 2500 * time.Millisecond, 9 * time.Second, time.Hour} {
		w.add(now, retry)
	}
	want(4)
	now = now.Add(2 * time.Second)
	want(4)
	now = now.Add(time.Second)
	want(2)
	w.add(now, time.Second)
	want(3)
	now = now.Add(-time.Minute) // a clock that was set back
	want(3)
	now = now.Add(time.Minute + 30*time.Second)
	want(1)
	now = now.Add(2 * maxSpread) // an hour counts as the longest time
	want(0)
	w.add(now, 0)
	want(1)
	now = now.Add(time.Second)
	want(0)
}
