package replay

import (
	"container/heap"
	"context"
	"errors"
	"io"
	"math"

	"ticklane/internal/market"
	"ticklane/internal/quote"
)

// pending is one tick of a row that isn't published yet.
type pending struct {
	at     int64 // µs since 1970 in the file's time
	n      int   // number in the order of the file
	from   entry
	last   quote.Price
	traded bool       // the tick has a last price
	size   quote.Size // traded
}

// queue is a heap of pending ticks, the earliest first. The bars of many symbols overlap.
type queue []pending

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, k int) bool {
	return q[i].at < q[k].at || q[i].at == q[k].at && q[i].n < q[k].n
}
func (q queue) Swap(i, k int) { q[i], q[k] = q[k], q[i] }

// Push and Pop complete heap.Interface. They aren't used: package heap would allocate memory for each tick.
func (q *queue) Push(any) {}
func (q *queue) Pop() any { return nil }

func (q *queue) add(t pending) {
	*q = append(*q, t)
	heap.Fix(q, len(*q)-1)
}

// next removes the earliest tick and returns it.
func (q *queue) next() pending {
	first, last := (*q)[0], len(*q)-1
	(*q)[0] = (*q)[last]
	*q = (*q)[:last]
	if last > 0 {
		heap.Fix(q, 0)
	}
	return first
}

// playback is the market.Sequence of a file's ticks.
type playback struct {
	ctx   context.Context
	scan  *scan
	speed float64 // MaxSpeed if ticks are due when they are read
	loop  bool
	base  int64 // µs since 1970 at which the earliest row of this pass is due
	now   int64

	rows    rows // nil between passes
	ahead   entry
	more    bool // ahead is the next row
	waiting queue
	n       int
	symbols []symbolState
	events  *quote.Events // nil if the file has no trades
	err     error
}

// symbolState is the state of one symbol.
type symbolState struct {
	instrument *quote.Instrument
	day        market.Day
	started    bool // day is
	number     int32
	dayVolume  quote.Size // the newest of the file
}

func newPlayback(ctx context.Context, s *scan, o Options, start int64) *playback {
	p := &playback{ctx: ctx, scan: s, speed: o.Speed, loop: o.Loop, base: start, symbols: make([]symbolState, s.universe.Len())}
	for i := range p.symbols {
		p.symbols[i].instrument = s.universe.Instrument(quote.ID(i))
	}
	return p
}

// Turn keeps the time from going back, since it is the due time at MaxSpeed.
func (p *playback) Turn(now int64) { p.now = max(p.now, now) }

func (p *playback) Shift(by int64) {
	p.base += by
	p.now += min(by, 0) // the clock was set back, and the next call of Turn is after it
}

func (p *playback) Due() (int64, bool) {
	if !p.fill() {
		return 0, false
	}
	if math.IsInf(p.speed, 1) {
		return p.now, true
	}
	return p.base + p.scale(p.waiting[0].at-p.scan.first), true
}

// scale returns how long a duration of the file takes at this speed, both in µs.
func (p *playback) scale(length int64) int64 {
	const longest = 1 << 61
	return int64(min(float64(length)/p.speed, longest))
}

// fill reads rows until the earliest tick is in waiting. It returns false at the end of the file and on an error.
func (p *playback) fill() bool {
	for p.err == nil {
		switch {
		case len(p.waiting) > 0 && (!p.more || p.ahead.at >= p.waiting[0].at):
			return true
		case p.more:
			p.split()
			p.read()
		case p.rows == nil:
			p.begin()
			p.read()
		case p.loop:
			p.rows = nil
			p.base += p.scale(p.scan.last - p.scan.first + p.scan.length())
		default:
			return false
		}
	}
	return false
}

// begin starts a pass. The days start anew, since the file's time goes back.
func (p *playback) begin() {
	for i := range p.symbols {
		p.symbols[i].started = false
	}
	if p.scan.sorted != nil {
		p.rows, p.err = openSorted(p.scan)
	} else {
		p.rows, p.err = openRows(p.ctx, p.scan)
	}
}

