package share

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// The keys of the bucket of streams are node.ID for heartbeats, and count.ID.SUBJECT.

func heartbeatKey(id string) string         { return "node." + id }
func countKey(id string, of subject) string { return "count." + id + "." + hex.EncodeToString(of[:]) }

// parseKey parses a key. of is nil for a heartbeat.
func parseKey(key string) (id string, of *subject, err error) {
	kind, rest, _ := strings.Cut(key, ".")
	id, hash, isCount := strings.Cut(rest, ".")
	if b, err := hex.DecodeString(id); err != nil || len(b) != 8 || kind != "node" && kind != "count" || isCount != (kind == "count") {
		return "", nil, errors.New("unknown key")
	}
	if !isCount {
		return id, nil, nil
	}
	of = new(subject)
	if len(hash) != 2*len(of) {
		return "", nil, errors.New("unknown key")
	}
	_, err = hex.Decode(of[:], []byte(hash))
	return id, of, err
}

func parseCount(value []byte) (int, error) {
	n, err := strconv.ParseUint(string(value), 10, 32)
	if err != nil || n > maxCount {
		return 0, fmt.Errorf("count: want 0 to %d", maxCount)
	}
	return int(n), nil
}

// maxHeartbeat bounds a heartbeat.
const maxHeartbeat = 4 << 10

func parseHeartbeat(value []byte) (h heartbeat, err error) {
	if len(value) > maxHeartbeat {
		return h, fmt.Errorf("heartbeat: %d bytes; want at most %d", len(value), maxHeartbeat)
	}
	if err := json.Unmarshal(value, &h); err != nil {
		return h, errors.New("heartbeat: want JSON")
	}
	if h.Name == "" {
		return h, errors.New("heartbeat: want a name")
	}
	return h, nil
}

func (s *Streams) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reading++
	s.sweep = time.Time{}
	clear(s.stored)
}

func (s *Streams) complete() {
	s.mu.Lock()
	defer s.mu.Unlock()
	// A bucket in memory may have been lost: the others have time to store their counts again, and to send a heartbeat.
	now := time.Now()
	s.sweep, s.lastOwn = now.Add(s.o.timing.dead), now
	for _, p := range s.peers {
		p.seen = now
	}
}

func (s *Streams) entry(e jetstream.KeyValueEntry) {
	id, of, err := parseKey(e.Key())
	if err == nil {
		value := e.Value()
		if e.Operation() != jetstream.KeyValuePut {
			value = nil
		}
		s.mu.Lock()
		if of == nil {
			err = s.heartbeat(id, value)
		} else {
			err = s.count(id, *of, value)
		}
		s.mu.Unlock()
	}
	if err != nil {
		s.ignored.warn(s.o.Logger, "invalid entries of a bucket ignored", "bucket", s.bucket.name, "err", err)
	}
}

// heartbeat takes note of a heartbeat; an empty one means that the node has ended. It is called with mu held.
func (s *Streams) heartbeat(id string, value []byte) error {
	now := time.Now()
	switch {
	case id == s.id:
		if s.silent(now) { // nor did those of the others arrive
			for _, p := range s.peers {
				p.seen = now
			}
		}
		s.lastOwn = now
		return nil
	case len(value) == 0:
		delete(s.peers, id)
		return nil
	}
	if _, err := parseHeartbeat(value); err != nil {
		return err
	}
	p := s.peer(id, now)
	if p == nil {
		return fmt.Errorf("more than %d nodes", maxPeers)
	}
	p.seen, p.alive = now, true
	return nil
}

// count takes note of a count. It is called with mu held.
func (s *Streams) count(id string, of subject, value []byte) error {
	n := 0
	if value != nil {
		var err error
		if n, err = parseCount(value); err != nil {
			return err
		}
	}
	if id == s.id {
		if n == 0 {
			delete(s.stored, of)
		} else {
			s.stored[of] = n
		}
		return nil
	}
	p := s.peer(id, time.Now())
	switch {
	case p == nil:
		return fmt.Errorf("more than %d nodes", maxPeers)
	case n == 0:
		delete(p.counts, of)
		return nil
	}
	if _, known := p.counts[of]; !known && len(p.counts) >= maxSubjects {
		return fmt.Errorf("more than %d subjects of a node", maxSubjects)
	}
	p.counts[of] = count{n, s.reading}
	return nil
}

// peer returns another node, nil if there are too many. It is called with mu held.
func (s *Streams) peer(id string, now time.Time) *peer {
	p := s.peers[id]
	if p != nil {
		return p
	}
	if len(s.peers) >= maxPeers {
		maps.DeleteFunc(s.peers, func(_ string, p *peer) bool { return !p.alive })
	}
	if len(s.peers) < maxPeers {
		p = &peer{seen: now, counts: map[subject]count{}}
		s.peers[id] = p
	}
	return p
}

// silent reports whether not even the own heartbeats arrive: the connection or the bucket is away. It is called with mu held.
func (s *Streams) silent(now time.Time) bool { return now.Sub(s.lastOwn) > s.o.timing.dead/2 }

// removeDead leaves out nodes without heartbeats, unless this node gets none at all, and counts that the bucket no longer has.
func (s *Streams) removeDead(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.silent(now) {
		return // the last counts stay in use
	}
	sweep := !s.sweep.IsZero() && !now.Before(s.sweep)
	if sweep {
		s.sweep = time.Time{}
	}
	for id, p := range s.peers {
		silent := now.Sub(p.seen)
		p.alive = p.alive && silent <= s.o.timing.dead
		if silent > 2*s.o.timing.refresh { // its counts have expired. Until then it may go on: it was stopped, or cut off
			delete(s.peers, id)
		}
		if sweep {
			maps.DeleteFunc(p.counts, func(_ subject, c count) bool { return c.reading != s.reading })
		}
	}
}
