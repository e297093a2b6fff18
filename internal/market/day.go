package market

import "ticklane/internal/quote"

const (
	dayMicros = daySeconds * 1_000_000
	maxVolume = 1<<53 - 1 // the largest integer that every JSON decoder represents exactly
)

// Day holds the figures of one symbol for the UTC day of its newest due time. The zero value must be started.
type Day struct {
	number                           int64 // days since 1970
	last, open, high, low, prevClose quote.Price
	volume                           int64
}

// Start starts the first day at a price, which is also the previous close. due is in µs since 1970.
func (d *Day) Start(price quote.Price, due int64) {
	*d = Day{number: dayNumber(due), last: price, open: price, high: price, low: price, prevClose: price}
}

// Roll starts a new day if due is in another day than before. The new day opens at the last price with no volume.
func (d *Day) Roll(due int64) {
	if n := dayNumber(due); n != d.number {
		*d = Day{number: n, last: d.last, open: d.last, high: d.last, low: d.last, prevClose: d.last}
	}
}

// Trade adds a trade.
func (d *Day) Trade(price quote.Price, shares int64) {
	d.last = price
	d.high = max(d.high, price)
	d.low = min(d.low, price)
	d.volume = min(d.volume+shares, maxVolume)
}

// Last returns the price of the last trade.
func (d *Day) Last() quote.Price { return d.last }

// Fill sets the day's figures in t.
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
