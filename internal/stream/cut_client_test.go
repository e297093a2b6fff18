package stream

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// cutState is what a client knows after a part of its stream.
type cutState struct {
	position  string            // to resume from; "" for none
	quotes    map[string]uint64 // n of each symbol's newest quote
	applied   uint64            // the seq of the newest tick
	topics    []string
	confirmed int // changes of topics that have taken effect, with their snapshots

	due        bool     // a snapshot is
	parts      []tickQ  // of the snapshot that is being received
	newTopics  []string // take effect with the snapshot
	hasChanged bool     // newTopics are due
}

// apply applies a message's content.
func (s *cutState) apply(m *message) {
	switch m.T {
	case "hello", "gap":
		s.due = m.Snapshot
	case "q":
		s.quotes[m.S], s.applied = m.N, m.I
	case "subscription":
		s.due, s.hasChanged, s.newTopics = m.Snapshot, true, m.Topics
	case "snapshot":
		if m.Part <= 1 {
			s.parts = nil
		}
		if s.parts = append(s.parts, m.Quotes...); m.Part == m.Parts {
			for _, q := range s.parts {
				s.quotes[q.S] = q.N
			}
			s.due = false
		}
	}
	if s.hasChanged && !s.due {
		s.topics, s.hasChanged = s.newTopics, false
		s.confirmed++
	}
}

// applyPosition applies the position that a WebSocket message is, by docs/protocol.md.
func (s *cutState) applyPosition(m *message) {
	if s.due {
		return
	}
	seq := uint64(0)
	switch m.T {
	case "q", "snapshot", "subscription":
		seq = m.I
	case "gap":
		seq = m.To
	case "hb":
		seq = m.Head
	}
	if seq > 0 {
		s.position = position(seq).String()
	}
}

// cutClient receives a recorded stream byte by byte.
type cutClient struct {
	cutState
	t       *testing.T
	rec     *cutRecorder
	sc      *cutScenario
	eager   bool    // takes each line of an event at once, as some libraries do, instead of the complete event
	decoder *client // of frames or events
	text    []byte  // of the event stream, decompressed
	gzip    gzip.Reader
	kinds   []string
	had     int // bytes
}

func newCutClient(r *cutRecorder, sc *cutScenario, eager bool) *cutClient {
	c := &cutClient{t: r.t, rec: r, sc: sc, eager: eager, cutState: cutState{quotes: map[string]uint64{}, topics: sc.topics}}
	// What the client had before it resumes.
	if from := sc.opt.From; from == FromPosition {
		c.position = sc.opt.Position.String()
		if sc.opt.Position.Epoch == testEpoch {
			for id := range quote.ID(testSymbols) {
				if k := r.fixture.newest(id, sc.opt.Position.Seq); k != nil {
					c.quotes[r.fixture.u.Instrument(id).Symbol] = k.N
				}
			}
		}
	}
	// Its Subscriber is only there because a client has one.
	c.decoder = &client{Subscriber: new(Subscriber), t: r.t, opt: r.client.opt, format: r.client.format}
	return c
}

func (c *cutClient) isSSE() bool { return c.decoder.format == wire.SSEJSON }

// receive is called when the client has received the first k bytes of its stream.
func (c *cutClient) receive(k int) {
	b := c.rec.bytes[c.had:k]
	c.had = k
	if c.isSSE() && c.rec.client.Compression() != CompressNone {
		b = c.inflate(c.rec.bytes[:k])
	}
	if c.eager {
		c.text = append(c.text, b...)
		c.takeLines()
		return
	}
	for _, m := range c.decoder.decode(b) {
		c.kinds = append(c.kinds, m.T)
		c.apply(&m)
		if !c.isSSE() {
			c.applyPosition(&m)
		} else if m.id != "" {
			c.position = m.id
		}
	}
}

