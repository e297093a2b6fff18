package market

import "ticklane/internal/quote"

const (
	dayMicros = daySeconds * 1_000_000
	maxVolume = 1<<53 - 1 // the largest integer that every reader of JSON keeps exactly
)

// day follows the figures of one symbol through the UTC days of its due times.
type Day struct {
	number                           int64 // days since 1970
	last, open, high, low, prevClose quote.Price
	volume                           int64
}

// start begins at a price that is also the close of the day before.
func (d *Day) Start(price quote.Price, due int64) {
	*d = Day{number: dayNumber(due), last: price, open: price, high: price, low: price, prevClose: price}
}

// roll begins a new day when due lies in one: it opens at the last price, with nothing traded.
func (d *Day) Roll(due int64) {
	if n := dayNumber(due); n != d.number {
		*d = Day{number: n, last: d.last, open: d.last, high: d.last, low: d.last, prevClose: d.last}
	}
}

// trade takes a trade into the day.
func (d *Day) Trade(price quote.Price, shares int64) {
	d.last = price
	d.high = max(d.high, price)
	d.low = min(d.low, price)
	d.volume = min(d.volume+shares, maxVolume)
}

// Last returns the price of the newest trade.
func (d *Day) Last() quote.Price { return d.last }

func (d *Day) Fill(t *quote.Tick) {
	t.Last, t.Open, t.High, t.Low, t.PrevClose, t.Volume = d.last, d.open, d.high, d.low, d.prevClose, d.volume
}

func dayNumber(due int64) int64 {
	n := due / dayMicros
	if due%dayMicros < 0 {
		n--
	}
	return n
}
