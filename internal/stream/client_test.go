package stream

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
	"ticklane/internal/wire/wiretest"
)

// message is one that a client read, whatever its format.
type message struct {
	T      string  `json:"T"`
	Time   int64   `json:"t"`
	S      string  `json:"S"`
	N      uint64  `json:"n"`
	I      uint64  `json:"i"`
	From   uint64  `json:"from"`
	To     uint64  `json:"to"`
	Missed uint64  `json:"missed"`
	Head   uint64  `json:"head"`
	Oldest uint64  `json:"oldest"`
	Reason string  `json:"reason"`
	Resume string  `json:"resume"`
	Mode   string  `json:"mode"`
	Retry  int64   `json:"retry"`
	Code   string  `json:"code"`
	ID     *int64  `json:"id"`
	Quotes []tickQ `json:"quotes"`

	Topics []string `json:"topics"`

	text  string // the JSON, or the JSON twin
	size  int    // of the message in its encoding
	id    string // SSE only
	event string
	retry string
}

type tickQ struct {
	S string
	N uint64 `json:"n"`
	I uint64 `json:"i"`
}

// client reads a subscriber's bytes as a client of its format would.
type client struct {
	*Subscriber
	t    testing.TB
	opt  Options
	kind wire.Format
	in   []byte
	window
}

func subscribe(t testing.TB, l *Log, opt Options) *client {
	t.Helper()
	opt = offering(l, opt)
	s := l.Subscribe(opt)
	t.Cleanup(s.Close)
	return &client{Subscriber: s, t: t, opt: opt, kind: opt.Format}
}

// take calls Next until it returns nothing, and decodes.
func (c *client) take(now time.Time) []message {
	c.t.Helper()
	var got []message
	for b := c.Next(now); len(b) > 0; b = c.Next(now) {
		got = append(got, c.decode(b)...)
	}
	if len(c.in) > 0 {
		c.t.Fatalf("half a message at the end: %q", c.in)
	}
	return got
}

// decode takes in bytes and returns the messages that they complete.
func (c *client) decode(b []byte) (got []message) {
	c.t.Helper()
	c.in = append(c.in, c.events(c, b)...)
	rest := c.in
	for {
		var m message
		var n int
		if c.kind == wire.SSEJSON {
			m, n = c.event(rest)
		} else {
			m, n = c.frame(rest)
		}
		if n == 0 {
			c.in = append(c.in[:0], rest...)
			return got
		}
		rest = rest[n:]
		if err := read(&m); err != nil {
			c.t.Fatalf("%v: %s", err, m.text)
		}
		got = append(got, m)
	}
}

// event reads one SSE event, strictly: every line must be a known field and the data one line.
func (c *client) event(b []byte) (m message, n int) {
	end := bytes.Index(b, []byte("\n\n"))
	if end < 0 {
		return m, 0
	}
	for line := range strings.SplitSeq(string(b[:end]), "\n") {
		field, value, ok := strings.Cut(line, ": ")
		into := map[string]*string{"event": &m.event, "id": &m.id, "retry": &m.retry, "data": &m.text}[field]
		if !ok || into == nil || *into != "" || value == "" {
			c.t.Fatalf("line %q in %q", line, b[:end])
		}
		*into = value
	}
	m.size = len(m.text)
	return m, end + 2
}

func (c *client) frame(b []byte) (m message, n int) {
	r := bytes.NewReader(b)
	h, err := ws.ReadHeader(r)
	if err != nil || int64(r.Len()) < h.Length {
		return m, 0
	}
	op := ws.OpText
	if c.kind == wire.WSProto {
		op = ws.OpBinary
	}
	if !h.Fin || h.OpCode != op || h.Masked || h.Rsv != 0 && !c.packs(h.Rsv) {
		c.t.Fatalf("frame %+v", h)
	}
	at := len(b) - r.Len()
	body := b[at : at+int(h.Length)]
	if h.Rsv != 0 {
		body = c.inflate(c, append(slices.Clone(body), 0, 0, 0xff, 0xff), c.opt.Compress == CompressPerMessage)
	}
	m.size = len(body)
	if m.text = string(body); c.kind == wire.WSProto {
		if m.text, err = wiretest.Text(body); err != nil {
			c.t.Fatal(err)
		}
	}
	return m, at + int(h.Length)
}

// read fills the message from its text. Ticks, of which there are many, are read by hand.
func read(m *message) error {
	if rest, tick := strings.CutPrefix(m.text, `{"T":"q","S":"`); tick {
		m.T = "q"
		m.S, rest, _ = strings.Cut(rest, `"`)
		rest, tail, ok := strings.Cut(rest, `,"n":`)
		n, i, ok2 := strings.Cut(strings.TrimSuffix(tail, "}"), `,"i":`)
		if !ok || !ok2 || !strings.HasPrefix(rest, `,"bp":`) {
			return fmt.Errorf("not a tick")
		}
		var err, err2 error
		m.N, err = strconv.ParseUint(n, 10, 64)
		m.I, err2 = strconv.ParseUint(i, 10, 64)
		return errors.Join(err, err2)
	}
	return json.Unmarshal([]byte(m.text), m)
}

// kinds is the messages' T, runs of ticks as one.
func kinds(got []message) string {
	var b strings.Builder
	for i := 0; i < len(got); i++ {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(got[i].T)
		if got[i].T == "q" {
			first := i
			for i+1 < len(got) && got[i+1].T == "q" {
				i++
			}
			fmt.Fprintf(&b, "×%d", i-first+1)
		}
	}
	return b.String()
}

