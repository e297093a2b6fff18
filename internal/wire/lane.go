package wire

import (
	"time"

	"ticklane/internal/quote"
)

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

// MaxTick bounds what one rendered tick takes on any lane, in bytes.
const MaxTick = 384

// Message is one message other than a tick, ready to be framed for a lane.
type Message struct {
	Name  string        // the SSE event name; the T of the JSON object
	ID    string        // the SSE id; empty for none
	Retry time.Duration // SSE's reconnection time; 0 for none
	JSON  []byte
}

// AppendTick appends one tick as the lane carries it. json is its text from AppendQuote.
func (l Lane) AppendTick(b []byte, epoch, seq uint64, json []byte) []byte {
	if l == WS {
		b = AppendFrameHeader(b, OpText, len(json))
		return append(b, json...)
	}
	b = append(b, "id: "...)
	b = quote.Position{Epoch: epoch, Seq: seq}.AppendTo(b)
	b = append(b, "\ndata: "...)
	b = append(b, json...)
	return append(b, '\n', '\n')
}

// Append appends a message as the lane carries it. On WebSocket ID and Retry have no place: the JSON text
// holds what they say.
func (l Lane) Append(b []byte, m Message) []byte {
	if l == WS {
		b = AppendFrameHeader(b, OpText, len(m.JSON))
		return append(b, m.JSON...)
	}
	return appendEvent(b, m)
}
