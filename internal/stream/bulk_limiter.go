package stream

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

// bulkLimiter bounds how many subscribers send a large snapshot, or the ticks of half a log, at the same time. When
// thousands of clients connect at once, the other clients still get their ticks within milliseconds, and subscribers in the
// queue hold no rendered bytes. A slot is freed after bulkLease at the latest, so a client that reads slowly can't keep it.
type bulkLimiter struct {
	slots int

	mu      sync.Mutex
	holders []slotHolder  // at most slots, oldest first
	queue   []*Subscriber // may contain subscribers that have released since; admit skips them
	timer   *time.Timer   // frees slots while the queue isn't empty
}

type slotHolder struct {
	s     *Subscriber
	until time.Time
}

// slotState is a subscriber's state in the bulkLimiter.
type slotState uint8

const (
	slotNone slotState = iota
	slotQueued
	slotAdmitted // until release, even if the slot was freed before
)

// With these, 800 clients a second are admitted for each processor even if none of them reads; that many snapshots would
// fill any network.
const (
	bulkLease = 5 * time.Millisecond // the longest time that a subscriber keeps a slot
	bulkSlots = 4                    // for each processor
)

func (l *bulkLimiter) init() {
	l.slots = bulkSlots * runtime.GOMAXPROCS(0)
	l.timer = time.AfterFunc(time.Hour, l.expire)
	l.timer.Stop()
}

// acquire reports whether the subscriber is admitted. If not, the subscriber is notified once it is, and must call acquire
// again. The subscriber must call release in either case.
func (l *bulkLimiter) acquire(s *Subscriber) (admitted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.slot == slotNone {
		s.slot = slotQueued
		l.queue = append(l.queue, s)
		l.admit(s)
	}
	return s.slot == slotAdmitted
}

// release frees the subscriber's slot, or removes it from the queue. Without an acquire it does nothing.
func (l *bulkLimiter) release(s *Subscriber) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.slot == slotNone {
		return
	}
	s.slot = slotNone
	l.holders = slices.DeleteFunc(l.holders, func(h slotHolder) bool { return h.s == s })
	l.admit(nil)
}

func (l *bulkLimiter) expire() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.admit(nil)
}

// admit frees the slots whose lease is over, and gives free slots to the first in the queue, which it notifies unless it is
// the caller.
func (l *bulkLimiter) admit(caller *Subscriber) {
	now := time.Now()
	for len(l.holders) > 0 && !now.Before(l.holders[0].until) {
		l.holders = l.holders[1:]
	}
	for len(l.queue) > 0 && len(l.holders) < l.slots {
		s := l.queue[0]
		l.queue[0] = nil
		if l.queue = l.queue[1:]; s.slot != slotQueued {
			continue
		}
		s.slot = slotAdmitted
		l.holders = append(l.holders, slotHolder{s, now.Add(bulkLease)})
		if s != caller {
			s.Notify()
		}
	}
	if len(l.queue) > 0 {
		l.timer.Reset(l.holders[0].until.Sub(now))
	} else {
		l.queue = nil
	}
}
