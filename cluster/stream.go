//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// message is what the checks read of a message of the protocol.
type message struct {
	T        string  `json:"T"`
	Time     int64   `json:"t"` // otherwise it would be taken for T
	S        string  `json:"S"`
	P        float64 `json:"p"`
	BidSize  uint64  `json:"bs"`
	N        uint64  `json:"n"`
	I        uint64  `json:"i"`
	Epoch    string  `json:"epoch"`
	Head     uint64  `json:"head"`
	Resume   string  `json:"resume"`
	Reason   string  `json:"reason"`
	From     uint64  `json:"from"`
	To       uint64  `json:"to"`
	Part     int     `json:"part"`
	Parts    int     `json:"parts"`
	Snapshot bool    `json:"snapshot"`
	Status   string  `json:"status"`
}

// stream checks what one client of all symbols receives, across its reconnects. It is safe for concurrent use.
type stream struct {
	name   string
	ledger *ledger

	mu    sync.Mutex
	epoch string // of the connection
	last  uint64 // seq up to which everything has arrived, if known
	known bool
	due   bool   // a snapshot is due: last is no position
	safe  string // position to resume from, empty for none
	stall stall
	counts
}

// counts are what happened on a stream.
type counts struct {
	Ticks      int `json:"ticks"`
	Opened     int `json:"opened"`            // hellos
	Undetected int `json:"undetected_gaps"`   // ticks that never came, without a gap message
	Doubles    int `json:"doubles"`           // ticks that came again
	Reported   int `json:"reported_gaps"`     // gap messages
	Resets     int `json:"resets"`            // resumed in another epoch: a snapshot came
	Ignored    int `json:"ignored_positions"` // resumed in the same epoch, as if without a position
	Invalid    int `json:"invalid"`           // messages that must not come
	Stale      int `json:"stale_messages"`    // messages that the feed is stale
}

// broken reports whether anything is wrong.
func (c counts) broken() bool { return c.Undetected+c.Doubles+c.Ignored+c.Invalid > 0 }

func newStream(name string, l *ledger) *stream { return &stream{name: name, ledger: l} }

// take checks a message that arrived.
func (s *stream) take(text []byte, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var m message
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&m); err != nil {
		s.wrong(&s.Invalid, "%.100q: %v", text, err)
		return
	}
	switch m.T {
	case "hello":
		s.hello(&m)
	case "q":
		s.tick(text, &m, at)
	case "snapshot":
		if m.Part < m.Parts {
			return
		}
		if s.known && !s.due && m.I > s.last {
			s.lose(m.I)
		}
		s.last, s.known, s.due = max(s.last, m.I), true, false
	case "gap":
		if s.known && m.From != s.last+1 {
			s.wrong(&s.Invalid, "a gap from %d to %d after %d", m.From, m.To, s.last)
		}
		s.last, s.due = m.To, m.Snapshot
		s.Reported++
	case "hb":
		if s.known && m.Head > s.last {
			s.lose(m.Head)
			s.last = m.Head
		}
	case "status":
		if m.Status == "stale" {
			s.Stale++
		}
	}
	if s.known && !s.due {
		s.safe = fmt.Sprintf("%s-%d", s.epoch, s.last)
	}
}

// hello begins a connection.
func (s *stream) hello(m *message) {
	s.Opened++
	switch {
	case m.Resume == "complete" || m.Resume == "gap":
		if m.Epoch != s.epoch {
			s.wrong(&s.Invalid, "resumed in epoch %s, not %s", m.Epoch, s.epoch)
		}
	case s.known && m.Epoch == s.epoch:
		s.wrong(&s.Ignored, "%s was answered as if there were no position", s.safe)
		s.last, s.known = m.Head, !m.Snapshot
	default:
		if s.known {
			s.Resets++
		}
		s.last, s.known = m.Head, !m.Snapshot
	}
	s.epoch, s.due = m.Epoch, m.Snapshot
}

func (s *stream) tick(text []byte, m *message, at time.Time) {
	s.Ticks++
	s.stall.tick(at)
	switch {
	case s.due || !s.known:
		s.wrong(&s.Invalid, "tick %d before the snapshot", m.I)
	case m.I <= s.last:
		s.wrong(&s.Doubles, "tick %d after %d", m.I, s.last)
	case m.I > s.last+1:
		s.lose(m.I - 1)
	}
	s.last = max(s.last, m.I)
	s.ledger.add(s.name, s.epoch, text, m, at)
}

// lose accounts for ticks up to seq that will not come.
func (s *stream) lose(to uint64) {
	s.Undetected += int(to - s.last - 1)
	s.wrong(&s.Undetected, "%d to %d are missing without a gap message", s.last+1, to)
}

// wrong counts and reports what must not be.
func (s *stream) wrong(count *int, format string, a ...any) {
	*count++
	s.ledger.report("%s: %s", s.name, fmt.Sprintf(format, a...))
}

// position returns the position to resume from, empty for none.
func (s *stream) position() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.safe
}

// reached reports whether everything up to a position has arrived.
func (s *stream) reached(epoch string, seq uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known && !s.due && s.epoch == epoch && s.last >= seq
}

// begin starts a measurement of stalled and of counts.
func (s *stream) begin(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stall.begin(now)
	s.counts = counts{}
}

// end returns the longest time without a tick since begin, and what happened.
func (s *stream) end(now time.Time) (time.Duration, counts) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stall.until(now), s.counts
}
