package batch

import (
	"encoding/binary"

	"ticklane/internal/quote"
)

// MaxTicks is the largest number of ticks in a batch. With the longest texts in all of them it has less than 1 MB.
const MaxTicks = 1024

// Batch is what a message of the bus contains. It can be decoded without those before it.
type Batch struct {
	FirstID     quote.ID           // of Instruments, whose IDs are consecutive
	Instruments []quote.Instrument // that are new since the batch before
	Details     []Detail           // that are new or have changed
	Progress    []Progress         // of the sequences of which there are lines
	Ticks       []quote.Tick       // with consecutive Seq, at most MaxTicks
}

// Detail is what the source of a live feed knows of an instrument besides its newest tick.
type Detail struct {
	Symbol quote.ID
	Quoted bool // bid and ask are of quotes; otherwise they are the last price
	Traded bool // the last price is of the feed; otherwise it is the middle of bid and ask
	Halted bool // trading is halted; the first tick will have that
}

// Progress is which numbers of a client's sequence of lines have come.
type Progress struct {
	Source, Subject string
	New             bool    // the sequence begins here: what was known of one with its name is void
	Ranges          []Range // in the order in which they came
}

// Range is the numbers From to To, both included.
type Range struct{ From, To uint64 }

// Empty reports whether there is nothing in the batch.
func (x *Batch) Empty() bool {
	return len(x.Instruments)+len(x.Details)+len(x.Progress)+len(x.Ticks) == 0
}

// reset empties the batch and keeps its memory.
func (x *Batch) reset() {
	x.FirstID, x.Instruments, x.Details, x.Progress, x.Ticks = 0, x.Instruments[:0], x.Details[:0], x.Progress[:0], x.Ticks[:0]
}

const version = 1

// The kinds of encoded batches.
const (
	message = iota
	state
	kinds
)

var kindNames = [kinds]string{"a message", "a state"}

// The flags of a Detail and a Progress.
const (
	isQuoted = 1 << iota
	isTraded
	halted
	endOfDetails

	isNew         = 1
	endOfProgress = 2
)

// Encoder encodes batches. It is used by one goroutine.
type Encoder struct {
	codec  Codec
	events *quote.Events
}

// NewEncoder returns an encoder of ticks that refer to events, nil for none, in a feed of at most a number of symbols.
func NewEncoder(symbols int, events *quote.Events) *Encoder {
	return &Encoder{codec: NewCodec(symbols), events: events}
}

// Append appends the encoded batch to b. The batch must be valid: see Batch.
func (e *Encoder) Append(b []byte, x *Batch) []byte { return e.append(b, x, message) }

// AppendState appends a batch that has all that a node must know of the feed at a position: all instruments of a growing universe,
// their details, the progress of all sequences, and the newest tick of each symbol, in order of ID.
func (e *Encoder) AppendState(b []byte, x *Batch) []byte { return e.append(b, x, state) }

func (e *Encoder) append(b []byte, x *Batch, kind byte) []byte {
	b = append(b, version, kind)
	b = binary.AppendUvarint(b, uint64(len(x.Instruments)))
	if len(x.Instruments) > 0 {
		b = binary.AppendUvarint(b, uint64(x.FirstID))
	}
	for i := range x.Instruments {
		b = appendInstrument(b, &x.Instruments[i])
	}
	b = binary.AppendUvarint(b, uint64(len(x.Details)))
	for _, d := range x.Details {
		b = binary.AppendUvarint(b, uint64(d.Symbol))
		b = append(b, flag(d.Quoted, isQuoted)|flag(d.Traded, isTraded)|flag(d.Halted, halted))
	}
	b = binary.AppendUvarint(b, uint64(len(x.Progress)))
	for i := range x.Progress {
		b = appendProgress(b, &x.Progress[i])
	}
	b = binary.AppendUvarint(b, uint64(len(x.Ticks)))
	for i := range x.Ticks {
		b = e.codec.Append(b, &x.Ticks[i], e.events)
	}
	e.codec.forget(x.Ticks)
	return b
}

func flag(set bool, bit byte) byte {
	if set {
		return bit
	}
	return 0
}

func appendProgress(b []byte, p *Progress) []byte {
	b = appendText(b, p.Source)
	b = appendText(b, p.Subject)
	b = append(b, flag(p.New, isNew))
	b = binary.AppendUvarint(b, uint64(len(p.Ranges)))
	after := uint64(0)
	for _, r := range p.Ranges {
		b = binary.AppendVarint(b, int64(r.From-after))
		b = binary.AppendUvarint(b, r.To-r.From)
		after = r.To
	}
	return b
}

// forget makes the codec one without ticks, after those that it has encoded or read.
func (c *Codec) forget(ticks []quote.Tick) {
	for i := range ticks {
		if id := ticks[i].Symbol; int(id) < len(c.bySymbol) {
			c.bySymbol[id] = quote.Tick{Symbol: id}
		}
	}
	c.due, c.received, c.seq = 0, 0, 0
}
