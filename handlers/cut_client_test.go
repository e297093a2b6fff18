package handlers_test

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
	"slices"
	"strings"

	"ticklane/internal/quote"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
	"ticklane/internal/wire/wiretest"
)

// cutReader reads a stream's body up to a cut.
type cutReader struct {
	r      io.Reader
	read   int
	left   int  // bytes before the cut; negative for no cut
	single bool // one byte at a time, so that decoders don't read ahead
}

func (c *cutReader) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	if c.single {
		p = p[:1]
	}
	if c.left > 0 {
		p = p[:min(len(p), c.left)]
	}
	n, err := c.r.Read(p)
	c.read += n
	if c.left > 0 {
		c.left -= n
	}
	return n, err
}

// gunzip decompresses a stream that may be cut in its header.
type gunzip struct {
	r io.Reader
	z *gzip.Reader
}

func (g *gunzip) Read(p []byte) (n int, err error) {
	if g.z == nil {
		if g.z, err = gzip.NewReader(g.r); err != nil {
			return 0, err
		}
	}
	return g.z.Read(p)
}

// cutClient follows docs/protocol.md: what it holds survives the end of its connection.
type cutClient struct {
	*testserver.Client
	test  *cutTest
	where string // for failures
	eager bool   // takes an event and its id with the id line, before the event is complete

	position string
	at       uint64            // the seq up to which it has everything
	quotes   map[string]string // JSON of each symbol's newest tick
	topics   []string
	command  string // topics to subscribe to, until their snapshot is complete

	// Of the connection.
	body    *cutReader
	kinds   []string
	due     bool // a snapshot is
	starts  bool // with the snapshot, at any seq
	to      uint64
	parts   []wiretest.Message
	changed []string // topics, from the snapshot on
}

func (t *cutTest) newCutClient(sc *cutScenario) *cutClient {
	c := &cutClient{test: t, where: sc.name, eager: t.rng.IntN(2) == 0, topics: strings.Split(sc.topics, ",")}
	c.position, c.at = t.positionOf(sc)
	c.quotes = t.stateAt(c.at)
	c.open()
	return c
}

func (c *cutClient) fail(format string, args ...any) {
	c.Helper()
	c.Fatalf("%s, eager %t, position %q, seq %d of %d, after %v: %s", c.where, c.eager, c.position, c.at, c.test.head(), c.kinds, fmt.Sprintf(format, args...))
}

// open connects with what the client has.
func (c *cutClient) open() {
	c.Client = c.test.Dial()
	c.kinds, c.due, c.parts, c.changed = nil, false, nil, nil
	query, lines := "topics="+strings.Join(c.topics, ","), []string{}
	switch ways := c.test.rng.IntN(3); {
	case c.position == "":
	case c.test.lane == wire.WS || ways == 0 && c.position != foreignPosition:
		query += "&from=" + c.position
	case ways == 1:
		query += "&lastEventId=" + c.position
	default:
		lines = append(lines, "Last-Event-ID: "+c.position)
	}
	if c.test.lane == wire.WS {
		if c.test.compressed {
			lines = append(lines, testserver.OfferDeflate)
		}
		c.RequestWS(query, lines...)
		c.body = &cutReader{r: c.Reader, left: -1}
		c.Reader = bufio.NewReader(c.body)
		return
	}
	if c.test.compressed {
		lines = append(lines, testserver.AcceptGzip)
	}
	c.Format = wire.SSEJSON
	c.Request("GET", "/sse/subscribe?"+query, append(lines, "Accept: text/event-stream")...)
	if c.Status != 200 || c.Header.Get("Transfer-Encoding") != "chunked" || (c.Header.Get("Content-Encoding") == "gzip") != c.test.compressed {
		c.fail("%d %v", c.Status, c.Header)
	}
	c.body = &cutReader{r: httputil.NewChunkedReader(c.Reader), left: -1}
	var r io.Reader = c.body
	if c.test.compressed {
		r = &gunzip{r: r}
	}
	c.Body = bufio.NewReader(r)
}

// subscribe sends a command.
func (c *cutClient) subscribe(topics string) {
	c.command = topics
	command := fmt.Sprintf(`{"action":"subscribe","topics":[%q]}`, topics)
	if c.test.lane == wire.WS {
		c.SendText(command)
	} else if answer, body := c.PostCommand(c.Hello.Conn, command); answer.Status != 200 {
		c.fail("%d %s", answer.Status, body)
	}
}

// readStep reads until the client has caught up, and returns where each message ended, and their kinds with equal ones in a row once.
func (c *cutClient) readStep() (ends []int, kinds string) {
	start := c.body.read
	c.kinds = nil
	for !c.hasAll() {
		if err := c.readOne(); err != nil {
			c.fail("%v", err)
		}
		ends = append(ends, c.body.read-start)
	}
	return ends, strings.Join(slices.Compact(slices.Clone(c.kinds)), " ")
}

