package wire

import (
	"slices"

	"ticklane/internal/quote"
)

// Encoding is how a message's own bytes look, before the lane's framing.
type Encoding uint8

// The encodings. Encodings is their number, to size arrays that are indexed by Encoding.
const (
	JSON  Encoding = iota
	Proto          // docs/ticklane.v1.proto
	Encodings
)

// String returns the encoding's name in lists.
func (e Encoding) String() string {
	if e == Proto {
		return "protobuf"
	}
	return "json"
}

// AppendQuote appends the whole message of a tick.
func (e Encoding) AppendQuote(b []byte, ticker string, t *quote.Tick) []byte {
	if e == Proto {
		return appendProtoTick(b, ticker, t)
	}
	return AppendQuote(b, ticker, t)
}

// Format is how a lane's bytes look: the lane and its encoding. Ticks are rendered once for each format in use.
type Format uint8

// The formats. Formats is their number, to size arrays that are indexed by Format.
const (
	SSEJSON Format = iota
	WSJSON
	WSProto
	Formats
)

// Lane is the way that the format's bytes go.
func (f Format) Lane() Lane {
	if f == SSEJSON {
		return SSE
	}
	return WS
}

// Encoding is that of the format's messages.
func (f Format) Encoding() Encoding {
	if f == WSProto {
		return Proto
	}
	return JSON
}

// String returns the format's name, for people.
func (f Format) String() string { return f.Lane().String() + " " + f.Encoding().String() }

func (f Format) opcode() byte {
	if f == WSProto {
		return OpBinary
	}
	return OpText
}

// AppendTick appends one tick as its clients get it. body is the tick's message in the format's encoding.
func (f Format) AppendTick(b []byte, epoch, seq uint64, body []byte) []byte {
	if f.Lane() == WS {
		b = AppendFrameHeader(b, f.opcode(), len(body))
		return append(b, body...)
	}
	b = append(b, "id: "...)
	b = quote.Position{Epoch: epoch, Seq: seq}.AppendTo(b)
	b = append(b, "\ndata: "...)
	b = append(b, body...)
	return append(b, '\n', '\n')
}

// Append appends a message as its clients get it, and tells how many bytes it takes in its encoding, without the lane's
// framing. On WebSocket ID and Retry have no place: the message's body holds what they say.
func (f Format) Append(b []byte, m Message) (framed []byte, payload int) {
	if f.Lane() == SSE {
		return appendEvent(b, m)
	}
	at := len(b)
	if f.Encoding() == Proto {
		b = m.body.appendProto(b)
	} else {
		b = m.appendJSON(b)
	}
	payload = len(b) - at
	var head [MaxFrameHeader]byte
	return slices.Insert(b, at, AppendFrameHeader(head[:0], f.opcode(), payload)...), payload
}
