package wire

import (
	"strconv"
	"time"

	"ticklane/internal/quote"
)

// Message is a message other than a tick, ready to be encoded and framed.
type Message struct {
	Name  string        // the SSE event name and the T of the JSON object
	ID    string        // the SSE id; empty for none
	Retry time.Duration // SSE's reconnection time; 0 for none
	body  body
}

// body is the content of a message. encoding/json encodes it, unless it is a jsonBody.
type body interface {
	// appendProto appends a complete Message of docs/ticklane.v1.proto.
	appendProto(b []byte) []byte
}

type jsonBody interface {
	appendJSON(b []byte) []byte
}

// JSON returns the message as a JSON object.
func (m Message) JSON() []byte { return m.appendJSON(nil) }

func (m Message) appendJSON(b []byte) []byte {
	if j, ok := m.body.(jsonBody); ok {
		return j.appendJSON(b)
	}
	return append(b, marshal(m.body)...)
}

// Values of hello's resume.
const (
	ResumeNone     = "none"
	ResumeComplete = "complete"
	ResumeGap      = "gap"
	ResumeReset    = "reset"
)

// Reasons of a gap.
const (
	GapExpired   = "expired"   // the client resumed from a position that has left the log
	GapLag       = "lag"       // the client fell behind
	GapConflated = "conflated" // the client fell behind and is conflated from now on
)

// Reasons of a bye.
const (
	ByeLimit    = "limit"
	ByeDuration = "duration"
	ByeShutdown = "shutdown"
	ByeSlow     = "slow"
	ByeOverload = "overload"

	ByeExpired      = "expired"      // the client's credential
	ByeRevoked      = "revoked"      // the same
	ByeUnauthorized = "unauthorized" // the client sent no credential in time
)

// IsFinished reports whether a stream with this bye reason is complete, so that the client must not reconnect.
func IsFinished(reason string) bool { return reason == ByeLimit || reason == ByeDuration }

// IsFinal reports whether a client must not reconnect by itself after a bye with this reason.
func IsFinal(reason string) bool { return IsFinished(reason) || reason == ByeRevoked }

// Hello is the first message of every stream.
type Hello struct {
	Conn      string // the secret id of this stream for POST /sse/connections/{conn}
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
	Start     quote.Position // position before the first tick; the SSE id, unless a snapshot follows
	Snapshot  bool           // a snapshot follows; no message has a position before its last part
	Retry     time.Duration  // SSE's reconnection time
	Expires   time.Time      // of the client's credential; zero for never
	Delay     time.Duration  // how far the stream is behind the feed
	Narrowed  bool           // "*" stands for less than all symbols
}

// Message returns the hello.
func (h Hello) Message() Message {
	return Message{Name: "hello", ID: idUnless(h.Snapshot, h.Start), Retry: h.Retry, body: helloBody{
		"hello", h.Conn, h.Lane.String(), h.Engine, Epoch(h.Epoch), h.Head, h.Oldest, h.Resume, h.Mode,
		list(h.Topics), h.Heartbeat.Milliseconds(), h.Now.UnixMicro(), h.Snapshot,
		quote.Micros(h.Expires), h.Delay.Milliseconds(), h.Narrowed}}
}

// idUnless returns the id of a message with position p, or "" if a snapshot follows: the client has the state at p only
// after the whole snapshot.
func idUnless(snapshot bool, p quote.Position) string {
	if snapshot {
		return ""
	}
	return p.String()
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

	Snapshot bool  `json:"snapshot,omitempty"`
	Expires  int64 `json:"expires,omitempty"`
	Delay    int64 `json:"delay,omitempty"`
	Narrowed bool  `json:"narrowed,omitempty"`
}

func (m helloBody) appendProto(b []byte) []byte {
	b, at := beginField(b, protoHello)
	b = appendClientText(b, 1, m.Conn)
	b = appendText(b, 2, m.Lane)
	b = appendClientText(b, 3, m.Engine)
	b = appendText(b, 4, m.Epoch)
	b = appendUint(b, 5, m.Head)
	b = appendUint(b, 6, m.Oldest)
	b = appendClientText(b, 7, m.Resume)
	b = appendClientText(b, 8, m.Mode)
	b = appendTexts(b, 9, m.Topics)
	b = appendInt(b, 10, m.HB)
	b = appendInt(b, 11, m.Time)
	b = appendBool(b, 12, m.Snapshot)
	b = appendInt(b, 13, m.Expires)
	b = appendInt(b, 14, m.Delay)
	return endField(appendBool(b, 15, m.Narrowed), at)
}

// Epoch returns the hexadecimal text of an epoch, as in positions and messages.
func Epoch(e uint64) string { return strconv.FormatUint(e, 16) }

