package stream

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ticklane/internal/quote"
)

// Group is some of a log's subscribers, and what notifies them of new ticks. The appender signals the group; the group then
// handles, in one pass, all ticks since the pass before. Under load, passes get larger by themselves; on an idle log they
// add no delay.
//
// The log's own group has a goroutine, which notifies each subscriber that waits: see notifier.go. Any other group belongs
// to a writer that serves its subscribers itself: see NewGroup.
type Group struct {
	log      *Log
	signals  chan struct{} // capacity 1: signals between two passes are one
	ofWriter bool
	quit     chan struct{} // of the log's own group
	done     chan struct{} // the same

	mu       sync.Mutex // guards the waitlists and rotation
	every    waitlist   // subscribers of all symbols
	bySymbol []waitlist // the others, in the list of each of their symbols
	rotation rotation   // of this pass
	pass     uint64     // number of this pass
	scanned  uint64     // ticks up to this seq were handled
	swept    uint64     // the head at the last call of sweep
	seen     []bool     // scratch of newSymbols, by ID
	symbols  []quote.ID // the same
	nextPass time.Time  // of a writer: ticks wait until then, by Config.FlushInterval

	notifiedMu sync.Mutex // never held together with mu
	notified   []*Subscriber
}

// membership is a subscriber's place in its group.
type membership struct {
	waiting  atomic.Bool   // a tick must notify; unused in a writer's group
	lastSent atomic.Uint64 // the newest seq that the client has got as an id
	slots    []slot        // guarded by Group.mu
	pass     uint64        // the last pass that collected it; guarded by Group.mu
	notified bool          // it is in Group.notified; guarded by Group.notifiedMu
}

func newGroup(l *Log) *Group {
	head := l.head.Load()
	return &Group{
		log:      l,
		signals:  make(chan struct{}, 1),
		scanned:  head,
		swept:    head,
		bySymbol: make([]waitlist, l.cfg.Universe.Limit()),
		seen:     make([]bool, l.cfg.Universe.Limit()),
	}
}

// NewGroup returns a group for a writer: one goroutine that serves all subscribers with this group in their Options. They
// have no goroutine, channel or queue each. The writer waits for Notified and Deadline, and serves the subscribers that
// CollectTicks and CollectNotified return. It must Close the group after its last subscriber.
func (l *Log) NewGroup() *Group {
	g := newGroup(l)
	g.ofWriter = true
	l.groupsMu.Lock()
	defer l.groupsMu.Unlock()
	all := append(slices.Clone(*l.groups.Load()), g)
	l.groups.Store(&all)
	return g
}

// Close removes a writer's group from the log.
func (g *Group) Close() {
	l := g.log
	l.groupsMu.Lock()
	defer l.groupsMu.Unlock()
	all := slices.DeleteFunc(slices.Clone(*l.groups.Load()), func(other *Group) bool { return other == g })
	l.groups.Store(&all)
}

// Notified receives when there may be subscribers to collect.
func (g *Group) Notified() <-chan struct{} { return g.signals }

// Deadline returns when CollectTicks must be called at the latest, even if Notified doesn't receive: ticks may wait for
// Config.FlushInterval. It is zero when there is no such time.
func (g *Group) Deadline() time.Time { return g.nextPass }

// CollectTicks appends the subscribers of the symbols that have ticked since the last call, each once and lanes alternating.
// head is the newest of these ticks. Only the writer calls it.
func (g *Group) CollectTicks(into []*Subscriber, now time.Time) (all []*Subscriber, head uint64) {
	if interval := g.log.cfg.FlushInterval; interval <= 0 || !now.Before(g.nextPass) {
		into = g.collectTicks(into)
		g.nextPass = time.Time{}
		if len(into) > 0 && interval > 0 {
			g.nextPass = now.Add(interval)
		}
	}
	return into, g.scanned
}

// CollectNotified appends at most n of the subscribers that were notified for another reason than a tick, in the order of
// their notifications. If some are left, Notified receives. Only the writer calls it.
func (g *Group) CollectNotified(into []*Subscriber, n int) []*Subscriber {
	g.notifiedMu.Lock()
	defer g.notifiedMu.Unlock()
	n = min(n, len(g.notified))
	for _, s := range g.notified[:n] {
		s.membership.notified = false
	}
	into = append(into, g.notified[:n]...)
	clear(g.notified[:n])
	if g.notified = g.notified[n:]; len(g.notified) > 0 {
		g.signal()
	}
	return into
}

// collectTicks appends the subscribers of the symbols that have ticked since the last pass, each once.
func (g *Group) collectTicks(into []*Subscriber) []*Subscriber {
	g.mu.Lock()
	defer g.mu.Unlock()
	head := g.log.head.Load()
	if head == g.scanned {
		return into
	}
	g.pass++
	g.rotation = g.rotation.next()
	for s := range g.every.rotated(g.rotation) { // these are in no list of a symbol
		into = append(into, s)
	}
	once := func(s *Subscriber) {
		if s.membership.pass != g.pass {
			s.membership.pass = g.pass
			into = append(into, s)
		}
	}
	for _, id := range g.newSymbols(head) {
		for s := range g.bySymbol[id].rotated(g.rotation) {
			once(s)
		}
	}
	g.sweep(head, once)
	return into
}

// newSymbols returns the symbols that have ticked since the last pass. The slice is valid until the next call.
func (g *Group) newSymbols(head uint64) []quote.ID {
	g.symbols = g.symbols[:0]
	if head-g.scanned > g.log.size {
		g.scanned = head - g.log.size
	}
	for seq := g.scanned + 1; seq <= head; seq++ {
		if e := g.log.entry(seq); e != nil && !g.seen[e.tick.Symbol] {
			g.seen[e.tick.Symbol] = true
			g.symbols = append(g.symbols, e.tick.Symbol)
		}
	}
	g.scanned = head
	for _, id := range g.symbols {
		g.seen[id] = false
	}
	return g.symbols
}

// sweep calls f for the subscribers whose client's newest id is a quarter of the log old, because none of their symbols has
// ticked. A heartbeat then moves the position on, before it leaves the log.
func (g *Group) sweep(head uint64, f func(*Subscriber)) {
	quarter := g.log.size / 4
	if head-g.swept < max(1, quarter/8) {
		return
	}
	g.swept = head
	g.log.registry.each(func(s *Subscriber) {
		if s.group == g && head-min(head, s.lastSent.Load()) >= quarter {
			f(s)
		}
	})
}

// signal makes Notified receive.
func (g *Group) signal() {
	select {
	case g.signals <- struct{}{}:
	default:
	}
}

// notify makes CollectNotified return a subscriber.
func (g *Group) notify(s *Subscriber) {
	g.notifiedMu.Lock()
	if !s.membership.notified {
		s.membership.notified = true
		g.notified = append(g.notified, s)
	}
	g.notifiedMu.Unlock()
	g.signal()
}
