// Package batch encodes ticks with their events, in about 10 bytes a tick if the ticks before are known.
package batch

import (
	"encoding/binary"
	"fmt"

	"ticklane/internal/quote"
)

// Codec has what the encoding of a tick leaves out because it is as in the ticks before. What one has appended another reads, which
// has read the same ticks before.
type Codec struct {
	symbols       uint64       // IDs are below it
	bySymbol      []quote.Tick // the newest tick of each symbol, by ID
	due, received int64        // of the newest tick of all
	seq           uint64
}

// NewCodec returns a codec without ticks, for a number of symbols.
func NewCodec(symbols int) Codec { return Codec{symbols: uint64(symbols)} }

// What is encoded of a tick: fields that aren't as expected. The commonest have the lowest bits, so that the flags take a byte.
const (
	hasBid     = 1 << iota
	hasAsk     // the spread has changed
	hasLast    //
	hasBidSize //
	hasAskSize //
	hasVolume  //
	hasRange   // High and Low
	hasDay     // Day, Open and PrevClose
	hasReceived
	hasNumbers // N and Seq don't continue those before
	hasEvent
	isHalted
	countStarts
	endOfFlags
)

// symbol returns the newest tick of a symbol.
func (c *Codec) symbol(id quote.ID) *quote.Tick {
	for int(id) >= len(c.bySymbol) {
		c.bySymbol = append(c.bySymbol, quote.Tick{Symbol: quote.ID(len(c.bySymbol))})
	}
	return &c.bySymbol[id]
}

// Append appends a tick: as varints its symbol, the flags, the difference of its due time, and differences of the fields that the
// flags name.
func (c *Codec) Append(b []byte, t *quote.Tick, events *quote.Events) []byte {
	k := c.symbol(t.Symbol)
	event := events.Get(t.Event)
	spread := (t.Ask - t.Bid) - (k.Ask - k.Bid)
	flags := uint64(0)
	set := func(changed bool, flag uint64) {
		if changed {
			flags |= flag
		}
	}
	set(t.Bid != k.Bid, hasBid)
	set(spread != 0, hasAsk)
	set(t.Last != k.Last, hasLast)
	set(t.BidSize != k.BidSize, hasBidSize)
	set(t.AskSize != k.AskSize, hasAskSize)
	set(t.Volume != k.Volume, hasVolume)
	set(t.High != k.High || t.Low != k.Low, hasRange)
	set(t.Day != k.Day || t.Open != k.Open || t.PrevClose != k.PrevClose, hasDay)
	set(t.Received != c.received, hasReceived)
	set(t.N != k.N+1 || t.Seq != c.seq+1, hasNumbers)
	set(event != quote.Event{}, hasEvent)
	set(t.Halted, isHalted)
	set(t.CountStarts, countStarts)

	b = binary.AppendUvarint(b, uint64(t.Symbol))
	b = binary.AppendUvarint(b, flags)
	b = binary.AppendVarint(b, t.Due-c.due)
	if flags&hasBid != 0 {
		b = binary.AppendVarint(b, int64(t.Bid-k.Bid))
	}
	if flags&hasAsk != 0 {
		b = binary.AppendVarint(b, int64(spread))
	}
	if flags&hasLast != 0 {
		b = binary.AppendVarint(b, int64(t.Last-k.Last))
	}
	if flags&hasBidSize != 0 {
		b = binary.AppendVarint(b, int64(t.BidSize))
	}
	if flags&hasAskSize != 0 {
		b = binary.AppendVarint(b, int64(t.AskSize))
	}
	if flags&hasVolume != 0 {
		b = binary.AppendVarint(b, int64(t.Volume-k.Volume))
	}
	if flags&hasRange != 0 {
		b = binary.AppendVarint(b, int64(t.High-k.High))
		b = binary.AppendVarint(b, int64(t.Low-k.Low))
	}
	if flags&hasDay != 0 {
		b = binary.AppendVarint(b, int64(t.Day)-int64(k.Day))
		b = binary.AppendVarint(b, int64(t.Open-k.Open))
		b = binary.AppendVarint(b, int64(t.PrevClose-k.PrevClose))
	}
	if flags&hasReceived != 0 {
		b = binary.AppendVarint(b, t.Received-c.received)
	}
	if flags&hasNumbers != 0 {
		b = binary.AppendUvarint(b, t.N)
		b = binary.AppendUvarint(b, t.Seq)
	}
	if flags&hasEvent != 0 {
		b = appendEvent(b, &event)
	}
	c.due, c.received, c.seq, *k = t.Due, t.Received, t.Seq, *t
	return b
}

// Next reads a tick into t. Its event is stored in events, and the tick refers to it there. After an error of r the tick is
// meaningless.
func (c *Codec) Next(r *Reader, t *quote.Tick, events *quote.Events) {
	id := r.Uint()
	if id >= c.symbols {
		r.fail(fmt.Sprintf("symbol %d: want less than %d", id, c.symbols))
		return
	}
	k := c.symbol(quote.ID(id))
	flags := r.Uint()
	if flags >= endOfFlags {
		r.fail("unknown flags")
		return
	}
	*t = *k
	t.Due = c.due + r.Int()
	spread := k.Ask - k.Bid
	if flags&hasBid != 0 {
		t.Bid += quote.Price(r.Int())
	}
	if flags&hasAsk != 0 {
		spread += quote.Price(r.Int())
	}
	t.Ask = t.Bid + spread
	if flags&hasLast != 0 {
		t.Last += quote.Price(r.Int())
	}
	if flags&hasBidSize != 0 {
		t.BidSize = quote.Size(r.Int())
	}
	if flags&hasAskSize != 0 {
		t.AskSize = quote.Size(r.Int())
	}
	if flags&hasVolume != 0 {
		t.Volume += quote.Size(r.Int())
	}
	if flags&hasRange != 0 {
		t.High += quote.Price(r.Int())
		t.Low += quote.Price(r.Int())
	}
	if flags&hasDay != 0 {
		t.Day = int32(int64(t.Day) + r.Int())
		t.Open += quote.Price(r.Int())
		t.PrevClose += quote.Price(r.Int())
	}
	t.Received = c.received
	if flags&hasReceived != 0 {
		t.Received += r.Int()
	}
	t.N, t.Seq = k.N+1, c.seq+1
	if flags&hasNumbers != 0 {
		t.N, t.Seq = r.Uint(), r.Uint()
	}
	t.Event = 0
	if flags&hasEvent != 0 {
		if event := r.event(); r.err == nil {
			t.Event = events.Put(event)
		}
	}
	t.Halted, t.CountStarts = flags&isHalted != 0, flags&countStarts != 0
	c.due, c.received, c.seq, *k = t.Due, t.Received, t.Seq, *t
}
