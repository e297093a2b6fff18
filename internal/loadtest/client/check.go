package client

import (
	"errors"
	"fmt"

	"ticklane/internal/wire"
)

// ErrNoHello is a stream that starts with another message than hello.
var ErrNoHello = errors.New("the stream doesn't start with a hello")

// checker compares what a client received with what it should have received. It outlives connections, so that resuming
// is checked too. It is not safe for concurrent use.
type checker struct {
	unfiltered bool           // mode all and every symbol: the seqs of the log arrive without holes
	latest     bool           // mode latest: missing ticks were conflated; only duplicates and order are checked
	symbols    map[string]int // index of each symbol in bySymbol; shared by all connections
	bySymbol   []sequence     // of a filtered connection
	log        sequence       // checked for holes only if unfiltered

	epoch   string
	safe    position     // to resume from: everything up to it has arrived
	replay  uint64       // ticks up to this seq were due before the connection
	resumed bool         // this connection sent a position
	due     bool         // a snapshot was announced; until its last part the position stays
	parts   snapshotHead // of the newest part of a snapshot that is incomplete; zero if none is
	hello   Hello
	expect  expectation
	counts  Counts
}

// position is a place in a log.
type position struct {
	epoch string
	seq   uint64
}

// expectation is what the next messages of a stream must be.
type expectation uint8

const (
	expectHello expectation = iota
	expectTicks
	expectSnapshot // the snapshot after a gap, which shows a filtered connection what it lost
)

// newChecker returns the checker for a client of a server with these symbols.
func newChecker(r *Request, symbols map[string]int) checker {
	mode := r.Query.Get("mode")
	c := checker{unfiltered: mode == "all" && r.Query.Get("topics") == "*", latest: mode == "latest", symbols: symbols}
	if !c.unfiltered {
		c.bySymbol = make([]sequence, len(symbols))
	}
	return c
}

// position returns the token to resume from, empty before the first position.
func (c *checker) position() string {
	if !c.hasPosition() {
		return ""
	}
	return fmt.Sprintf("%s-%d", c.safe.epoch, c.safe.seq)
}

func (c *checker) hasPosition() bool { return c.safe.epoch != "" }

// updateSafe makes the newest seq the position to resume from, unless a snapshot is due.
func (c *checker) updateSafe() {
	if !c.due {
		c.safe = position{c.epoch, c.log.last}
	}
}

// reconnect prepares for a new connection. resumed reports whether it sends the position.
func (c *checker) reconnect(resumed bool) {
	c.expect, c.resumed = expectHello, resumed
	c.due, c.parts = false, snapshotHead{}
}

// caughtUp reports whether everything that was due before the connection has arrived. Of a filtered client that is not
// known.
func (c *checker) caughtUp() bool { return c.unfiltered && !c.due && c.log.last >= c.replay }

// tick accounts for one tick. id is that of its SSE event, nil on WebSocket. live is false for a replayed tick.
func (c *checker) tick(t *Tick, id []byte) (live bool, err error) {
	if c.expect == expectHello {
		return false, ErrNoHello
	}
	if c.due {
		return false, malformed("tick before the end of the snapshot")
	}
	defer c.updateSafe()
	if id != nil && !idMatches(id, t.Seq) {
		c.counts.WrongIDs++
	}
	if c.unfiltered {
		c.log.take(t.Seq, &c.counts)
		return t.Seq > c.replay, nil
	}
	k, ok := c.symbols[string(t.Symbol)]
	if !ok {
		return false, malformed(fmt.Sprintf("unknown symbol %q", t.Symbol))
	}
	s := &c.bySymbol[k]
	if c.latest && t.N > s.last {
		s.skip(t.N)
	} else {
		before := c.counts.Duplicates
		if s.take(t.N, &c.counts); c.counts.Duplicates > before {
			return false, nil
		}
	}
	if t.Seq < c.log.last {
		c.counts.OutOfOrder++
	}
	c.log.skip(t.Seq)
	return t.Seq > c.replay, nil
}

// message accounts for any other message and returns it. A snapshot is returned with its T alone.
func (c *checker) message(m Message) (note, error) {
	if m.isSnapshot() {
		err := c.snapshot(m)
		c.checkID(m.id)
		return note{T: "snapshot"}, err
	}
	n, err := m.note()
	if err == nil {
		err = c.note(n)
	}
	if n.T != "bye" {
		c.checkID(m.id)
	}
	return n, err
}

// checkID compares the last event id of an SSE client, if it has one, with the position.
func (c *checker) checkID(id []byte) {
	if len(id) > 0 && string(id) != c.position() {
		c.counts.WrongIDs++
	}
}

