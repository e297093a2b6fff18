package replay

import (
	"cmp"
	"container/heap"
	"errors"
	"io"
	"math"

	"ticklane/internal/market"
	"ticklane/internal/quote"
)

// pending is one tick of a row that isn't published yet.
type pending struct {
	at   int64 // µs since 1970 in the file's time
	n    int   // number in the order of the file
	from row
	last quote.Price // 0 if the row has only a quote
	size quote.Size  // shares traded
}

// queue is a heap of pending ticks, the earliest first. The bars of many symbols overlap.
type queue []pending

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, k int) bool {
	return q[i].at < q[k].at || q[i].at == q[k].at && q[i].n < q[k].n
}
func (q queue) Swap(i, k int) { q[i], q[k] = q[k], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(pending)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// defaultSize is the size of a bid or ask if the row has none, in shares.
const defaultSize = 100

// playback is the market.Sequence of a file's ticks.
type playback struct {
	scan  *scan
	speed float64 // MaxSpeed if ticks are due when they are read
	loop  bool
	base  int64 // µs since 1970 at which the earliest row of this pass is due
	now   int64

	rows    rows // nil between passes
	ahead   row  // the next row, if more
	more    bool
	waiting queue
	n       int
	symbols []symbolState
	err     error
}

// symbolState is the state of one symbol.
type symbolState struct {
	day       market.Day
	started   bool       // day is
	dayVolume quote.Size // the newest of the file
}

func newPlayback(s *scan, o Options, start int64) *playback {
	return &playback{scan: s, speed: o.Speed, loop: o.Loop, base: start, symbols: make([]symbolState, s.universe.Len())}
}

func (p *playback) close() {
	if p.rows != nil {
		p.rows.close()
		p.rows = nil
	}
}

func (p *playback) Turn(now int64) { p.now = now }

func (p *playback) Shift(by int64) { p.base += by }

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
func (p *playback) scale(length int64) int64 { return int64(float64(length) / p.speed) }

// fill reads rows until the earliest tick is in waiting. It returns false at the end of the file and on an error.
func (p *playback) fill() bool {
	for p.err == nil {
		switch {
		case len(p.waiting) > 0 && (!p.more || p.ahead.at > p.waiting[0].at):
			return true
		case p.more:
			p.split()
			p.read()
		case p.rows == nil:
			p.begin()
			p.read()
		case p.loop:
			p.close()
			p.base += p.scale(p.scan.last - p.scan.first + p.scan.length())
		default:
			return false
		}
	}
	return false
}

// begin starts a pass.
func (p *playback) begin() {
	for i := range p.symbols {
		p.symbols[i].dayVolume = 0
	}
	if p.scan.sorted != nil {
		p.rows = &sortedRows{rest: p.scan.sorted}
		return
	}
	rows, err := openRows(p.scan)
	if err != nil {
		p.err = err
		return
	}
	p.rows = rows
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
	r := p.ahead
	if !p.scan.bars {
		p.push(pending{at: r.at, from: r, last: r.last, size: r.volume})
		return
	}
	prices := [4]quote.Price{r.open, r.low, r.high, r.last}
	if r.last < r.open {
		prices[1], prices[2] = r.high, r.low
	}
	quarter, part := p.scan.length()/4, r.volume/4
	for i, price := range prices {
		size := part
		if i == 3 {
			size = r.volume - 3*part
		}
		p.push(pending{at: r.at + int64(i)*quarter, from: r, last: price, size: size})
	}
}

// push adds a tick to waiting.
func (p *playback) push(t pending) {
	t.n = p.n
	p.n++
	heap.Push(&p.waiting, t)
}

func (p *playback) Next(tick *quote.Tick) {
	due, _ := p.Due()
	t := heap.Pop(&p.waiting).(pending)
	r := &t.from
	s := &p.symbols[r.id]
	bid, ask := quotes(r.bid, r.ask, t.last)
	if !s.started {
		s.started = true
		price := t.last
		if price == 0 {
			price = (bid + ask) / 2
		}
		s.day.Start(nil, price, due)
	}
	s.day.Roll(due)
	if r.dayVolume >= 0 {
		t.size = r.dayVolume - s.dayVolume
		if t.size < 0 { // the file's day has changed
			t.size = r.dayVolume
		}
		s.dayVolume = r.dayVolume
	}
	if t.last == 0 {
		t.last = s.day.Last()
	}
	s.day.Trade(t.last, t.size)
	*tick = quote.Tick{
		Symbol: r.id, Due: due, Bid: bid, Ask: ask,
		BidSize: cmp.Or(r.bidSize, defaultSize), AskSize: cmp.Or(r.askSize, defaultSize),
	}
	s.day.Fill(tick)
}

// quotes returns bid and ask, with defaults for those that the row doesn't have: the bid is the last price, the ask is one
// cent above the bid.
func quotes(bid, ask, last quote.Price) (quote.Price, quote.Price) {
	switch {
	case bid == 0 && ask == 0:
		return last, last + 1
	case bid == 0:
		return max(1, ask-1), ask
	case ask == 0:
		return bid, bid + 1
	}
	return bid, ask
}