// inflate returns the text that a response's first bytes contain, after what it has returned before.
func (c *cutClient) inflate(b []byte) (text []byte) {
	if err := c.gzip.Reset(bytes.NewReader(b)); err != nil {
		return nil // the header isn't complete
	}
	all, err := io.ReadAll(&c.gzip)
	if err != nil && err != io.ErrUnexpectedEOF {
		c.t.Fatal(err)
	}
	n := len(c.decoder.total)
	c.decoder.total = all
	return all[n:]
}

func (c *cutClient) takeLines() {
	for {
		line, rest, ok := bytes.Cut(c.text, []byte("\n"))
		if !ok {
			return
		}
		c.text = rest
		if data, ok := strings.CutPrefix(string(line), "data: "); ok {
			m := message{text: data}
			if err := parse(&m); err != nil {
				c.t.Fatal(err)
			}
			c.kinds = append(c.kinds, m.T)
			c.apply(&m)
		} else if id, ok := strings.CutPrefix(string(line), "id: "); ok {
			c.position = id
		}
	}
}

// describe returns a text that changes with the state.
func (c *cutClient) describe() string {
	return fmt.Sprint(c.position, c.applied, len(c.kinds), c.confirmed)
}

// reconnect checks that the client has the log's state after it has reconnected. It doesn't change c.
func (c *cutClient) reconnect(cut string) {
	p, l := c.rec.fixture, c.rec.log
	s := c.cutState
	s.quotes, s.due, s.parts, s.hasChanged = maps.Clone(c.quotes), false, nil, false
	opt := c.rec.client.opt
	if c.eager { // it repeats its URL, with the id that it has taken
		s.topics, s.confirmed = c.sc.topics, 0
	}
	opt.Topics = p.topics(c.t, s.topics...)
	if s.position != "" { // otherwise it starts as at first
		var err error
		if opt.Position, err = quote.ParsePosition(s.position); err != nil {
			c.t.Fatalf("cut after %s: %v", cut, err)
		}
		opt.From = FromPosition
		if !c.eager && opt.Position.Epoch == testEpoch && s.applied > opt.Position.Seq {
			c.t.Fatalf("cut after %s: the client has tick %d, its position is %s", cut, s.applied, s.position)
		}
	}
	r := newClient(c.t, l, opt)
	defer r.Close()
	for _, cmd := range c.rec.commands[s.confirmed:] {
		if err := r.EnqueueCommand(cmd, noon); err != nil {
			c.t.Fatal(err)
		}
	}
	got := r.take(noon)
	check := newChecker(c.t, p, opt.Topics, opt.Mode)
	check.onHello = func(m message) {
		switch opt.From {
		case FromOldest:
			check.start(m.Oldest - 1)
		case FromPosition:
			check.start(opt.Position.Seq)
		}
	}
	check.check(got...)
	head := l.Head().Seq
	if check.expectNone(head); check.due {
		c.t.Fatalf("cut after %s: after the reconnect a snapshot is missing: %s", cut, runs(kindsOf(got)))
	}
	for _, m := range got {
		s.apply(&m)
	}
	for _, id := range p.topics(c.t, s.topics...).IDs() {
		k, name := p.newest(id, head), p.u.Instrument(id).Symbol
		if k != nil && s.quotes[name] != k.N {
			c.t.Fatalf("cut after %s, at position %q: %s has n %d, want %d, after %s", cut, c.position, name, s.quotes[name], k.N, runs(kindsOf(got)))
		}
	}
}

func kindsOf(got []message) (kinds []string) {
	for _, m := range got {
		kinds = append(kinds, m.T)
	}
	return kinds
}

// runs joins kinds of messages, with the number of equal ones.
func runs(kinds []string) string {
	var b strings.Builder
	for i := 0; i < len(kinds); {
		n := 1
		for i+n < len(kinds) && kinds[i+n] == kinds[i] {
			n++
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		if b.WriteString(kinds[i]); n > 1 {
			fmt.Fprintf(&b, "×%d", n)
		}
		i += n
	}
	return b.String()
}
