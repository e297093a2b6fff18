package stream

import (
	"runtime"
	"sync"
	"time"
)

// gate lets a few subscribers at a time send what takes long: a large snapshot, or the ticks of half a log. When thousands
// of clients connect at once, the others still get their ticks within milliseconds, and those that wait hold no rendered
// bytes. A slot is freed after gateLease at the latest, so a client that reads slowly can't keep it.
type gate struct {
	slots int

	mu      sync.Mutex
	holders []holder      // at most slots, oldest first
	queue   []*Subscriber // those that have left it since are skipped
	timer   *time.Timer   // frees slots while the queue isn't empty
}

type holder struct {
	s     *Subscriber
	until time.Time
}

// ticket is a subscriber's state at the gate.
type ticket uint8

const (
	ticketNone ticket = iota
	ticketQueued
	ticketAdmitted // until it leaves, even if its slot was freed before
)

// gateLease is how long a subscriber may keep a slot. With gateSlots, some 1,600 clients a second and processor are
// admitted even if none of them reads; that many snapshots would fill any network.
const (
	gateLease = 5 * time.Millisecond
	gateSlots = 4 // for each processor
)

func (g *gate) init() {
	g.slots = gateSlots * runtime.GOMAXPROCS(0)
	g.timer = time.AfterFunc(time.Hour, g.expire)
	g.timer.Stop()
}

// enter reports whether the subscriber may go on. Otherwise it is notified when it may; every enter needs a leave.
func (g *gate) enter(s *Subscriber) (admitted bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s.ticket == ticketNone {
		s.ticket = ticketQueued
		g.queue = append(g.queue, s)
		g.admit(s)
	}
	return s.ticket == ticketAdmitted
}

// leave ends what enter began. Without an enter it does nothing.
func (g *gate) leave(s *Subscriber) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s.ticket == ticketNone {
		return
	}
	s.ticket = ticketNone
	for i, h := range g.holders {
		if h.s == s {
			g.holders = append(g.holders[:i], g.holders[i+1:]...)
			break
		}
	}
	g.admit(nil)
}

func (g *gate) expire() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.admit(nil)
}

// admit frees the slots whose lease is over, and gives free slots to the first in the queue, which it notifies unless it is
// the caller.
func (g *gate) admit(caller *Subscriber) {
	now := time.Now()
	for len(g.holders) > 0 && !now.Before(g.holders[0].until) {
		g.holders = g.holders[1:]
	}
	for len(g.queue) > 0 && len(g.holders) < g.slots {
		s := g.queue[0]
		g.queue[0] = nil
		if g.queue = g.queue[1:]; s.ticket != ticketQueued {
			continue
		}
		s.ticket = ticketAdmitted
		g.holders = append(g.holders, holder{s, now.Add(gateLease)})
		if s != caller {
			s.Notify()
		}
	}
	if len(g.queue) > 0 {
		g.timer.Reset(g.holders[0].until.Sub(now))
	} else {
		g.queue = nil
	}
}
