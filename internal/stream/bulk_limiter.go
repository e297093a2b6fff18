package stream

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

// bulkLimiter bounds how many subscribers send a large snapshot, or the ticks of half a log, at the same time. When
// thousands of clients connect at once, the other clients still get their ticks within milliseconds, and subscribers in the
// queue hold no rendered bytes. A slot is freed at the end of its lease at the latest, so a client that reads slowly can't
// keep it.
type bulkLimiter struct {
	slots int

	mu      sync.Mutex
	holders []slotHolder  // at most slots
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

const (
	bulkSlots = 4 // for each processor
	// bulkRate is in bytes a second. A lease is the time that a slot's bytes take at this rate: if no client reads, 1 Gbit/s is
	// admitted on two processors.
	bulkRate = 16 << 20
	maxLease = 50 * time.Millisecond
)

// bulkLease returns the longest time that a subscriber keeps a slot to send this many messages of about 200 bytes, which
// compression makes eight times smaller.
func (s *Subscriber) bulkLease(messages int) time.Duration {
	size := messages * 200
	if s.compressor != nil {
		size /= 8
	}
	return min(time.Duration(size)*time.Second/bulkRate, maxLease)
}

func (l *bulkLimiter) init() {
	l.slots = bulkSlots * runtime.GOMAXPROCS(0)
	l.timer = time.AfterFunc(time.Hour, l.expire)
	l.timer.Stop()
}

// acquire reports whether the subscriber is admitted. If not, the subscriber is notified once it is, and must call acquire
// again. The subscriber must call release in either case.
func (l *bulkLimiter) acquire(s *Subscriber, lease time.Duration) (admitted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.slot == slotNone {
		s.slot, s.lease = slotQueued, lease
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
	l.holders = slices.DeleteFunc(l.holders, func(h slotHolder) bool { return !now.Before(h.until) })
	for len(l.queue) > 0 && len(l.holders) < l.slots {
		s := l.queue[0]
		l.queue[0] = nil
		if l.queue = l.queue[1:]; s.slot != slotQueued {
			continue
		}
		s.slot = slotAdmitted
		l.holders = append(l.holders, slotHolder{s, now.Add(s.lease)})
		if s != caller {
			s.Notify()
		}
	}
	if len(l.queue) > 0 {
		first := slices.MinFunc(l.holders, func(a, b slotHolder) int { return a.until.Compare(b.until) })
		l.timer.Reset(first.until.Sub(now))
	} else {
		l.queue = nil
		l.timer.Stop()
	}
}
