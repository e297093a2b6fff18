package delay

import (
	"encoding/binary"

	"ticklane/internal/quote"
)

// codec has what the encoding of a tick leaves out because it is as in the tick before it. The line's appends, each outlet's reads.
type codec struct {
	bySymbol      []quote.Tick // the newest tick of each symbol, by ID
	due, received int64        // of the newest tick of all
	seq           uint64
}

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
)

// symbol returns the newest tick of a symbol.
func (c *codec) symbol(id quote.ID) *quote.Tick {
	for int(id) >= len(c.bySymbol) {
		c.bySymbol = append(c.bySymbol, quote.Tick{Symbol: quote.ID(len(c.bySymbol))})
	}
	return &c.bySymbol[id]
}

// append appends a tick: as varints its symbol, the flags, the difference of its due time, and differences of the fields that the
// flags name.
func (c *codec) append(b []byte, t *quote.Tick, events *quote.Events) []byte {
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

// next reads a tick into t. Its event is stored in events, and the tick refers to it there.
func (c *codec) next(r *reader, t *quote.Tick, events *quote.Events) {
	k := c.symbol(quote.ID(r.uint()))
	flags := r.uint()
	*t = *k
	t.Due = c.due + r.int()
	spread := k.Ask - k.Bid
	if flags&hasBid != 0 {
		t.Bid += quote.Price(r.int())
	}
	if flags&hasAsk != 0 {
		spread += quote.Price(r.int())
	}
	t.Ask = t.Bid + spread
	if flags&hasLast != 0 {
		t.Last += quote.Price(r.int())
	}
	if flags&hasBidSize != 0 {
		t.BidSize = quote.Size(r.int())
	}
	if flags&hasAskSize != 0 {
		t.AskSize = quote.Size(r.int())
	}
	if flags&hasVolume != 0 {
		t.Volume += quote.Size(r.int())
	}
	if flags&hasRange != 0 {
		t.High += quote.Price(r.int())
		t.Low += quote.Price(r.int())
	}
	if flags&hasDay != 0 {
		t.Day = int32(int64(t.Day) + r.int())
		t.Open += quote.Price(r.int())
		t.PrevClose += quote.Price(r.int())
	}
	t.Received = c.received
	if flags&hasReceived != 0 {
		t.Received += r.int()
	}
	t.N, t.Seq = k.N+1, c.seq+1
	if flags&hasNumbers != 0 {
		t.N, t.Seq = r.uint(), r.uint()
	}
	t.Event = 0
	if flags&hasEvent != 0 {
		t.Event = events.Put(r.event())
	}
	t.Halted, t.CountStarts = flags&isHalted != 0, flags&countStarts != 0
	c.due, c.received, c.seq, *k = t.Due, t.Received, t.Seq, *t
}

// reader reads the fields of records, which this package has written.
type reader struct{ rest []byte }

func (r *reader) int() int64 {
	v, n := binary.Varint(r.rest)
	r.rest = r.rest[n:]
	return v
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.rest)
	r.rest = r.rest[n:]
	return v
}
