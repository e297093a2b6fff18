package market

import "ticklane/internal/quote"

const dayMicros = daySeconds * 1_000_000

// Day holds the figures of one instrument for the trading day of its newest time. The zero value must be started.
type Day struct {
	session                          *quote.Session
	trading                          quote.TradingDay
	last, open, high, low, prevClose quote.Price
	volume                           quote.Size
	filled                           bool // Fill was called
	given                            bool // the feed counts the volume
}

// Start starts the first day of an instrument with this session, nil for UTC days, at a price, which is also the previous close.
// at is in the feed's time, in µs since 1970.
func (d *Day) Start(session *quote.Session, price quote.Price, at int64) {
	d.begin(session, price, session.Day(at))
}

func (d *Day) begin(session *quote.Session, price quote.Price, trading quote.TradingDay) {
	*d = Day{session: session, trading: trading, last: price, open: price, high: price, low: price, prevClose: price, filled: d.filled, given: d.given}
}

// Resume continues the day of an instrument's newest tick, whose source ended. It returns the time in that day, in µs since 1970, that is
// nearest to the tick's: a quote that comes late is of an earlier day than the figures, a status may be of a later one.
func (d *Day) Resume(session *quote.Session, t *quote.Tick) (newest int64) {
	trading := session.Day(t.Due)
	if away := int64(t.Day) - int64(trading.Number); away != 0 {
		trading = session.Day(t.Due + away*dayMicros)
		switch { // a day in which the clock changes isn't as long as others
		case trading.Number < t.Day:
			trading = session.Day(trading.End)
		case trading.Number > t.Day:
			trading = session.Day(trading.Start - 1)
		}
	}
	*d = Day{
		session: session, trading: trading, last: t.Last, open: t.Open, high: t.High, low: t.Low, prevClose: t.PrevClose, volume: t.Volume, filled: true,
	}
	return min(max(t.Due, trading.Start), trading.End-1)
}

// Roll starts a new day if a time is in another day than before. The new day opens at the last price with no volume.
func (d *Day) Roll(at int64) {
	if !d.trading.Contains(at) {
		d.begin(d.session, d.last, d.session.Day(at))
	}
}

// Open is Roll for a feed whose own trades open the day: the new day opens at a price, and the last one before is its previous close.
func (d *Day) Open(price quote.Price, at int64) {
	if !d.trading.Contains(at) {
		last := d.last
		d.begin(d.session, price, d.session.Day(at))
		d.prevClose = last
	}
}

// Trade adds a trade.
func (d *Day) Trade(price quote.Price, size quote.Size) {
	d.last = price
	d.high = max(d.high, price)
	d.low = min(d.low, price)
	d.volume = min(d.volume+size, quote.MaxUnits)
}

// SetVolume sets the volume of the day, for feeds that count it themselves.
func (d *Day) SetVolume(volume quote.Size) { d.volume, d.given = volume, true }

// Last returns the price of the last trade.
func (d *Day) Last() quote.Price { return d.last }

// Fill sets the day's figures in t.
func (d *Day) Fill(t *quote.Tick) {
	t.Day = d.trading.Number
	t.Last, t.Open, t.High, t.Low, t.PrevClose, t.Volume = d.last, d.open, d.high, d.low, d.prevClose, d.volume
	t.CountStarts = !d.filled && !d.given
	d.filled = true
}

func dayNumber(due int64) int64 {
	n := due / dayMicros
	if due%dayMicros < 0 {
		n--
	}
	return n
}
