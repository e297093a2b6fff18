package stream

import (
	"testing"
	"testing/synctest"
	"time"
)

const testLease = 5 * time.Millisecond

// newBulkLimiter returns a limiter with this many slots, and subscribers that only have a channel for notifications.
func newBulkLimiter(slots, subscribers int) (*bulkLimiter, []*Subscriber) {
	l := new(bulkLimiter)
	l.init()
	l.slots = slots
	all := make([]*Subscriber, subscribers)
	for i := range all {
		all[i] = &Subscriber{group: new(Group), notifyCh: make(chan struct{}, 1)}
	}
	return l, all
}

func TestBulkLimiterAdmitsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := newBulkLimiter(2, 6)
		for i := range s {
			if got, want := l.acquire(s[i], testLease), i < 2; got != want {
				t.Errorf("subscriber %d: admitted %v, want %v", i, got, want)
			}
		}
		if l.acquire(s[2], testLease) || !l.acquire(s[1], testLease) {
			t.Error("a second call has another result")
		}
		l.release(s[3]) // it hasn't been admitted
		l.release(s[0])
		l.release(s[1])
		for i, want := range []bool{false, false, true, false, true, false} {
			if got := wasNotified(s[i]); got != want {
				t.Errorf("subscriber %d: notified %v, want %v", i, got, want)
			}
			if want && !l.acquire(s[i], testLease) {
				t.Errorf("subscriber %d was notified and isn't admitted", i)
			}
		}
		if len(l.holders) != 2 {
			t.Errorf("%d holders", len(l.holders))
		}
	})
}

func TestBulkLimiterLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := newBulkLimiter(1, 4)
		l.acquire(s[0], testLease)
		pass(testLease) // nothing waits, so it may keep the slot for longer
		if !l.acquire(s[1], testLease) {
			t.Error("a slot was kept after its lease")
		}
		l.acquire(s[2], testLease)
		pass(testLease - 1)
		synctest.Wait()
		if wasNotified(s[2]) {
			t.Error("a slot was freed before the end of its lease")
		}
		pass(1)
		synctest.Wait()
		if !wasNotified(s[2]) || !l.acquire(s[2], testLease) {
			t.Error("a slot wasn't freed at the end of its lease")
		}
		if !l.acquire(s[0], testLease) || !l.acquire(s[1], testLease) {
			t.Error("a subscriber whose slot was freed isn't admitted any more")
		}
		l.acquire(s[3], testLease)
		l.release(s[0])
		l.release(s[1]) // their slots are free already
		if wasNotified(s[3]) {
			t.Error("a slot was freed twice")
		}
		l.release(s[2])
		if !wasNotified(s[3]) {
			t.Error("a slot wasn't freed")
		}
	})
}

// TestBulkLimiterAcquireAgain: a subscriber that leaves the queue and acquires again has one place in it.
func TestBulkLimiterAcquireAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := newBulkLimiter(1, 3)
		l.release(s[1]) // without an acquire
		l.acquire(s[0], testLease)
		l.acquire(s[1], testLease)
		l.release(s[1])
		l.acquire(s[1], testLease)
		l.acquire(s[2], testLease)
		l.release(s[0])
		if !wasNotified(s[1]) || wasNotified(s[2]) {
			t.Error("the first in the queue wasn't admitted")
		}
		l.release(s[1])
		if wasNotified(s[1]) || !wasNotified(s[2]) || len(l.holders) != 1 {
			t.Errorf("the next wasn't admitted: %d holders", len(l.holders))
		}
		l.release(s[2])
		if len(l.holders) != 0 || l.queue != nil {
			t.Errorf("%d holders, a queue of %d", len(l.holders), len(l.queue))
		}
		pass(time.Hour) // the timer has nothing to do
	})
}
