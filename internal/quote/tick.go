package quote

import "time"

// ID is an instrument's index in its Universe, 0 to Len()-1.
type ID int32

// Tick is one change of one instrument: its quote, its last trade and the figures of its day after the change. It is the unit of
// delivery.
//
// A source sets all fields except N and Seq, which the bus sets.
type Tick struct {
	Symbol           ID
	Day              int32 // TradingDay.Number of the day that the figures belong to
	BidSize, AskSize Size
	Bid, Ask         Price
	Last             Price  // price of the newest trade
	Open, High, Low  Price  // of Last in this day
	PrevClose        Price  // Last at the end of the previous day
	Volume           Size   // traded in this day
	Due              int64  // when the tick was due, not when it was sent; µs since 1970
	Received         int64  // when the tick was received, µs since 1970; 0 from sources that make their ticks here
	Event            uint64 // number of what the tick reports besides its quote in the Events of its source; 0 for nothing
	N                uint64 // number of the tick among those of its instrument, from 1
	Seq              uint64 // number of the tick in the log, from 1
	Halted           bool   // trading in the instrument is halted since this tick or an earlier one
	CountStarts      bool   // the source counts Volume from 0 since this tick, so all of it is new
}

// Micros returns a time in µs since 1970, 0 for the zero time.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
