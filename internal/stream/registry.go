package stream

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"ticklane/internal/wire"
)

// registry holds the live subscribers and the sums of the counters of closed ones.
type registry struct {
	mu     sync.RWMutex
	live   map[*Subscriber]struct{}
	byConn map[string]*Subscriber
	closed [wire.Lanes]LaneStats // Opened counts live ones too; Connections is unused
}

func (r *registry) init() {
	r.live = make(map[*Subscriber]struct{})
	r.byConn = make(map[string]*Subscriber)
}

func (r *registry) add(s *Subscriber) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live[s] = struct{}{}
	r.byConn[s.identity.conn] = s
	r.closed[s.Lane()].Opened++
}

func (r *registry) remove(s *Subscriber) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.live, s)
	delete(r.byConn, s.identity.conn)
	t := &r.closed[s.Lane()]
	t.add(s.Counters())
	if s.slow.Load() {
		t.Slow++
	}
	if s.origin.resumes() {
		t.Resumes++
	}
}

// each calls f for every live subscriber. f must not block, and must not open or close a subscriber.
func (r *registry) each(f func(*Subscriber)) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for s := range r.live {
		f(s)
	}
}

// Find returns the live subscriber with this secret conn id, or nil.
func (l *Log) Find(conn string) *Subscriber {
	l.registry.mu.RLock()
	defer l.registry.mu.RUnlock()
	return l.registry.byConn[conn]
}

// Since returns when the subscriber was opened, in µs since 1970.
func (s *Subscriber) Since() int64 { return s.identity.openedAt.UnixMicro() }

// Subscribers returns the live subscribers by Since and ID.
func (l *Log) Subscribers() []*Subscriber {
	var all []*Subscriber
	l.registry.each(func(s *Subscriber) { all = append(all, s) })
	slices.SortFunc(all, func(a, b *Subscriber) int {
		return cmp.Or(cmp.Compare(a.Since(), b.Since()), strings.Compare(a.ID(), b.ID()))
	})
	return all
}

// Lane returns what a lane did since the start.
func (l *Log) Lane(lane wire.Lane) LaneStats {
	l.registry.mu.RLock()
	defer l.registry.mu.RUnlock()
	t := l.registry.closed[lane]
	t.CompressSeconds = time.Duration(l.topicGroups.budget.spent[lane].Load()).Seconds()
	for s := range l.registry.live {
		if s.Lane() != lane {
			continue
		}
		t.Connections++
		t.add(s.Counters())
		if s.origin.resumes() {
			t.Resumes++
		}
	}
	return t
}

// End ends every live stream with a bye of this reason.
func (l *Log) End(reason string) {
	for _, s := range l.Subscribers() { // without the registry's lock, because End may wait for others
		s.End(reason)
	}
}

// SpreadRetries makes the clients of streams that end from now on reconnect within this time, if it is longer than the usual
// four times Config.Retry.
func (l *Log) SpreadRetries(d time.Duration) { l.retrySpread.Store(int64(d)) }
