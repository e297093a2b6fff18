package wire

import (
	"google.golang.org/protobuf/encoding/protowire"

	"ticklane/internal/quote"
)

// Field numbers of Message in docs/ticklane.v1.proto. Those inside the messages are literals at the calls below.
const (
	protoQuote protowire.Number = iota + 1
	protoHello
	protoSnapshot
	protoGap
	protoHeartbeat
	protoBye
	protoSubscription
	protoTime
	protoError
	protoStatus
	protoTrade
	protoBar
	protoAuth
)

// appendProtoTick appends the Message of a tick. The first one of a symbol has its decimals: no snapshot may have had them.
func appendProtoTick(b []byte, in *quote.Instrument, t *quote.Tick) []byte {
	b, at := beginField(b, protoQuote)
	b = appendProtoQuote(b, in, t)
	if t.N == 1 {
		b = appendDecimals(b, in, 15)
	}
	return endField(appendReceived(b, t), at)
}

// appendProtoDay appends one quote of a snapshot, with its day's open, high and low, the previous close, and the decimals of
// its instrument unless they are the usual ones.
func appendProtoDay(b []byte, in *quote.Instrument, t *quote.Tick) []byte {
	b, at := beginField(b, 2)
	b = appendProtoQuote(b, in, t)
	b = appendRelative(b, 11, t.Open, t.Bid)
	b = appendRelative(b, 12, t.High, t.Bid)
	b = appendRelative(b, 13, t.Low, t.Bid)
	b = appendRelative(b, 14, t.PrevClose, t.Bid)
	b = appendDecimals(b, in, 15)
	if t.Halted {
		b = appendText(b, 18, quote.StateHalted)
	}
	return endField(appendReceived(b, t), at)
}

// appendDecimals appends the decimals of an instrument that are not the default, those of sizes as the field after num.
func appendDecimals(b []byte, in *quote.Instrument, num protowire.Number) []byte {
	if in.Decimals != defaultDecimals {
		b = appendOptional(b, num, uint64(in.Decimals))
	}
	if in.SizeDecimals != 0 {
		b = appendOptional(b, num+1, uint64(in.SizeDecimals))
	}
	return b
}

// defaultDecimals are the decimals of prices where a snapshot has none.
const defaultDecimals = 2

func appendProtoQuote(b []byte, in *quote.Instrument, t *quote.Tick) []byte {
	b = appendText(b, 1, in.Symbol)
	b = appendInt(b, 2, int64(t.Bid))
	b = appendInt(b, 3, int64(t.BidSize))
	b = appendRelative(b, 4, t.Ask, t.Bid)
	b = appendInt(b, 5, int64(t.AskSize))
	b = appendRelative(b, 6, t.Last, t.Bid)
	b = appendInt(b, 7, int64(t.Volume))
	b = appendInt(b, 8, t.Due)
	b = appendUint(b, 9, t.N)
	return appendUint(b, 10, t.Seq)
}

// appendReceived appends when a tick was received, as the time since it was due.
func appendReceived(b []byte, t *quote.Tick) []byte {
	if t.Received == 0 {
		return b
	}
	return appendOptional(b, 17, protowire.EncodeZigZag(t.Received-t.Due))
}

// beginField appends the tag of a length-delimited field and one byte for its length, which endField sets once the content
// is appended. endField moves the content if the length takes more than that byte.
func beginField(b []byte, num protowire.Number) ([]byte, int) {
	b = append(protowire.AppendTag(b, num, protowire.BytesType), 0)
	return b, len(b)
}

func endField(b []byte, at int) []byte {
	n := len(b) - at
	if n < 0x80 {
		b[at-1] = byte(n)
		return b
	}
	more := protowire.SizeVarint(uint64(n)) - 1
	b = append(b, make([]byte, more)...)
	copy(b[at+more:], b[at:at+n])
	protowire.AppendVarint(b[:at-1], uint64(n))
	return b
}

// In proto3 a field that is 0 or empty is left out.

func appendUint(b []byte, num protowire.Number, v uint64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), v)
}

func appendInt(b []byte, num protowire.Number, v int64) []byte { return appendUint(b, num, uint64(v)) }

func appendBool(b []byte, num protowire.Number, v bool) []byte {
	return appendUint(b, num, protowire.EncodeBool(v))
}

// appendRelative appends a price as its difference to the bid, in units. Encoder and decoder count modulo 2⁶⁴, so no difference
// overflows.
func appendRelative(b []byte, num protowire.Number, p, bid quote.Price) []byte {
	return appendUint(b, num, protowire.EncodeZigZag(int64(p-bid)))
}

func appendText(b []byte, num protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, num, protowire.BytesType), s)
}

// appendClientText appends a text that may come from a client. Invalid UTF-8 becomes U+FFFD, as in encoding/json, since
// decoders reject a message with invalid UTF-8.
func appendClientText(b []byte, num protowire.Number, s string) []byte {
	return appendText(b, num, string([]rune(s)))
}

// appendTexts appends a repeated text field. Unlike a single text, an empty element is written.
func appendTexts(b []byte, num protowire.Number, list []string) []byte {
	for _, s := range list {
		b = protowire.AppendString(protowire.AppendTag(b, num, protowire.BytesType), string([]rune(s)))
	}
	return b
}

// appendID appends an optional field: an id of 0 is written.
func appendID(b []byte, num protowire.Number, id *int64) []byte {
	if id == nil {
		return b
	}
	return appendOptional(b, num, uint64(*id))
}

// appendOptional appends an optional field that is present, even if it is 0.
func appendOptional(b []byte, num protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), v)
}
