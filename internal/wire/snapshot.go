package wire

import (
	"slices"
	"strconv"

	"ticklane/internal/quote"
)

// Snapshot holds the newest quote of each symbol as of one position, or a part of that.
type Snapshot struct {
	At     quote.Position
	Part   int // 1 to Parts; 0 if the snapshot is one message
	Parts  int
	Quotes []DayQuote
}

// DayQuote is the newest tick of a symbol, to be sent with the figures of its day.
type DayQuote struct {
	Instrument *quote.Instrument
	Tick       *quote.Tick
}

const (
	jsonDaySize  = 192 // bytes of a DayQuote, roughly
	protoDaySize = 72
	partHeadSize = 96 // bytes of a part besides its quotes, at most
)

// Split returns the snapshot in parts, each with at least one quote. Their messages have at most chunk bytes in encoding e,
// unless a single quote has more. The parts share the memory of s.Quotes.
func (s Snapshot) Split(e Encoding, chunk int) []Snapshot {
	var parts []Snapshot
	var scratch []byte
	first, size := 0, partHeadSize
	for i, q := range s.Quotes {
		scratch = e.appendDay(scratch[:0], q)
		if n := len(scratch) + 1; size+n > chunk && i > first {
			parts = append(parts, Snapshot{At: s.At, Quotes: s.Quotes[first:i]})
			first, size = i, partHeadSize
		}
		size += len(scratch) + 1
	}
	if len(parts) == 0 {
		return []Snapshot{s}
	}
	parts = append(parts, Snapshot{At: s.At, Quotes: s.Quotes[first:]})
	for i := range parts {
		parts[i].Part, parts[i].Parts = i+1, len(parts)
	}
	return parts
}

func (e Encoding) appendDay(b []byte, q DayQuote) []byte {
	if e == Proto {
		return appendProtoDay(b, q.Instrument, q.Tick)
	}
	return appendDayQuote(b, q.Instrument, q.Tick)
}

// Message returns the snapshot or part. Only the last part has an id, because the state is complete only with it.
func (s Snapshot) Message() Message {
	return Message{Name: "snapshot", ID: idUnless(s.Part < s.Parts, s.At), body: s}
}

func (s Snapshot) appendJSON(b []byte) []byte {
	b = slices.Grow(b, partHeadSize+jsonDaySize*len(s.Quotes))
	b = strconv.AppendUint(append(b, `{"T":"snapshot","i":`...), s.At.Seq, 10)
	if s.Parts > 0 {
		b = strconv.AppendInt(append(b, `,"part":`...), int64(s.Part), 10)
		b = strconv.AppendInt(append(b, `,"parts":`...), int64(s.Parts), 10)
	}
	b = append(b, `,"quotes":[`...)
	for i, q := range s.Quotes {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendDayQuote(b, q.Instrument, q.Tick)
	}
	return append(b, ']', '}')
}

func (s Snapshot) appendProto(b []byte) []byte {
	b = slices.Grow(b, partHeadSize+protoDaySize*len(s.Quotes))
	b, at := beginField(b, protoSnapshot)
	b = appendUint(b, 1, s.At.Seq)
	b = appendUint(b, 3, uint64(s.Part))
	b = appendUint(b, 4, uint64(s.Parts))
	for _, q := range s.Quotes {
		b = appendProtoDay(b, q.Instrument, q.Tick)
	}
	return endField(b, at)
}
