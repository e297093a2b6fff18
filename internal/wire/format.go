package wire

import (
	"slices"

	"ticklane/internal/quote"
)

// Lane is one of the two transports to a client.
type Lane uint8

// The lanes. Lanes is their number, for arrays indexed by Lane.
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

// Encoding is the encoding of a message inside the lane's framing.
type Encoding uint8

// The encodings. Encodings is their number, for arrays indexed by Encoding.
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

// AppendQuote appends the message of a tick.
func (e Encoding) AppendQuote(b []byte, in *quote.Instrument, t *quote.Tick) []byte {
	if e == Proto {
		return appendProtoTick(b, in, t)
	}
	return AppendQuote(b, in, t)
}

// Format is a lane with an encoding and channels. Ticks are rendered once for each format in use.
type Format uint8

// The formats of quotes alone, and their number; With adds channels.
const (
	SSEJSON Format = iota
	WSJSON
	WSProto
	Formats
)

// AllFormats is the number of formats with any channels, for arrays indexed by Format.
const AllFormats = Formats * Format(allChannels+1)

// Channels are the kinds of messages besides quotes that a stream carries, as bits.
type Channels uint8

// The channels.
const (
	Trades   Channels = 1 << iota // trades, each right before the quote of its tick
	Statuses                      // changes of trading status, likewise, and of the whole feed
	Bars                          // bars of a minute, each before the tick that ended it

	allChannels = Trades | Statuses | Bars
)

// With returns the format with these channels.
func (f Format) With(c Channels) Format { return f.basic() + Formats*Format(c) }

// Has reports whether the format has a channel.
func (f Format) Has(c Channels) bool { return Channels(f/Formats)&c != 0 }

func (f Format) basic() Format { return f % Formats }

// MaxTick is the maximum size of a rendered tick in any format, in bytes, without its bar, trade and status, which have at most
// MaxEvents.
const (
	MaxTick   = 384
	MaxEvents = 4096
)

// Lane returns the format's lane.
func (f Format) Lane() Lane {
	if f.basic() == SSEJSON {
		return SSE
	}
	return WS
}

// Encoding returns the format's encoding.
func (f Format) Encoding() Encoding {
	if f.basic() == WSProto {
		return Proto
	}
	return JSON
}

// String returns the format's name for logs and test output.
func (f Format) String() string { return f.Lane().String() + " " + f.Encoding().String() }

func (f Format) opcode() byte {
	if f.basic() == WSProto {
		return OpBinary
	}
	return OpText
}

// AppendTick appends one framed tick. body is the tick's message in the format's encoding.
func (f Format) AppendTick(b []byte, epoch, seq uint64, body []byte) []byte {
	if f.Lane() == WS {
		b = AppendFrameHeader(b, f.opcode(), len(body))
		return append(b, body...)
	}
	b = append(b, "data: "...)
	b = append(b, body...)
	b = append(b, "\nid: "...)
	b = quote.Position{Epoch: epoch, Seq: seq}.AppendTo(b)
	return append(b, '\n', '\n')
}

// AppendEvents appends the framed messages of a tick's event, for which the format has channels. They go
// before the tick: its position then covers them. payload is the number of bytes inside the framing.
func (f Format) AppendEvents(b []byte, in *quote.Instrument, t *quote.Tick, event quote.Event) (framed []byte, payload int) {
	n := 0
	if event.Bar != nil && f.Has(Bars) {
		b, n = f.Append(b, barMessage(in, t, event.Bar))
		payload += n
	}
	if event.Status != nil && f.Has(Statuses) {
		b, n = f.Append(b, statusMessage(in, t, event.Status))
		payload += n
	}
	if event.Trade != nil && f.Has(Trades) {
		b, n = f.Append(b, tradeMessage(in, t, event.Trade))
		payload += n
	}
	return b, payload
}

// Append appends a framed message. payload is the number of bytes inside the lane's framing. On WebSocket the message's ID
// and Retry are not written: the body has both.
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
	var header [maxFrameHeader]byte
	return slices.Insert(b, at, AppendFrameHeader(header[:0], f.opcode(), payload)...), payload
}
