package market

import (
	"math"
	"math/rand/v2"
	"time"

	"ticklane/internal/quote"
)

// pastStream is the first part of the model for stream that the past days use.
const pastStream = 1 << 33

// Days simulates the days before that in which Warm begins, back from the price at which it begins: with those from then to now they are
// n. Without a warm-up there is no past. Each tick has the symbol and the figures of a whole UTC day; it is due at the day's start. A
// symbol's days are in order. Call Days before Warm. sink must not keep its slice.
//
// A day's return has the shares of market, sector and symbol that the ticks have. Its high and low are those of a Brownian bridge
// from the open to the close, the volume is what the symbol trades in a day at the market's rate.
func (s *Simulator) Days(now time.Time, n int, sink func([]quote.Tick)) {
	today := dayNumber(now.Add(-s.options.Warmup).UnixMicro())
	n -= int(dayNumber(now.UnixMicro())-today) + 1
	if s.options.Warmup == 0 || n < 1 {
		return
	}
	m, seed := s.model, s.options.Seed
	common := func(part uint64) []float64 {
		draw, moves := stream(seed, pastStream+part), make([]float64, n)
		for d := range moves {
			moves[d] = student(draw)
		}
		return moves
	}
	market := common(0)
	sectors := make([][]float64, len(m.sectors))
	for i := range sectors {
		sectors[i] = common(1 + uint64(i))
	}
	days := make([]quote.Tick, n)
	for id := range m.stocks {
		k, draw := &m.stocks[id], stream(seed, 2*pastStream+uint64(id))
		weight := 1 / float64(len(m.stocks))
		if !s.steady() {
			weight = k.weight
		}
		shares := daySeconds * s.Rate() * weight * tradeShare * lot * meanLots(k.sizes/3)
		after := 0.0 // log of the close/reference
		for d := n - 1; d >= 0; d-- {
			move := k.volatility * (marketWeight*market[d] + sectorWeight*sectors[k.sector][d] + ownWeight*student(draw))
			before := after - move
			high, low := bridge(before, after, k.volatility, draw)
			tick := &days[d]
			*tick = quote.Tick{
				Symbol: quote.ID(id), Day: int32(today - int64(n-d)), Due: (today - int64(n-d)) * dayMicros,
				Open: k.price(before), High: k.price(high), Low: k.price(low), Last: k.price(after), PrevClose: k.price(before),
			}
			busy := math.Exp(0.25*draw.NormFloat64()) * (0.7 + 0.4*math.Abs(move)/k.volatility)
			tick.Volume = min(lot*quote.Size(shares*busy/lot), quote.MaxUnits)
			after = before
		}
		sink(days)
	}
}

// bridge draws the highest and the lowest value of a Brownian bridge from a to b with a standard deviation.
func bridge(a, b, deviation float64, r *rand.Rand) (high, low float64) {
	reach := func() float64 { return math.Sqrt((b-a)*(b-a) + 2*deviation*deviation*r.ExpFloat64()) }
	return (a + b + reach()) / 2, (a + b - reach()) / 2
}

// price returns the price at a log of price/reference, at least a cent.
func (k *stock) price(log float64) quote.Price {
	return max(1, quote.Price(math.Round(k.reference*math.Exp(log))))
}

// meanLots returns the mean size of a trade, given the scale of its geometric draw beyond one lot.
func meanLots(scale float64) float64 {
	if scale == 0 {
		return 1
	}
	return 1 + 1/math.Expm1(1/scale)
}
