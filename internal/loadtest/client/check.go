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
	replay  uint64 // ticks up to this seq were due before the connection
	resumed bool   // this connection sent a position
	hello   Hello
	expect  expectation
	counts  Counts
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

// position returns the token to resume from: everything up to it has arrived. It is empty before the first hello.
func (c *checker) position() string {
	if c.epoch == "" {
		return ""
	}
	return fmt.Sprintf("%s-%d", c.epoch, c.log.last)
}

// reconnect prepares for a new connection. resumed reports whether it sends the position.
func (c *checker) reconnect(resumed bool) { c.expect, c.resumed = expectHello, resumed }

// caughtUp reports whether everything that was due before the connection has arrived. Of a filtered client that is not
// known.
func (c *checker) caughtUp() bool { return c.unfiltered && c.log.last >= c.replay }

// tick accounts for one tick. id is that of its SSE event, nil on WebSocket. live is false for a replayed tick.
func (c *checker) tick(t *Tick, id []byte) (live bool, err error) {
	if c.expect == expectHello {
		return false, ErrNoHello
	}
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
		return note{T: "snapshot"}, c.snapshot(m)
	}
	n, err := m.note()
	if err != nil {
		return n, err
	}
	switch {
	case n.T == "bye":
		return n, nil // a refused client receives it without a hello
	case n.T == "hello":
		return n, c.start(n.hello)
	case c.expect == expectHello:
		return n, ErrNoHello
	case n.T == "gap":
		c.counts.Gaps++
		skipped := c.log.skip(n.To)
		if c.unfiltered {
			c.counts.GapTicks += skipped
		}
		c.expect = expectSnapshot
	case n.T == "hb":
		c.advance(n.Head)
	}
	return n, nil
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
	c.hello, c.replay, c.expect = h, h.Head, expectTicks
	switch h.Resume {
	case wire.ResumeComplete, wire.ResumeGap:
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
	return nil
}

// startAtHead starts at the head of the log. If the client resumed in the same log, the ticks between are lost without a
// gap message: an unfiltered client misses all up to the head, a filtered one sees what it misses in the next snapshot.
func (c *checker) startAtHead(h Hello) {
	if c.resumed && h.Epoch == c.epoch && h.Head >= c.log.last {
		c.advance(h.Head)
		return
	}
	c.log = sequence{last: h.Head, known: true}
	clear(c.bySymbol)
}

// snapshot accounts for a snapshot, which sets the last number of each symbol. After a gap it shows a filtered connection
// what it lost.
func (c *checker) snapshot(m Message) error {
	if c.expect == expectHello {
		return ErrNoHello
	}
	afterGap := c.expect == expectSnapshot
	c.expect = expectTicks
	if c.unfiltered {
		seq, ok := m.snapshot(func(*Tick) {})
		if !ok {
			return malformed("snapshot")
		}
		c.log.reach(seq, &c.counts)
		return nil
	}
	unknown := false
	seq, ok := m.snapshot(func(t *Tick) {
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
	if !ok || unknown {
		return malformed("snapshot")
	}
	c.log.skip(seq)
	return nil
}

// behind returns how many ticks up to h have not arrived.
func (c *checker) behind(h Heads) (ticks uint64) {
	switch {
	case c.latest || c.expect == expectHello:
		return 0
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
