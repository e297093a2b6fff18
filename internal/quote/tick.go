package quote

// Price is an amount of US dollars in cents, so that sums and comparisons are exact.
type Price int64

// String formats the price with two decimals: "184.27", "-0.05".
func (p Price) String() string { return string(p.AppendTo(nil)) }

// AppendTo appends the price with exactly two decimals, which is a valid JSON number.
func (p Price) AppendTo(b []byte) []byte {
	if p < 0 {
		b = append(b, '-')
		p = -p
	}
	b = AppendDecimal(b, uint64(p)/100)
	c := uint64(p) % 100
	return append(b, '.', pairs[2*c], pairs[2*c+1])
}

// Dollars returns the price in dollars, for statistics and charts only: it may be rounded.
func (p Price) Dollars() float64 { return float64(p) / 100 }

// ID is a symbol's index in its Universe, 0 to Len()-1.
type ID int32

// Tick is one change of one symbol: its quote, its last trade and the figures of its day after the change. It is the unit of
// delivery.
//
// A source sets all fields except N and Seq, which the bus sets.
type Tick struct {
	Symbol           ID
	BidSize, AskSize int32 // shares
	Bid, Ask         Price
	Last             Price  // price of the newest trade
	Open, High, Low  Price  // of Last in this UTC day
	PrevClose        Price  // Last at the end of the previous UTC day
	Volume           int64  // shares traded in this UTC day
	Due              int64  // when the tick was due, not when it was sent; µs since 1970
	N                uint64 // number of the tick among those of its symbol, from 1
	Seq              uint64 // number of the tick in the log, from 1
}
