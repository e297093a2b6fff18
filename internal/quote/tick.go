package quote

// Price is an amount of US dollars in cents, so that sums and comparisons are exact.
type Price int64

// String formats the price with two decimals, as the wire does: "184.27", "-0.05".
func (p Price) String() string { return string(p.AppendTo(nil)) }

// AppendTo appends the price with exactly two decimals, a valid JSON number.
func (p Price) AppendTo(b []byte) []byte {
	if p < 0 {
		b = append(b, '-')
		p = -p
	}
	b = AppendDecimal(b, uint64(p)/100)
	c := uint64(p) % 100
	return append(b, '.', pairs[2*c], pairs[2*c+1])
}

// Dollars returns the price as a float, for statistics and charts only.
func (p Price) Dollars() float64 { return float64(p) / 100 }

// ID is a symbol's index in its Universe, 0 to Len()-1.
type ID int32

// Tick is one change of one symbol: the whole quote with the last trade and the figures of the day
// as they are after it. It is the unit of delivery.
//
// A source fills everything but N and Seq, which the bus gives.
type Tick struct {
	Symbol           ID
	BidSize, AskSize int32 // shares
	Bid, Ask         Price
	Last             Price // of the newest trade
	Open, High, Low  Price // of the last price, in this UTC day
	PrevClose        Price // the last price of the day before
	Volume           int64 // shares traded in this UTC day
	Due              int64 // when the tick was due, µs since 1970; never when it was sent
	N                uint64
	Seq              uint64
}
