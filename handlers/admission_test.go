package handlers

import (
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"ticklane/internal/auth"
	"ticklane/internal/netconn"
	"ticklane/internal/wire"
)

// newTestAdmission returns an admission for four streams, and a principal that may have one.
func newTestAdmission(acceptRate float64) (*admission, *auth.Principal) {
	p := &auth.Principal{Subject: "one", Rights: mustRights(`[{"read":["*"],"streams":1}]`)}
	return newAdmission(Settings{AcceptRate: acceptRate}, netconn.NewLimiter(4, 4, false), nil, newObserver(slog.New(slog.DiscardHandler), nil)), p
}

// TestRefusedStreamsTakeNothing: a subject at its limit uses up neither limits.accept_rate nor slots, and a stream over
// limits.accept_rate no slot of its subject.
func TestRefusedStreamsTakeNothing(t *testing.T) {
	a, p := newTestAdmission(2)
	a.rate.SetLimit(1e-6) // it must not refill during the test; the burst stays 2
	if refused := a.admit(p, "192.0.2.1"); refused != nil {
		t.Fatal(refused.cause)
	}
	for range 10 {
		if refused := a.admit(p, "192.0.2.1"); refused == nil || refused.reason != wire.ByeOverload || refused.cause != a.subjects.refusal(p).cause {
			t.Fatalf("%+v", refused)
		}
	}
	if refused := a.admit(&auth.Principal{Subject: "other"}, "192.0.2.1"); refused != nil {
		t.Errorf("another subject: %s", refused.cause)
	}
	a.release(p, "192.0.2.1")
	if refused := a.admit(p, "192.0.2.1"); refused == nil || refused.cause != a.rateExceeded {
		t.Errorf("over limits.accept_rate: %+v", refused)
	}
	if open, subjects := a.limiter.Open(), a.subjects.open; open != 1 || len(subjects) != 1 || subjects["other"] != 1 {
		t.Errorf("%d open, %v", open, subjects)
	}
}

// TestProbesTakeNoSlots: a stream is admitted to the last slot of its subject and its address, whatever is probed meanwhile.
func TestProbesTakeNoSlots(t *testing.T) {
	a, p := newTestAdmission(0)
	for range 3 { // of the four
		a.limiter.Acquire("192.0.2.1")
	}
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for !stop.Load() {
			a.probe(p, "192.0.2.1")
		}
	}()
	for i := range 100_000 {
		if refused := a.admit(p, "192.0.2.1"); refused != nil {
			t.Errorf("stream %d: %s", i, refused.cause)
			break
		}
		a.release(p, "192.0.2.1")
	}
	stop.Store(true)
	<-done
	if refused := a.probe(p, "192.0.2.1"); refused != nil {
		t.Errorf("a free slot: %s", refused.cause)
	}
	a.admit(p, "192.0.2.1")
	if refused := a.probe(p, "192.0.2.1"); refused == nil || refused.cause != a.addressReached && refused.cause != a.totalReached {
		t.Errorf("no slot: %+v", refused)
	}
}

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
