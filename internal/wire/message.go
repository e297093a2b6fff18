package wire

import (
	"encoding/json"
	"strconv"
	"time"

	"ticklane/internal/quote"
)

// Values of hello's resume.
const (
	ResumeNone     = "none"
	ResumeComplete = "complete"
	ResumeGap      = "gap"
	ResumeReset    = "reset"
)

// Reasons of a gap.
const (
	GapExpired   = "expired"   // the client came back with a position that has left the log
	GapLag       = "lag"       // a live client fell behind
	GapConflated = "conflated" // a live client fell behind and is conflated from now on
)

// Reasons of a bye.
const (
	ByeLimit    = "limit"
	ByeDuration = "duration"
	ByeShutdown = "shutdown"
	ByeSlow     = "slow"
	ByeOverload = "overload"
)

// Finished tells whether a stream that ended for this reason is complete, so that nobody should come back.
func Finished(reason string) bool { return reason == ByeLimit || reason == ByeDuration }

// Hello opens every stream.
type Hello struct {
	Conn      string // the secret that names this stream in POST /sse/connections/{conn}
	Lane      Lane
	Engine    string
	Epoch     uint64
	Head      uint64
	Oldest    uint64
	Resume    string
	Mode      string
	Topics    []string
	Heartbeat time.Duration
	Now       time.Time
	Start     quote.Position // where the stream starts: the SSE id
	Retry     time.Duration  // SSE's reconnection time
}

// Message renders the hello.
func (h Hello) Message() Message {
	return Message{Name: "hello", ID: h.Start.String(), Retry: h.Retry, JSON: marshal(struct {
		T      string   `json:"T"`
		Conn   string   `json:"conn"`
		Lane   string   `json:"lane"`
		Engine string   `json:"engine"`
		Epoch  string   `json:"epoch"`
		Head   uint64   `json:"head"`
		Oldest uint64   `json:"oldest"`
		Resume string   `json:"resume"`
		Mode   string   `json:"mode"`
		Topics []string `json:"topics"`
		HB     int64    `json:"hb"`
		Time   int64    `json:"t"`
	}{"hello", h.Conn, h.Lane.String(), h.Engine, Epoch(h.Epoch), h.Head, h.Oldest, h.Resume, h.Mode,
		list(h.Topics), h.Heartbeat.Milliseconds(), h.Now.UnixMicro()})}
}

// Epoch is an epoch's text in positions and messages.
func Epoch(e uint64) string { return strconv.FormatUint(e, 16) }

// Snapshot is the newest quote of some symbols, all as of one position.
type Snapshot struct {
	At     quote.Position
	Quotes []byte // AppendDayQuote's texts with commas between
}

// Message renders the snapshot.
func (s Snapshot) Message() Message {
	b := make([]byte, 0, len(s.Quotes)+64)
	b = strconv.AppendUint(append(b, `{"T":"snapshot","i":`...), s.At.Seq, 10)
	b = append(append(b, `,"quotes":[`...), s.Quotes...)
	return Message{Name: "snapshot", ID: s.At.String(), JSON: append(b, ']', '}')}
}

// Gap tells of ticks that a client asked for and can no longer get: From to To, both lost.
type Gap struct {
	Epoch, From, To uint64
	Reason          string
}

// Missed is the number of places in the log that were lost.
func (g Gap) Missed() uint64 { return g.To - g.From + 1 }

// Message renders the gap.
func (g Gap) Message() Message {
	return Message{Name: "gap", ID: quote.Position{Epoch: g.Epoch, Seq: g.To}.String(), JSON: marshal(struct {
		T      string `json:"T"`
		From   uint64 `json:"from"`
		To     uint64 `json:"to"`
		Missed uint64 `json:"missed"`
		Reason string `json:"reason"`
	}{"gap", g.From, g.To, g.Missed(), g.Reason})}
}

// Heartbeat says that the client has everything it asked for up to Head.
func Heartbeat(head quote.Position, now time.Time) Message {
	b := strconv.AppendInt([]byte(`{"T":"hb","t":`), now.UnixMicro(), 10)
	b = strconv.AppendUint(append(b, `,"head":`...), head.Seq, 10)
	return Message{Name: "hb", ID: head.String(), JSON: append(b, '}')}
}

// Bye closes a stream. Of a finished one it carries EndID; of another, when to come back (on SSE also as retry).
func Bye(reason string, retry time.Duration) Message {
	m := Message{Name: "bye", Retry: retry, JSON: marshal(struct {
		T      string `json:"T"`
		Reason string `json:"reason"`
		Retry  int64  `json:"retry"`
	}{"bye", reason, retry.Milliseconds()})}
	if Finished(reason) {
		m.ID = EndID
	}
	return m
}

// Subscription tells which topics hold from a position on; ID repeats the command's, nil for none.
func Subscription(at quote.Position, topics []string, id *int64) Message {
	return Message{Name: "subscription", ID: at.String(), JSON: marshal(struct {
		T      string   `json:"T"`
		Topics []string `json:"topics"`
		I      uint64   `json:"i"`
		ID     *int64   `json:"id,omitempty"`
	}{"subscription", list(topics), at.Seq, id})}
}

// Time answers a time request: when it was received and when the answer was sent.
func Time(received, sent time.Time, id *int64) Message {
	return Message{Name: "time", JSON: marshal(struct {
		T        string `json:"T"`
		ID       *int64 `json:"id,omitempty"`
		Received int64  `json:"received"`
		Sent     int64  `json:"sent"`
	}{"time", id, received.UnixMicro(), sent.UnixMicro()})}
}

// list keeps an empty list from becoming null.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// marshal renders our own flat structs, which can't fail.
func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("wire: " + err.Error())
	}
	return b
}
