package market

import (
	"fmt"
	"math"

	"ticklane/internal/quote"
)

// Resume lets the market go on where another one of the same options ended: from the newest tick of each symbol, with its figures of
// the day. Run then publishes opening quotes only of the symbols that have none. The market stands still from the newest tick to the
// call of Run. The random numbers depend on the seed and the largest Seq, so they are not those with which the market began.
//
// Of a tick without a bid only the last price is known: the symbol opens a day at it.
//
// Call Resume before Run, instead of Warm. After it Run may be called again. The error is of a symbol that the market doesn't have.
func (s *Simulator) Resume(newest []quote.Tick) error {
	seq := uint64(0)
	for i := range newest {
		if id := newest[i].Symbol; id < 0 || int(id) >= s.universe.Len() {
			return fmt.Errorf("resume the market: there is a tick of symbol %d, but market.symbols is %d: start it with the same settings", id+1, s.universe.Len())
		}
		seq = max(seq, newest[i].Seq)
	}
	m := newModel(s.universe, s.options.Seed^seq*0xD1342543DE82EF95, s.options.DayShape)
	for i := range newest {
		m.stocks[newest[i].Symbol].resume(&newest[i])
	}
	s.model = m
	return nil
}

// resume sets the state of a symbol to that after a tick.
func (k *stock) resume(t *quote.Tick) {
	if t.Bid == 0 {
		k.day.Start(nil, t.Last, 0)
		k.start(t.Last.Float(0))
		return
	}
	k.day.Resume(nil, t)
	k.start(t.Bid.Float(0)/2 + t.Ask.Float(0)/2)
	k.bid, k.ask, k.quoted = t.Bid, t.Ask, true
	if t.Last == t.Bid {
		k.side = -1
	}
}

// start sets the price of a symbol in cents, with a new quote.
func (k *stock) start(cents float64) {
	k.logPrice = math.Log(max(1, cents) / k.reference)
	k.measure()
	k.quote()
}
