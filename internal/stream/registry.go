package stream

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ticklane/internal/wire"
)

// Meter counts what went into a stream's socket: bytes as they left, with all framing, and writes. The listener
// counts into it from whatever goroutine writes.
type Meter struct {
	Bytes  atomic.Uint64
	Writes atomic.Uint64
	_      [48]byte // two streams on one cache line would make two processors take it from each other at every write
}

// Wrote counts one write of n bytes.
func (m *Meter) Wrote(n int) {
	m.Bytes.Add(uint64(n))
	m.Writes.Add(1)
}

// Counters are what is counted of one stream, or of a lane.
type Counters struct {
	Ticks     uint64 `json:"ticks"`         // handed over, not yet proven delivered
	Messages  uint64 `json:"messages"`      // ticks and all others
	Writes    uint64 `json:"writes"`        // into the socket
	Payload   uint64 `json:"payload_bytes"` // the messages' own bytes, before framing and compression
	Wire      uint64 `json:"wire_bytes"`    // what went into the socket
	Gaps      uint64 `json:"gaps"`          // gap messages
	Conflated uint64 `json:"conflated"`     // ticks left out in mode latest
	// What was compressed, with its framing, and what came of it.
	CompressIn  uint64 `json:"compress_in_bytes"`
	CompressOut uint64 `json:"compress_out_bytes"`
}

func (c *Counters) add(d Counters) {
	c.Ticks += d.Ticks
	c.Messages += d.Messages
	c.Writes += d.Writes
	c.Payload += d.Payload
	c.Wire += d.Wire
	c.Gaps += d.Gaps
	c.Conflated += d.Conflated
	c.CompressIn += d.CompressIn
	c.CompressOut += d.CompressOut
}

// LaneStats is what a lane did since the start, live streams included.
type LaneStats struct {
	Connections int `json:"connections"` // live now
	Counters
	Slow    uint64 `json:"slow"`    // disconnected because a write blocked too long
	Resumes uint64 `json:"resumes"` // streams that came with a position
	Opened  uint64 `json:"opened"`  // streams since the start
	// CompressSeconds is the time spent compressing, for all of the lane's streams together.
	CompressSeconds float64 `json:"compress_seconds"`
}

// registry knows the live subscribers, and what the ended ones counted.
type registry struct {
	mu    sync.RWMutex
	live  map[*Subscriber]struct{}
	conns map[string]*Subscriber
	lanes [wire.Lanes]LaneStats // of ended streams; Connections unused
}

func (r *registry) init() {
	r.live = make(map[*Subscriber]struct{})
	r.conns = make(map[string]*Subscriber)
}

func (r *registry) add(s *Subscriber) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live[s] = struct{}{}
	r.conns[s.conn] = s
	r.lanes[s.Lane()].Opened++
}

func (r *registry) remove(s *Subscriber) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.live, s)
	delete(r.conns, s.conn)
	t := &r.lanes[s.Lane()]
	t.add(s.Counters())
	if s.slow.Load() {
		t.Slow++
	}
	if s.resumed() {
		t.Resumes++
	}
}

// each calls f for every live subscriber. f must not block nor open or close one.
func (r *registry) each(f func(*Subscriber)) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for s := range r.live {
		f(s)
	}
}

// Find returns the live subscriber with this secret conn id, nil for none.
func (l *Log) Find(conn string) *Subscriber {
	l.subs.mu.RLock()
	defer l.subs.mu.RUnlock()
	return l.subs.conns[conn]
}

// Subscribers returns the live ones, longest connected first.
func (l *Log) Subscribers() []*Subscriber {
	var all []*Subscriber
	l.subs.each(func(s *Subscriber) { all = append(all, s) })
	slices.SortFunc(all, func(a, b *Subscriber) int { return a.since.Compare(b.since) })
	return all
}

// Lane returns what a lane did since the start.
func (l *Log) Lane(lane wire.Lane) LaneStats {
	l.subs.mu.RLock()
	defer l.subs.mu.RUnlock()
	t := l.subs.lanes[lane]
	t.CompressSeconds = time.Duration(l.sets.work.spent[lane].Load()).Seconds()
	for s := range l.subs.live {
		if s.Lane() != lane {
			continue
		}
		t.Connections++
		t.add(s.Counters())
		if s.resumed() {
			t.Resumes++
		}
	}
	return t
}

// End asks every live stream to say bye for this reason and end.
func (l *Log) End(reason string) {
	for _, s := range l.Subscribers() { // not under the registry's lock: End takes the subscriber's
		s.End(reason)
	}
}
