package wire

import (
	"encoding/json"
	"slices"
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

// IsFinished reports whether a stream with this bye reason is complete, so that the client must not reconnect.
func IsFinished(reason string) bool { return reason == ByeLimit || reason == ByeDuration }

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

// Message returns the hello.
func (h Hello) Message() Message {
	return Message{Name: "hello", ID: h.Start.String(), Retry: h.Retry, body: helloBody{
		"hello", h.Conn, h.Lane.String(), h.Engine, Epoch(h.Epoch), h.Head, h.Oldest, h.Resume, h.Mode,
		list(h.Topics), h.Heartbeat.Milliseconds(), h.Now.UnixMicro()}}
}

type helloBody struct {
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
}

func (m helloBody) appendProto(b []byte) []byte {
	b, at := beginField(b, protoHello)
	b = appendForeign(b, 1, m.Conn)
	b = appendText(b, 2, m.Lane)
	b = appendForeign(b, 3, m.Engine)
	b = appendText(b, 4, m.Epoch)
	b = appendUint(b, 5, m.Head)
	b = appendUint(b, 6, m.Oldest)
	b = appendForeign(b, 7, m.Resume)
	b = appendForeign(b, 8, m.Mode)
	b = appendEach(b, 9, m.Topics)
	b = appendInt(b, 10, m.HB)
	b = appendInt(b, 11, m.Time)
	return endField(b, at)
}

// Epoch is an epoch's text in positions and messages.
func Epoch(e uint64) string { return strconv.FormatUint(e, 16) }

// Snapshot is the newest quote of some symbols, all as of one position.
type Snapshot struct {
	At     quote.Position
	Quotes []DayQuote
}

// DayQuote is a symbol's newest tick, with its day.
type DayQuote struct {
	Ticker string
	Tick   *quote.Tick
}

// Message returns the snapshot.
func (s Snapshot) Message() Message {
	return Message{Name: "snapshot", ID: s.At.String(), body: s}
}

func (s Snapshot) appendJSON(b []byte) []byte {
	b = slices.Grow(b, 64+192*len(s.Quotes))
	b = strconv.AppendUint(append(b, `{"T":"snapshot","i":`...), s.At.Seq, 10)
	b = append(b, `,"quotes":[`...)
	for i, q := range s.Quotes {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendDayQuote(b, q.Ticker, q.Tick)
	}
	return append(b, ']', '}')
}

func (s Snapshot) appendProto(b []byte) []byte {
	b = slices.Grow(b, 64+72*len(s.Quotes))
	b, at := beginField(b, protoSnapshot)
	b = appendUint(b, 1, s.At.Seq)
	for _, q := range s.Quotes {
		b = appendProtoDay(b, q.Ticker, q.Tick)
	}
	return endField(b, at)
}

// Gap tells of ticks that a client asked for and can no longer get: From to To, both lost.
type Gap struct {
	Epoch, From, To uint64
	Reason          string
}

// Missed is the number of places in the log that were lost.
func (g Gap) Missed() uint64 { return g.To - g.From + 1 }

// Message returns the gap.
func (g Gap) Message() Message {
	return Message{Name: "gap", ID: quote.Position{Epoch: g.Epoch, Seq: g.To}.String(),
		body: gapBody{"gap", g.From, g.To, g.Missed(), g.Reason}}
}

type gapBody struct {
	T      string `json:"T"`
	From   uint64 `json:"from"`
	To     uint64 `json:"to"`
	Missed uint64 `json:"missed"`
	Reason string `json:"reason"`
}

func (m gapBody) appendProto(b []byte) []byte {
	b, at := beginField(b, protoGap)
	b = appendUint(b, 1, m.From)
	b = appendUint(b, 2, m.To)
	b = appendUint(b, 3, m.Missed)
	return endField(appendForeign(b, 4, m.Reason), at)
}

// Heartbeat says that the client has everything it asked for up to Head.
func Heartbeat(head quote.Position, now time.Time) Message {
	return Message{Name: "hb", ID: head.String(), body: heartbeatBody{now.UnixMicro(), head.Seq}}
}

type heartbeatBody struct {
	now  int64
	head uint64
}

func (m heartbeatBody) appendJSON(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"T":"hb","t":`...), m.now, 10)
	b = strconv.AppendUint(append(b, `,"head":`...), m.head, 10)
	return append(b, '}')
}

func (m heartbeatBody) appendProto(b []byte) []byte {
	b, at := beginField(b, protoHeartbeat)
	b = appendInt(b, 1, m.now)
	return endField(appendUint(b, 2, m.head), at)
}

// Bye closes a stream. Of a finished one it carries EndID; of another, when to come back (on SSE also as retry).
func Bye(reason string, retry time.Duration) Message {
	m := Message{Name: "bye", Retry: retry, body: byeBody{"bye", reason, retry.Milliseconds()}}
	if IsFinished(reason) {
		m.ID = EndID
	}
	return m
}

type byeBody struct {
	T      string `json:"T"`
	Reason string `json:"reason"`
	Retry  int64  `json:"retry"`
}

func (m byeBody) appendProto(b []byte) []byte {
	b, at := beginField(b, protoBye)
	b = appendForeign(b, 1, m.Reason)
	return endField(appendInt(b, 2, m.Retry), at)
}

// Subscription tells which topics hold from a position on; ID repeats the command's, nil for none.
func Subscription(at quote.Position, topics []string, id *int64) Message {
	return Message{Name: "subscription", ID: at.String(), body: subscriptionBody{"subscription", list(topics), at.Seq, id}}
}

type subscriptionBody struct {
	T      string   `json:"T"`
	Topics []string `json:"topics"`
	I      uint64   `json:"i"`
	ID     *int64   `json:"id,omitempty"`
}

func (m subscriptionBody) appendProto(b []byte) []byte {
	b, at := beginField(b, protoSubscription)
	b = appendEach(b, 1, m.Topics)
	b = appendUint(b, 2, m.I)
	return endField(appendID(b, 3, m.ID), at)
}

// Time answers a time request: when it was received and when the answer was sent.
func Time(received, sent time.Time, id *int64) Message {
	return Message{Name: "time", body: timeBody{"time", id, received.UnixMicro(), sent.UnixMicro()}}
}

type timeBody struct {
	T        string `json:"T"`
	ID       *int64 `json:"id,omitempty"`
	Received int64  `json:"received"`
	Sent     int64  `json:"sent"`
}

func (m timeBody) appendProto(b []byte) []byte {
	b, at := beginField(b, protoTime)
	b = appendID(b, 1, m.ID)
	b = appendInt(b, 2, m.Received)
	return endField(appendInt(b, 3, m.Sent), at)
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