// Gap reports that the ticks From to To, inclusive, are lost to a client.
type Gap struct {
	Epoch, From, To uint64
	Reason          string
	Snapshot        bool // a snapshot as of To follows
}

// Missed returns the number of lost positions.
func (g Gap) Missed() uint64 { return g.To - g.From + 1 }

// Message returns the gap.
func (g Gap) Message() Message {
	return Message{Name: "gap", ID: idUnless(g.Snapshot, quote.Position{Epoch: g.Epoch, Seq: g.To}),
		body: gapBody{"gap", g.From, g.To, g.Missed(), g.Reason, g.Snapshot}}
}

type gapBody struct {
	T      string `json:"T"`
	From   uint64 `json:"from"`
	To     uint64 `json:"to"`
	Missed uint64 `json:"missed"`
	Reason string `json:"reason"`

	Snapshot bool `json:"snapshot,omitempty"`
}

func (m gapBody) appendProto(b []byte) []byte {
	b, at := beginField(b, protoGap)
	b = appendUint(b, 1, m.From)
	b = appendUint(b, 2, m.To)
	b = appendUint(b, 3, m.Missed)
	b = appendClientText(b, 4, m.Reason)
	return endField(appendBool(b, 5, m.Snapshot), at)
}

// Heartbeat returns the message that the client has received everything in its topics up to head.
func Heartbeat(head quote.Position, now time.Time) Message {
	return Message{Name: "hb", ID: head.String(), body: heartbeatBody{now: now.UnixMicro(), head: head.Seq}}
}

// HeartbeatBeforeSnapshot returns a heartbeat without a position, for a client that waits for a snapshot.
func HeartbeatBeforeSnapshot(now time.Time) Message {
	return Message{Name: "hb", body: heartbeatBody{now: now.UnixMicro(), noHead: true}}
}

type heartbeatBody struct {
	now  int64
	head uint64

	noHead bool
}

func (m heartbeatBody) appendJSON(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"T":"hb","t":`...), m.now, 10)
	if !m.noHead {
		b = strconv.AppendUint(append(b, `,"head":`...), m.head, 10)
	}
	return append(b, '}')
}

func (m heartbeatBody) appendProto(b []byte) []byte {
	b, at := beginField(b, protoHeartbeat)
	b = appendInt(b, 1, m.now)
	return endField(appendUint(b, 2, m.head), at)
}

// Bye returns the last message of a stream; retry is how long the client waits before it reconnects (on SSE also the retry
// field). If the stream is finished, its id is EndID. The retry field of a final bye is long: some clients of SSE reconnect even after
// the 204 that a request with EndID gets.
func Bye(reason string, retry time.Duration) Message {
	m := Message{Name: "bye", Retry: retry, body: byeBody{"bye", reason, retry.Milliseconds()}}
	if IsFinished(reason) {
		m.ID = EndID
	}
	if IsFinal(reason) {
		m.Retry = finalRetry
	}
	return m
}

// finalRetry is the retry field of a final bye.
const finalRetry = 24 * time.Hour

type byeBody struct {
	T      string `json:"T"`
	Reason string `json:"reason"`
	Retry  int64  `json:"retry"`
}

func (m byeBody) appendProto(b []byte) []byte {
	b, at := beginField(b, protoBye)
	b = appendClientText(b, 1, m.Reason)
	return endField(appendInt(b, 2, m.Retry), at)
}

// Subscription reports that topics are in effect after a position.
type Subscription struct {
	At       quote.Position
	Topics   []string
	ID       *int64 // the command's, nil if it had none
	Snapshot bool   // a snapshot of the added topics follows
	Narrowed bool   // "*" stands for less than all symbols
}

// Message returns the subscription.
func (s Subscription) Message() Message {
	return Message{Name: "subscription", ID: idUnless(s.Snapshot, s.At),
		body: subscriptionBody{"subscription", list(s.Topics), s.At.Seq, s.ID, s.Snapshot, s.Narrowed}}
}

type subscriptionBody struct {
	T      string   `json:"T"`
	Topics []string `json:"topics"`
	I      uint64   `json:"i"`
	ID     *int64   `json:"id,omitempty"`

	Snapshot bool `json:"snapshot,omitempty"`
	Narrowed bool `json:"narrowed,omitempty"`
}

func (m subscriptionBody) appendProto(b []byte) []byte {
	b, at := beginField(b, protoSubscription)
	b = appendTexts(b, 1, m.Topics)
	b = appendUint(b, 2, m.I)
	b = appendID(b, 3, m.ID)
	return endField(appendBool(appendBool(b, 4, m.Snapshot), 5, m.Narrowed), at)
}

// Time returns the answer to a time command, with the times at which the command was received and the answer sent. id is
// the command's, nil if it had none.
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

// list returns s, which encodes as [] even if it is nil.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