// note accounts for a message that is neither a tick nor a snapshot.
func (c *checker) note(n note) error {
	switch {
	case n.T == "bye":
		return nil // a refused client receives it without a hello
	case n.T == "hello":
		return c.start(n.hello)
	case c.expect == expectHello:
		return ErrNoHello
	case c.parts.part > 0 && (n.T == "gap" || n.Snapshot):
		return malformed(n.T + " before the end of the snapshot")
	case n.T == "gap":
		c.due = n.Snapshot
		c.counts.Gaps++
		skipped := c.log.skip(n.To)
		if c.unfiltered {
			c.counts.GapTicks += skipped
		}
		c.expect = expectSnapshot
	case n.T == "hb" && n.Head > 0:
		c.advance(n.Head)
	case n.T == "subscription":
		c.due = c.due || n.Snapshot
	}
	c.updateSafe()
	return nil
}

// advance accounts for the head of the log as the server reports it. A filtered connection cannot know whether ticks of
// its symbols are among those before it.
func (c *checker) advance(head uint64) {
	if c.unfiltered {
		c.log.reach(head, &c.counts)
	} else {
		c.log.skip(head)
	}
}

// start accounts for the hello.
func (c *checker) start(h Hello) error {
	if c.expect != expectHello {
		return malformed("second hello")
	}
	if h.Epoch == "" {
		return malformed("hello without epoch")
	}
	c.hello, c.replay, c.expect, c.due = h, h.Head, expectTicks, h.Snapshot
	switch h.Resume {
	case wire.ResumeComplete, wire.ResumeGap:
		if h.Epoch != c.epoch { // a reset to another log was cut before its snapshot had arrived
			c.log = sequence{last: c.safe.seq, known: true}
		}
	case wire.ResumeReset:
		c.counts.Resets++
		c.startAtHead(h)
	default:
		if c.resumed {
			c.counts.Ignored++
		}
		c.startAtHead(h)
	}
	c.epoch = h.Epoch
	if h.Resume != wire.ResumeGap { // whose gap comes next
		c.updateSafe()
	}
	return nil
}

// startAtHead starts at the snapshot that is due, else at the head of the log. If the client resumed in the same log, the
// ticks between are lost without a gap message: an unfiltered client misses all up to there, a filtered one sees what it
// misses in the next snapshot.
func (c *checker) startAtHead(h Hello) {
	same := c.resumed && h.Epoch == c.safe.epoch && h.Head >= c.safe.seq
	switch {
	case same && !h.Snapshot:
		c.advance(h.Head)
	case !same:
		c.log = sequence{last: h.Head, known: !h.Snapshot}
		clear(c.bySymbol)
	}
}

// snapshot accounts for a part of a snapshot, which sets the last number of each of its symbols. After a gap it shows a
// filtered connection what it lost. The last part sets the position.
func (c *checker) snapshot(m Message) error {
	if c.expect == expectHello {
		return ErrNoHello
	}
	afterGap := c.expect == expectSnapshot
	unknown := false
	head, ok := m.snapshot(func(t *Tick) {
		if c.unfiltered {
			return
		}
		k, ok := c.symbols[string(t.Symbol)]
		if !ok {
			unknown = true
			return
		}
		s := &c.bySymbol[k]
		if !afterGap && !c.latest {
			s.reach(t.N, &c.counts)
		}
		skipped := s.skip(t.N)
		if !c.latest {
			c.counts.GapTicks += skipped
		}
	})
	if !ok || unknown || !head.follows(c.parts) {
		return malformed("snapshot")
	}
	if head.part < head.parts {
		c.parts, c.due = head, true
		return nil
	}
	c.expect, c.due, c.parts = expectTicks, false, snapshotHead{}
	if c.unfiltered {
		c.log.reach(head.seq, &c.counts)
	}
	c.log.skip(head.seq)
	c.updateSafe()
	return nil
}

// behind returns how many ticks up to h have not arrived.
func (c *checker) behind(h Heads) (ticks uint64) {
	switch {
	case c.latest || c.expect == expectHello:
		return 0
	case c.unfiltered && !c.log.known: // its snapshot has what was due before the connection
		return h.Seq - min(h.Seq, c.replay)
	case c.unfiltered:
		return h.Seq - min(h.Seq, c.log.last)
	}
	for k, n := range h.Symbols {
		if s := c.bySymbol[k]; s.known && n > s.last {
			ticks += n - s.last
		}
	}
	return ticks
}