// read reads the next row into ahead.
func (p *playback) read() {
	if p.err != nil {
		return
	}
	err := p.rows.next(&p.ahead)
	p.more = err == nil
	if err != nil && !errors.Is(err, io.EOF) {
		p.err = err
	}
}

// split converts the row ahead into ticks.
func (p *playback) split() {
	r := &p.ahead
	volume := r.sizeOf(colVolume)
	if !p.scan.layout.bars {
		p.push(pending{at: r.at, from: *r, last: r.price(colLast), traded: r.hasValue(colLast), size: volume})
		return
	}
	prices := [4]column{colOpen, colLow, colHigh, colClose}
	if r.price(colClose) < r.price(colOpen) {
		prices[1], prices[2] = colHigh, colLow
	}
	quarter, part := p.scan.length()/4, volume/4
	for i, col := range prices {
		size := part
		if i == 3 {
			size = volume - 3*part
		}
		p.push(pending{at: r.at + int64(i)*quarter, from: *r, last: r.price(col), traded: true, size: size})
	}
}

// push adds a tick to waiting.
func (p *playback) push(t pending) {
	t.n = p.n
	p.n++
	p.waiting.add(t)
}

func (p *playback) Next(tick *quote.Tick) {
	due, _ := p.Due()
	t := p.waiting.next()
	r := &t.from
	s := &p.symbols[r.id]
	bid, ask := s.quotes(&t)
	if !s.started {
		s.started = true
		s.dayVolume = 0
		price := t.last
		if !t.traded {
			price = (bid + ask) / 2
		}
		s.day.Start(s.instrument.Session, price, r.at)
		s.number = s.instrument.Session.Day(r.at).Number
	}
	if t.traded {
		s.day.Open(t.last, r.at) // a bar is in the day in which it starts
	} else {
		s.day.Roll(r.at)
	}
	if r.hasValue(colDayVolume) {
		t.size = s.traded(r)
	}
	if !t.traded {
		t.last = s.day.Last()
	}
	s.day.Trade(t.last, t.size)
	*tick = quote.Tick{
		Symbol: r.id, Due: due, Bid: bid, Ask: ask, BidSize: r.sizeOf(colBidSize), AskSize: r.sizeOf(colAskSize),
	}
	s.day.Fill(tick)
	if r.hasValue(colDayVolume) {
		tick.CountStarts = false
	}
	if size := r.sizeOf(colVolume); p.events != nil && t.traded && size > 0 {
		tick.Event = p.events.Put(quote.Event{Trade: &quote.Trade{Price: t.last, Size: size, ID: r.text(colTradeID), Venue: r.text(colVenue)}})
	}
}

// traded returns the size traded since the row before, from the volume of the day. A smaller one starts a new day of the file, and
// so does another day.
func (s *symbolState) traded(r *entry) quote.Size {
	volume := r.sizeOf(colDayVolume)
	if n := s.instrument.Session.Day(r.at).Number; n != s.number {
		s.number, s.dayVolume = n, 0
	}
	size := volume - s.dayVolume
	if size < 0 {
		size = volume
	}
	s.dayVolume = volume
	return size
}

// quotes returns bid and ask, with defaults for those that the row doesn't have: the bid is the last price, the ask is one
// step of the price above the bid.
func (s *symbolState) quotes(t *pending) (bid, ask quote.Price) {
	step := max(1, s.instrument.TickSize)
	bid, ask = t.from.price(colBid), t.from.price(colAsk)
	hasBid, hasAsk := t.from.hasValue(colBid), t.from.hasValue(colAsk)
	switch {
	case !hasBid && !hasAsk:
		return t.last, t.last + step
	case !hasBid && s.instrument.Negative:
		return ask - step, ask
	case !hasBid:
		return max(1, ask-step), ask
	case !hasAsk:
		return bid, bid + step
	}
	return bid, ask
}