// witness checks a client's whole stream against the contract as it comes in.
type witness struct {
	t      testing.TB
	tape   *tape
	topics quote.Topics
	fresh  quote.Topics // what the next snapshot must hold
	latest bool
	place  uint64 // everything up to here is accounted for
	hello  message
	ticks  uint64
	gaps   []message
	n      map[string]uint64 // the newest n of each symbol, mode latest
	left   uint64            // ticks left out by conflation

	onHello func(message)
}

func newWitness(t testing.TB, p *tape, topics quote.Topics, mode Mode) *witness {
	return &witness{t: t, tape: p, topics: topics, fresh: topics, latest: mode == ModeLatest, n: map[string]uint64{}}
}

func (w *witness) see(got ...message) {
	w.t.Helper()
	for _, m := range got {
		w.one(m)
	}
}

func (w *witness) one(m message) {
	w.t.Helper()
	fail := func(format string, a ...any) {
		w.t.Helper()
		w.t.Fatalf("at %d: %s: %.300s", w.place, fmt.Sprintf(format, a...), m.text)
	}
	if w.hello.T == "" && m.T != "hello" {
		fail("before the hello")
	}
	switch m.T {
	case "hello":
		if w.hello.T != "" {
			fail("second hello")
		}
		w.hello = m
		if w.onHello != nil {
			w.onHello(m)
		}
	case "q":
		w.ticks++
		w.tick(m, fail)
	case "gap":
		if m.From <= w.place || m.To < m.From || m.Missed != m.To-m.From+1 {
			fail("not the exact gap")
		}
		// What a filtered client didn't ask for isn't lost: its gap may begin later, but not by an own tick.
		w.nothing(m.From-1, fail)
		if m.From != w.place+1 && w.topics.Every() {
			fail("the gap begins late")
		}
		if m.Reason == wire.GapConflated {
			w.latest = true
		}
		w.gaps = append(w.gaps, m)
		w.place, w.fresh = m.To, w.topics
		w.base()
	case "snapshot":
		if m.I != w.place {
			fail("snapshot of another place")
		}
		want := 0
		for _, id := range w.fresh.IDs() {
			if w.tape.newest(id, m.I) != nil {
				want++
			}
		}
		if len(m.Quotes) != want {
			fail("snapshot of %d symbols, want %d", len(m.Quotes), want)
		}
		for _, q := range m.Quotes {
			id, _ := w.tape.u.Lookup(q.S)
			if k := w.tape.newest(id, m.I); k == nil || !w.fresh.Has(id) || k.Seq != q.I || k.N != q.N {
				fail("snapshot's %s is %+v, want %+v", q.S, q, k)
			}
		}
	case "hb":
		if m.Head < w.place {
			fail("heartbeat goes back")
		}
		w.nothing(m.Head, fail)
		w.place = m.Head
	case "subscription":
		if m.I < w.place {
			fail("subscription goes back")
		}
		w.nothing(m.I, fail)
		w.place = m.I
		topics, err := w.tape.u.Topics(m.Topics, 0)
		if err != nil && len(m.Topics) > 0 {
			fail("%v", err)
		}
		var added []string
		for _, name := range m.Topics {
			if !slices.Contains(w.topics.Names(), name) {
				added = append(added, name)
			}
		}
		w.topics = topics
		w.fresh, _ = w.tape.u.Topics(added, 0)
		w.base()
	}
}

// start tells where the stream begins, for what the hello alone doesn't say.
func (w *witness) start(seq uint64) { w.place = seq; w.base() }

// base notes what of each symbol a conflated client has.
func (w *witness) base() {
	if !w.latest {
		return
	}
	for _, id := range w.topics.IDs() {
		name := w.tape.u.Symbol(id).Ticker
		if k := w.tape.newest(id, w.place); k != nil {
			w.n[name] = k.N
		}
	}
}

func (w *witness) tick(m message, fail func(string, ...any)) {
	w.t.Helper()
	if m.I <= w.place || m.I > uint64(len(w.tape.ticks)) {
		fail("doubled or out of order")
	}
	k := &w.tape.ticks[m.I-1]
	if w.tape.u.Symbol(k.Symbol).Ticker != m.S || k.N != m.N {
		fail("another tick stands at this place")
	}
	if !w.topics.Has(k.Symbol) {
		fail("not asked for")
	}
	if m.text != string(wire.AppendQuote(nil, m.S, k)) {
		fail("torn")
	}
	if m.id != "" && m.id != position(m.I).String() {
		fail("id %s", m.id)
	}
	if w.latest {
		w.left += m.N - w.n[m.S] - 1
		w.n[m.S] = m.N
	} else {
		w.nothing(m.I-1, fail)
	}
	w.place = m.I
}

// nothing checks that nothing was due between the place and to.
func (w *witness) nothing(to uint64, fail func(string, ...any)) {
	w.t.Helper()
	for seq := w.place + 1; seq <= to; seq++ {
		k := &w.tape.ticks[seq-1]
		if w.topics.Has(k.Symbol) && (!w.latest || w.n[w.tape.u.Symbol(k.Symbol).Ticker] < k.N && w.tape.newest(k.Symbol, to) == k) {
			fail("seq %d was lost", seq)
		}
	}
}
