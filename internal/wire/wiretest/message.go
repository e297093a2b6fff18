package wiretest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Message is a decoded message of either lane. Fields that a message doesn't have are zero.
type Message struct {
	T, S, Conn, Lane, Engine, Epoch, Resume, Mode, Reason, Code, Msg string

	N, I, From, To, Missed, Head, Oldest uint64
	Retry, HB, Time, Received, Sent      int64
	ID                                   *int64
	Topics                               []string
	Quotes                               []json.RawMessage
	Snapshot                             bool
	Part, Parts                          int

	Text string // the JSON; of a protobuf message, the same content as JSON
	Size int    // bytes of the message in its encoding

	// Fields of the SSE event. Event is "message" if the event names no type.
	Event, EventID, EventRetry string
}

// ParseMessage reads a message from its JSON.
func ParseMessage(text string) (Message, error) {
	m := Message{Text: text}
	err := m.parse()
	return m, err
}

// parse fills the fields from Text. Ticks, of which tests read millions, are parsed by hand: T, S, N and I only.
func (m *Message) parse() error {
	if strings.HasPrefix(m.Text, `{"T":"q",`) {
		return m.parseTick()
	}
	return json.Unmarshal([]byte(m.Text), m)
}

func (m *Message) parseTick() error {
	m.T = "q"
	rest, isTick := strings.CutPrefix(m.Text, `{"T":"q","S":"`)
	m.S, rest, _ = strings.Cut(rest, `"`)
	end := strings.LastIndex(rest, `,"n":`)
	if !isTick || end < 0 || !strings.HasPrefix(rest, `,"bp":`) || !strings.HasSuffix(rest, "}") {
		return fmt.Errorf("not a tick: %s", m.Text)
	}
	n, i, ok := strings.Cut(strings.TrimSuffix(rest[end+5:], "}"), `,"i":`)
	if !ok {
		return fmt.Errorf("not a tick: %s", m.Text)
	}
	var errN, errI error
	m.N, errN = strconv.ParseUint(n, 10, 64)
	m.I, errI = strconv.ParseUint(i, 10, 64)
	return errors.Join(errN, errI)
}

// UnmarshalJSON matches member names exactly: encoding/json doesn't distinguish T from t.
func (m *Message) UnmarshalJSON(b []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	if string(all["T"]) == `"trade"` {
		delete(all, "id") // the feed's text, no number of a command
	}
	for name, field := range map[string]any{
		"T": &m.T, "S": &m.S, "conn": &m.Conn, "lane": &m.Lane, "engine": &m.Engine, "epoch": &m.Epoch, "resume": &m.Resume,
		"mode": &m.Mode, "reason": &m.Reason, "code": &m.Code, "msg": &m.Msg, "n": &m.N, "i": &m.I, "from": &m.From, "to": &m.To,
		"missed": &m.Missed, "head": &m.Head, "oldest": &m.Oldest, "retry": &m.Retry, "hb": &m.HB, "t": &m.Time,
		"received": &m.Received, "sent": &m.Sent, "id": &m.ID, "topics": &m.Topics, "quotes": &m.Quotes,
		"snapshot": &m.Snapshot, "part": &m.Part, "parts": &m.Parts,
	} {
		if raw, ok := all[name]; ok {
			if err := json.Unmarshal(raw, field); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}
