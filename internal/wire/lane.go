package wire

import "time"

// Lane is a way to a client.
type Lane uint8

// The lanes. Lanes is their number, to size arrays that are indexed by Lane.
const (
	SSE Lane = iota
	WS
	Lanes
)

// String returns the lane's name in messages, URLs and metrics.
func (l Lane) String() string {
	if l == SSE {
		return "sse"
	}
	return "ws"
}

// EndID is the SSE id of a finished stream's bye. A client that returns with it as Last-Event-ID gets 204.
const EndID = "end"

// MaxTick bounds what one rendered tick takes in any format, in bytes.
const MaxTick = 384

// Message is one message other than a tick, ready to be encoded and framed.
type Message struct {
	Name  string        // the SSE event name; the T of the JSON object
	ID    string        // the SSE id; empty for none
	Retry time.Duration // SSE's reconnection time; 0 for none
	body  body
}

// body is what a message says. Its JSON is that of encoding/json, or its own when it is a jsonBody.
type body interface {
	// appendProto appends a whole Message of docs/ticklane.v1.proto.
	appendProto(b []byte) []byte
}

type jsonBody interface {
	appendJSON(b []byte) []byte
}

// JSON returns the message as a JSON object.
func (m Message) JSON() []byte { return m.appendJSON(nil) }

func (m Message) appendJSON(b []byte) []byte {
	if own, ok := m.body.(jsonBody); ok {
		return own.appendJSON(b)
	}
	return append(b, marshal(m.body)...)
}
