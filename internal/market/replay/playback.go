package replay

import (
	"container/heap"
	"errors"
	"io"
	"math"

	"ticklane/internal/market"
	"ticklane/internal/quote"
)

// rows are those of one pass through a file, in order of time; next returns io.EOF after the last.
type rows interface {
	next(*row) error
	close()
}

// trace is one tick to come, of a file's row.
type trace struct {
	at   int64 // µs since 1970, the file's time
	n    int   // in order of the file
	from row
	last quote.Price // 0 when the row has only a quote
	size int64       // shares
}

// traces is a heap of them, the earliest first: bars of many symbols overlap.
type traces []trace

func (q traces) Len() int { return len(q) }
func (q traces) Less(i, k int) bool {
	return q[i].at < q[k].at || q[i].at == q[k].at && q[i].n < q[k].n
}
func (q traces) Swap(i, k int) { q[i], q[k] = q[k], q[i] }
func (q *traces) Push(x any)   { *q = append(*q, x.(trace)) }
func (q *traces) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// defaultSize is the size of a bid or ask whose file has none, in shares.
const defaultSize = 100

// playback is the sequence of a file's ticks.
type playback struct {
	scan  *scan
	speed float64 // +Inf is as fast as they are taken
	loop  bool
	base  int64 // µs since 1970 at which the first row of this pass is due
	now   int64

	rows    rows // nil before a pass
	ahead   row  // the next row
	more    bool // ahead holds one
	waiting traces
	n       int
	symbols []played
	err     error
}

// played is the state of one symbol.
type played struct {
	day       market.Day
	known     bool
	dayVolume int64 // as the file tells it
}

func newPlayback(s *scan, o Options, start int64) *playback {
	return &playback{scan: s, speed: o.Speed, loop: o.Loop, base: start, symbols: make([]played, s.universe.Len())}
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
	return p.base + p.after(p.waiting[0].at-p.scan.first), true
}

// after is how long a time of the file takes, both in µs.
func (p *playback) after(length int64) int64 { return int64(float64(length) / p.speed) }

// fill makes sure that the earliest tick is waiting. It returns false at the end, and on an error.
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
			p.base += p.after(p.scan.last - p.scan.first + p.scan.length())
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

// split turns the row ahead into ticks.
func (p *playback) split() {
	r := p.ahead
	if !p.scan.bars {
		p.wait(trace{at: r.at, from: r, last: r.last, size: r.volume})
		return
	}
	path := [4]quote.Price{r.open, r.low, r.high, r.last}
	if r.last < r.open {
		path[1], path[2] = r.high, r.low
	}
	quarter, part := p.scan.length()/4, r.volume/4
	for i, price := range path {
		size := part
		if i == 3 {
			size = r.volume - 3*part
		}
		p.wait(trace{at: r.at + int64(i)*quarter, from: r, last: price, size: size})
	}
}

func (p *playback) wait(t trace) {
	t.n = p.n
	p.n++
	heap.Push(&p.waiting, t)
}

func (p *playback) Next(tick *quote.Tick) {
	due, _ := p.Due()
	t := heap.Pop(&p.waiting).(trace)
	r := &t.from
	s := &p.symbols[r.id]
	bid, ask := quotes(r.bid, r.ask, t.last)
	if !s.known {
		s.known = true
		price := t.last
		if price == 0 {
			price = (bid + ask) / 2
		}
		s.day.Start(price, due)
	}
	s.day.Roll(due)
	if r.dayVolume >= 0 {
		t.size = r.dayVolume - s.dayVolume
		if t.size < 0 { // a new day of the file
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
		BidSize: sizeOr(r.bidSize), AskSize: sizeOr(r.askSize),
	}
	s.day.Fill(tick)
}

// quotes fills in what a row doesn't say: the last price is the bid, and the ask is one cent above.
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

func sizeOr(size int32) int32 {
	if size == 0 {
		return defaultSize
	}
	return size
}
