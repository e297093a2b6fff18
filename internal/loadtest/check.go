package loadtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"ticklane/internal/wire"
)

// checker keeps one connection's account: what it should have by now, and what it got. It outlives reconnects, so that
// a resume has to prove itself. Its owner's goroutine alone uses it while the connection lives.
type checker struct {
	every   bool           // mode all and every symbol: the log's seqs come without holes
	latest  bool           // mode latest: what is missing was conflated; only doubles and order are judged
	symbols map[string]int // index in quotes, shared by all connections
	quotes  []sequence     // a filtered connection's, by symbol
	log     sequence       // place in the log; judged without holes only when every

	epoch  string
	replay uint64 // ticks up to here were due before this connection was
	sent   bool   // this connection asked to go on from a position
	hello  hello
	expect expectation
	counts counts
}

// expectation is what the next messages have to bring.
type expectation uint8

const (
	expectHello expectation = iota
	expectTicks
	expectBaseline // the snapshot after a gap tells a filtered connection how many ticks it lost
)

// hello is the part of the first message that is looked at.
type hello struct {
	T         string   `json:"T"`
	Lane      string   `json:"lane"`
	Engine    string   `json:"engine"`
	Epoch     string   `json:"epoch"`
	Head      uint64   `json:"head"`
	Oldest    uint64   `json:"oldest"`
	Resume    string   `json:"resume"`
	Mode      string   `json:"mode"`
	Topics    []string `json:"topics"`
	Heartbeat int64    `json:"hb"` // ms
	Time      int64    `json:"t"`  // µs since 1970; named so that "t" isn't taken for "T"
}

// note is any other message.
type note struct {
	T      string `json:"T"`
	Time   int64  `json:"t"`
	From   uint64 `json:"from"`
	To     uint64 `json:"to"`
	Missed uint64 `json:"missed"`
	Head   uint64 `json:"head"`
	Reason string `json:"reason"`
	Retry  int64  `json:"retry"` // ms
	Code   string `json:"code"`
	Msg    string `json:"msg"`
}

var (
	errNoHello   = errors.New("the stream doesn't open with a hello")
	errMalformed = errors.New("a message isn't what the contract says")
)

// position is the token of resume: everything up to it has arrived. Empty before the first hello.
func (c *checker) position() string {
	if c.epoch == "" {
		return ""
	}
	return fmt.Sprintf("%s-%d", c.epoch, c.log.last)
}

// reconnect says that the next message comes on a new connection, and whether that one asked to go on from a position.
func (c *checker) reconnect(sent bool) { c.expect, c.sent = expectHello, sent }

// tick accounts for one tick; id is SSE's, nil on WebSocket. live is false for one that was replayed.
func (c *checker) tick(t *tick, id []byte) (live bool, err error) {
	if c.expect == expectHello {
		return false, errNoHello
	}
	if id != nil && !endsInSeq(id, t.i) {
		c.counts.Mislabel++
	}
	if c.every {
		c.log.take(t.i, &c.counts)
		return t.i > c.replay, nil
	}
	at, ok := c.symbols[string(t.symbol)]
	if !ok {
		return false, fmt.Errorf("symbol %q: %w", t.symbol, errMalformed)
	}
	s := &c.quotes[at]
	switch before := c.counts.Doubled; {
	case c.latest && t.n > s.last:
		s.skip(t.n)
	default:
		s.take(t.n, &c.counts)
		if c.counts.Doubled > before {
			return false, nil
		}
	}
	if t.i < c.log.last {
		c.counts.Disorder++
	}
	c.log.skip(t.i)
	return t.i > c.replay, nil
}

// message accounts for any other message in JSON and returns what it says, its T first.
func (c *checker) message(b []byte) (note, error) {
	if bytes.HasPrefix(b, snapshotStart) {
		return note{T: "snapshot"}, c.snapshot(b, scanSnapshot)
	}
	var n note
	var h hello
	if err := json.Unmarshal(b, &n); err != nil {
		return n, fmt.Errorf("%w: %v", errMalformed, err)
	}
	if n.T == "hello" {
		if err := json.Unmarshal(b, &h); err != nil {
			return n, fmt.Errorf("hello: %w", errMalformed)
		}
	}
	return n, c.account(n, h)
}

