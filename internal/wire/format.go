package wire

import "ticklane/internal/quote"

// Format is how a lane's bytes look: the lane and its encoding. Ticks are rendered once for each format in use.
type Format uint8

// The formats. Formats is their number, to size arrays that are indexed by Format.
const (
	SSEJSON Format = iota
	WSJSON
	Formats
)

// Lane is the way that the format's bytes go.
func (f Format) Lane() Lane {
	if f == SSEJSON {
		return SSE
	}
	return WS
}

// String returns the format's name, for people.
func (f Format) String() string {
	if f == SSEJSON {
		return "sse json"
	}
	return "ws json"
}

// AppendTick appends one tick as its clients get it. json is its text from AppendQuote.
func (f Format) AppendTick(b []byte, epoch, seq uint64, json []byte) []byte {
	if f == WSJSON {
		b = AppendFrameHeader(b, OpText, len(json))
		return append(b, json...)
	}
	b = append(b, "id: "...)
	b = quote.Position{Epoch: epoch, Seq: seq}.AppendTo(b)
	b = append(b, "\ndata: "...)
	b = append(b, json...)
	return append(b, '\n', '\n')
}

// Append appends a message as its clients get it. On WebSocket ID and Retry have no place: the JSON text
// holds what they say.
func (f Format) Append(b []byte, m Message) []byte {
	if f == WSJSON {
		b = AppendFrameHeader(b, OpText, len(m.JSON))
		return append(b, m.JSON...)
	}
	return appendEvent(b, m)
}
