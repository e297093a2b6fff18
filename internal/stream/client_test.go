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

	"ticklane/internal/wire"
	"ticklane/internal/wire/wiretest"
)

// message is a message as a client decodes it, in any format.
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

	text        string // the JSON, or what the protobuf message is in JSON
	size        int    // bytes in its encoding
	id          string // SSE only, as are the next two
	event       string
	retry       string
	Snapshot    bool
	Part, Parts int
}

type tickQ struct {
	S string
	N uint64 `json:"n"`
	I uint64 `json:"i"`
}

// client decodes a subscriber's bytes as a client of its format does.
type client struct {
	*Subscriber
	t      testing.TB
	opt    Options
	format wire.Format
	in     []byte // not yet decoded
	inflater
}

// newClient subscribes. The caller must Close the subscriber.
func newClient(t testing.TB, l *Log, opt Options) *client {
	opt = offerCompression(l, opt)
	return &client{Subscriber: l.Subscribe(opt), t: t, opt: opt, format: opt.Format}
}

// subscribe subscribes until the end of the test.
func subscribe(t testing.TB, l *Log, opt Options) *client {
	c := newClient(t, l, opt)
	t.Cleanup(c.Close)
	return c
}

// take calls Next until it returns nothing, and decodes the bytes. It waits for snapshots that are being rendered.
func (c *client) take(now time.Time) []message {
	var got []message
	for b := c.Next(now); len(b) > 0 || c.awaiting; b = c.Next(now) {
		got = append(got, c.decode(b)...)
		if c.awaiting {
			<-c.notifyCh
		}
	}
	if len(c.in) > 0 {
		c.t.Helper()
		c.t.Fatalf("half a message at the end: %q", c.in)
	}
	return got
}

// decode adds bytes, and returns the messages that they complete.
func (c *client) decode(b []byte) (got []message) {
	c.in = append(c.in, c.inflateSSE(c, b)...)
	rest := c.in
	for {
		var m message
		var n int
		if c.format == wire.SSEJSON {
			m, n = c.decodeEvent(rest)
		} else {
			m, n = c.decodeFrame(rest)
		}
		if n == 0 {
			c.in = append(c.in[:0], rest...)
			return got
		}
		rest = rest[n:]
		if err := parse(&m); err != nil {
			c.t.Helper()
			c.t.Fatalf("%v: %s", err, m.text)
		}
		got = append(got, m)
	}
}

// decodeEvent decodes one SSE event. Every line must be one of the known fields, once, and not empty. n is 0 when the event
// isn't complete.
func (c *client) decodeEvent(b []byte) (m message, n int) {
	end := bytes.Index(b, []byte("\n\n"))
	if end < 0 {
		return m, 0
	}
	for line := range strings.SplitSeq(string(b[:end]), "\n") {
		field, value, ok := strings.Cut(line, ": ")
		var into *string
		switch field {
		case "event":
			into = &m.event
		case "id":
			into = &m.id
		case "retry":
			into = &m.retry
		case "data":
			into = &m.text
		}
		if !ok || into == nil || *into != "" || value == "" {
			c.t.Fatalf("line %q in %q", line, b[:end])
		}
		*into = value
	}
	m.size = len(m.text)
	return m, end + 2
}

// decodeFrame decodes one WebSocket frame. n is 0 when the frame isn't complete.
func (c *client) decodeFrame(b []byte) (m message, n int) {
	r := bytes.NewReader(b)
	h, err := ws.ReadHeader(r)
	if err != nil || int64(r.Len()) < h.Length {
		return m, 0
	}
	op := ws.OpText
	if c.format == wire.WSProto {
		op = ws.OpBinary
	}
	const rsv1 = 4 // compressed, RFC 7692 §6
	if !h.Fin || h.OpCode != op || h.Masked || h.Rsv != 0 && h.Rsv != rsv1 {
		c.t.Fatalf("frame %+v", h)
	}
	at := len(b) - r.Len()
	body := b[at : at+int(h.Length)]
	if h.Rsv != 0 {
		body = c.inflate(c, append(slices.Clone(body), 0, 0, 0xff, 0xff), c.opt.Compress == CompressPerMessage)
	}
	m.size = len(body)
	if m.text = string(body); c.format == wire.WSProto {
		if m.text, err = wiretest.Text(body); err != nil {
			c.t.Fatal(err)
		}
	}
	return m, at + int(h.Length)
}

// parse fills the message from its text. Ticks are parsed by hand, because there are so many.
func parse(m *message) error {
	if rest, tick := strings.CutPrefix(m.text, `{"T":"q","S":"`); tick {
		m.T = "q"
		m.S, rest, _ = strings.Cut(rest, `"`)
		rest, tail, ok := strings.Cut(rest, `,"n":`)
		n, i, ok2 := strings.Cut(strings.TrimSuffix(tail, "}"), `,"i":`)
		if !ok || !ok2 || !strings.HasPrefix(rest, `,"bp":`) {
			return errors.New("not a tick")
		}
		var err, err2 error
		m.N, err = strconv.ParseUint(n, 10, 64)
		m.I, err2 = strconv.ParseUint(i, 10, 64)
		return errors.Join(err, err2)
	}
	for _, kind := range []string{"trade", "status"} { // which have members that differ in case only
		if !strings.HasPrefix(m.text, `{"T":"`+kind+`",`) {
			continue
		}
		m.T = kind
		if _, i, ok := strings.Cut(strings.TrimSuffix(m.text, "}"), `,"i":`); ok {
			var err error
			m.I, err = strconv.ParseUint(i, 10, 64)
			return err
		}
		return nil
	}
	return json.Unmarshal([]byte(m.text), m)
}

// kinds returns the messages' T, and runs of ticks as one with their number.
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

// kindsWithoutCounts returns the messages' T, and runs of ticks as one.
func kindsWithoutCounts(got []message) string {
	var all []string
	for _, m := range got {
		if len(all) == 0 || m.T != "q" || all[len(all)-1] != "q" {
			all = append(all, m.T)
		}
	}
	return strings.Join(all, " ")
}