// cutAfter reads n further bytes and resets the connection.
func (c *cutClient) cutAfter(n int) {
	c.body.left = n
	if err := c.catchUp(); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		c.fail("%v", err)
	}
	c.Cut(true)
	c.where += fmt.Sprintf(", %v", c.kinds)
}

// reconnect opens a new connection and repeats a command that hasn't taken effect.
func (c *cutClient) reconnect() {
	c.open()
	if err := c.readOne(); err != nil || c.Hello.T != "hello" {
		c.fail("%v", err)
	}
	if c.command != "" {
		c.subscribe(c.command)
	}
}

// hasAll reports whether the client has everything up to the head.
func (c *cutClient) hasAll() bool {
	return len(c.kinds) > 0 && !c.due && c.command == "" && c.test.nextDue(c.topics, c.at) == 0
}

func (c *cutClient) catchUp() error {
	for !c.hasAll() {
		if err := c.readOne(); err != nil {
			return err
		}
	}
	return nil
}

func (c *cutClient) mustCatchUp() {
	if err := c.catchUp(); err != nil {
		c.fail("%v", err)
	}
}

// verify compares the client's state with the server's.
func (c *cutClient) verify(state map[string]string) {
	for symbol, text := range state {
		if (slices.Contains(c.topics, "*") || slices.Contains(c.topics, symbol)) && c.quotes[symbol] != text {
			c.fail("%s is %q, the server's is %q", symbol, c.quotes[symbol], text)
		}
	}
}

// readOne reads and applies a message. An error means that the stream was cut.
func (c *cutClient) readOne() error {
	m, err := c.Read()
	if err != nil {
		if !c.eager || m.EventID == "" {
			return err
		}
		id := m.EventID
		var parseErr error
		if m, parseErr = wiretest.ParseMessage(m.Text); parseErr != nil {
			c.fail("%v", parseErr)
		}
		m.EventID = id
	}
	c.kinds = append(c.kinds, m.T)
	if problem := c.apply(&m); problem != "" {
		c.fail("%s: %.200s", problem, m.Text)
	}
	if m.EventID != "" {
		c.position = m.EventID
	} else if c.test.lane == wire.WS && !c.due && m.T != "hello" {
		c.position = quote.Position{Epoch: c.test.Ticks.Epoch, Seq: c.at}.String()
	}
	return err
}

// apply applies a message, and returns how it breaks the contract.
func (c *cutClient) apply(m *wiretest.Message) (problem string) {
	next := c.test.nextDue(c.topics, c.at)
	switch m.T {
	case "hello":
		c.Hello, c.due = *m, m.Snapshot
		c.starts = m.Resume != wire.ResumeGap
	case "q":
		switch {
		case c.due:
			return "a tick before the snapshot"
		case m.I <= c.at:
			return "a tick again"
		case m.I != next:
			return fmt.Sprintf("tick %d is lost", next)
		case m.Text != c.test.ticks[m.I-1].Text:
			return "not the tick that was published"
		}
		c.quotes[m.S], c.at = m.Text, m.I
	case "gap":
		if m.From <= c.at || m.From > next || m.Missed != m.To-m.From+1 || !m.Snapshot {
			return fmt.Sprintf("not a gap from %d", next)
		}
		c.due, c.starts, c.to = true, false, m.To
	case "subscription":
		if m.Snapshot && m.EventID != "" { // repeating the command makes good for it, so the state wouldn't show it
			return "a position before the snapshot"
		}
		if next != 0 && next <= m.I {
			return fmt.Sprintf("tick %d is lost", next)
		}
		c.due, c.starts, c.to, c.changed = m.Snapshot, false, m.I, m.Topics
	case "snapshot":
		return c.applyPart(m)
	default:
		return "unexpected"
	}
	return ""
}

func (c *cutClient) applyPart(m *wiretest.Message) (problem string) {
	c.parts = append(c.parts, *m)
	if !c.due || m.I != c.parts[0].I || m.Part != len(c.parts) || m.Parts != 3 || !c.starts && m.I != c.to {
		return "not the part of a snapshot that is due"
	}
	if m.Part < m.Parts {
		return ""
	}
	for _, part := range c.parts {
		for _, raw := range part.Quotes {
			text, _, _ := strings.Cut(string(raw), `,"o":`)
			q, err := wiretest.ParseMessage(text + "}")
			if err != nil || q.I > m.I || q.Text != c.test.ticks[q.I-1].Text {
				return "not a tick that was published: " + q.Text
			}
			c.quotes[q.S] = q.Text
		}
	}
	c.at, c.due, c.parts = m.I, false, nil
	if c.changed != nil {
		c.topics, c.changed, c.command = c.changed, nil, ""
	}
	return ""
}