// binary is message for protobuf.
func (c *checker) binary(kind int, b []byte) (note, error) {
	if kind == protoSnapshot {
		return note{T: "snapshot"}, c.snapshot(b, scanProtoSnapshot)
	}
	n, h, err := scanNote(kind, b)
	if err != nil {
		return n, err
	}
	return n, c.account(n, h)
}

func (c *checker) account(n note, h hello) error {
	switch {
	case n.T == "bye":
		return nil // a refused client gets it without a hello
	case n.T == "hello":
		return c.greet(h)
	case c.expect == expectHello:
		return errNoHello
	}
	switch n.T {
	case "gap":
		c.counts.Gaps++
		left := c.log.skip(n.To)
		if c.every {
			c.counts.Told += left
		}
		c.expect = expectBaseline
	case "hb":
		if c.every {
			c.log.reach(n.Head, &c.counts)
		} else {
			c.log.skip(n.Head)
		}
	}
	return nil
}

func (c *checker) greet(h hello) error {
	if c.expect != expectHello {
		return fmt.Errorf("a second hello: %w", errMalformed)
	}
	if h.Epoch == "" {
		return fmt.Errorf("hello: %w", errMalformed)
	}
	c.hello, c.replay, c.expect = h, h.Head, expectTicks
	switch h.Resume {
	case wire.ResumeComplete, wire.ResumeGap:
	case wire.ResumeReset:
		c.counts.Resets++
		c.rebase(h)
	default:
		if c.sent {
			c.counts.Ignored++
		}
		c.rebase(h)
	}
	c.epoch = h.Epoch
	return nil
}

// rebase begins at the head. Where a position of the same log was sent, the ticks between are lost and nobody said so: a
// client of everything misses them up to the head, a filtered one sees them in the snapshot that comes next.
func (c *checker) rebase(h hello) {
	if c.sent && h.Epoch == c.epoch && h.Head >= c.log.last {
		if c.every {
			c.log.reach(h.Head, &c.counts)
		} else {
			c.log.skip(h.Head)
		}
		return
	}
	c.log = sequence{last: h.Head, known: true}
	clear(c.quotes)
}

// snapshot sets where the symbols of a filtered connection stand; after a gap it tells what was lost of them.
func (c *checker) snapshot(b []byte, scan func([]byte, func(*tick)) (uint64, bool)) error {
	if c.expect == expectHello {
		return errNoHello
	}
	afterGap := c.expect == expectBaseline
	c.expect = expectTicks
	if c.every {
		i, ok := scan(b, func(*tick) {})
		if !ok {
			return fmt.Errorf("snapshot: %w", errMalformed)
		}
		c.log.reach(i, &c.counts)
		return nil
	}
	unknown := false
	i, ok := scan(b, func(t *tick) {
		at, ok := c.symbols[string(t.symbol)]
		if !ok {
			unknown = true
			return
		}
		s := &c.quotes[at]
		if !afterGap && !c.latest {
			s.reach(t.n, &c.counts)
		}
		left := s.skip(t.n)
		if !c.latest {
			c.counts.Told += left
		}
	})
	if !ok || unknown {
		return fmt.Errorf("snapshot: %w", errMalformed)
	}
	c.log.skip(i)
	return nil
}

// behind tells how many of the ticks up to a server's snapshot have not arrived.
func (c *checker) behind(at baseline) (ticks uint64) {
	switch {
	case c.latest || c.expect == expectHello:
		return 0
	case c.every:
		return at.i - min(at.i, c.log.last)
	}
	for s, n := range at.n {
		if q := c.quotes[s]; q.known && n > q.last {
			ticks += n - q.last
		}
	}
	return ticks
}

// baseline is where a server stood: the log and each symbol of the topics.
type baseline struct {
	i uint64
	n map[int]uint64 // by index of the symbol
}
