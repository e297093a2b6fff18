package storm

import (
	"bytes"
	"encoding/json"
	"hash/maphash"
)

// kind is the type of a message, as far as a client needs it.
type kind uint8

const (
	other kind = iota
	tick
	hello
	snapshot
	gap
	heartbeat
	bye
)

// message is what a client needs of one message. It doesn't refer to the text.
type message struct {
	kind    kind
	seq     uint64 // tick, snapshot: i; gap: to; hello, heartbeat: head
	due     int64  // tick: µs since 1970
	symbol  uint64 // tick: hash of its name
	n       uint64 // tick: its number within the symbol
	part    *part  // snapshot
	opened  *opened
	follows bool   // hello, gap: a snapshot follows
	reason  string // bye
	retry   int64  // bye: ms

	id   []byte // SSE: of the event; nil without an id line
	wait int64  // SSE: the retry field in ms; 0 without one
}

// opened is what a hello says besides its head.
type opened struct {
	epoch, resume, engine string
}

// part is one message of a snapshot, or all of it. It is shared by the clients that received the same text.
type part struct {
	part, parts int // 1 of 1 for a snapshot of one message
	quotes      int
	sum         uint64 // of the hashes of its symbols
	each        []quoted
}

// quoted is the newest tick of a symbol, as a snapshot shows it.
type quoted struct {
	symbol, n, seq uint64
}

// parser parses messages. Snapshots with the same text are parsed once. It is not safe for concurrent use.
type parser struct {
	seed      maphash.Seed
	snapshots map[uint64]*snapshotText
	broken    int // messages that aren't valid
}

type snapshotText struct {
	seq  uint64
	part *part
}

// symbolSeed makes the hash of a name the same for all parsers.
var symbolSeed = maphash.MakeSeed()

func hashSymbol(name []byte) uint64 { return maphash.Bytes(symbolSeed, name) }

func newParser() *parser {
	return &parser{seed: maphash.MakeSeed(), snapshots: map[uint64]*snapshotText{}}
}

var (
	tickPrefix     = []byte(`{"T":"q",`)
	snapshotPrefix = []byte(`{"T":"snapshot",`)
	symbolKey      = []byte(`"S":"`)
	dueKey         = []byte(`,"t":`)
	nKey           = []byte(`,"n":`)
	seqKey         = []byte(`,"i":`)
)

// parse parses the JSON text of a message. ok is false if it is malformed.
func (p *parser) parse(text []byte) (m message, ok bool) {
	switch {
	case bytes.HasPrefix(text, tickPrefix):
		m.kind = tick
		ok = m.parseTick(text)
	case bytes.HasPrefix(text, snapshotPrefix):
		m.kind = snapshot
		ok = p.parseSnapshot(&m, text)
	default:
		ok = m.parseRest(text)
	}
	if !ok {
		p.broken++
	}
	return m, ok
}

// parseTick finds the members S, t, n and i, which follow each other in this order.
func (m *message) parseTick(b []byte) bool {
	at := bytes.Index(b, symbolKey)
	if at < 0 {
		return false
	}
	b = b[at+len(symbolKey):]
	end := bytes.IndexByte(b, '"')
	if end < 1 {
		return false
	}
	m.symbol, b = hashSymbol(b[:end]), b[end:]
	due, ok := number(&b, dueKey)
	if !ok {
		return false
	}
	m.due = int64(due)
	if m.n, ok = number(&b, nKey); !ok {
		return false
	}
	m.seq, ok = number(&b, seqKey)
	return ok
}

// number returns the number after the first key in b, and removes everything up to its end.
func number(b *[]byte, key []byte) (v uint64, ok bool) {
	at := bytes.Index(*b, key)
	if at < 0 {
		return 0, false
	}
	rest := (*b)[at+len(key):]
	n := 0
	for n < len(rest) && n < 19 && rest[n] >= '0' && rest[n] <= '9' {
		v = v*10 + uint64(rest[n]-'0')
		n++
	}
	*b = rest[n:]
	return v, n > 0
}

// maxSnapshots bounds how many snapshots are remembered.
const maxSnapshots = 4096

func (p *parser) parseSnapshot(m *message, text []byte) bool {
	key := maphash.Bytes(p.seed, text)
	s, ok := p.snapshots[key]
	if !ok {
		if s, ok = readSnapshot(text); !ok {
			return false
		}
		if len(p.snapshots) >= maxSnapshots {
			clear(p.snapshots)
		}
		p.snapshots[key] = s
	}
	m.seq, m.part = s.seq, s.part
	return true
}

func readSnapshot(text []byte) (*snapshotText, bool) {
	head, quotes, ok := bytes.Cut(text, []byte(`"quotes":[`))
	if !ok {
		return nil, false
	}
	var fields struct {
		I           uint64 `json:"i"`
		Part, Parts int
	}
	if json.Unmarshal(append(bytes.Clone(head), `"quotes":[]}`...), &fields) != nil {
		return nil, false
	}
	p := &part{part: max(fields.Part, 1), parts: max(fields.Parts, 1)}
	for {
		at := bytes.Index(quotes, tickPrefix)
		if at < 0 {
			return &snapshotText{fields.I, p}, p.part <= p.parts
		}
		quotes = quotes[at:]
		end := bytes.IndexByte(quotes, '}')
		var q message
		if end < 0 || !q.parseTick(quotes[:end+1]) || q.seq > fields.I {
			return nil, false
		}
		p.quotes++
		p.sum += q.symbol
		p.each = append(p.each, quoted{q.symbol, q.n, q.seq})
		quotes = quotes[end:]
	}
}

// parseRest parses any other message with a JSON decoder: there are few of them.
func (m *message) parseRest(text []byte) bool {
	var f struct {
		T, Reason, Epoch, Resume, Engine string
		Time                             int64 `json:"t"` // named, so that "t" is not taken for "T"
		To, Head                         uint64
		Retry                            int64
		Snapshot                         bool
	}
	if json.Unmarshal(text, &f) != nil {
		return false
	}
	switch f.T {
	case "hello":
		m.kind, m.seq, m.opened, m.follows = hello, f.Head, &opened{f.Epoch, f.Resume, f.Engine}, f.Snapshot
		return f.Epoch != ""
	case "gap":
		m.kind, m.seq, m.follows = gap, f.To, f.Snapshot
	case "hb":
		m.kind, m.seq = heartbeat, f.Head
	case "bye":
		m.kind, m.reason, m.retry = bye, f.Reason, f.Retry
	}
	return true
}
