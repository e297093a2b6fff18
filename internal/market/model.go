package market

import (
	"math"
	"math/rand/v2"

	"ticklane/internal/quote"
)

// Shares of the market, the sector and the symbol itself in a symbol's variance.
const (
	marketShare = 0.30
	sectorShare = 0.15
	ownShare    = 0.55
)

const (
	gridPerSecond   = 10      // factors move on a grid of 100 ms
	spreadShare     = 0.00012 // mean of the spread beyond its one cent, as a share of the price
	tradeShare      = 0.15    // share of the ticks that are trades
	sidePersistence = 0.7     // share of the trades at the same side as the one before
	lotDollars      = 30_000  // mean value of a quote's size
	lot             = 100     // shares
)

// Parts of the model for stream. Those of the symbols are their IDs.
const (
	marketStream = 1 << 32
	sectorStream = 1<<32 + 1
)

var (
	marketWeight = math.Sqrt(marketShare)
	sectorWeight = math.Sqrt(sectorShare)
	ownWeight    = math.Sqrt(ownShare)
)

// factor is the common movement of many symbols, with its own volatility.
type factor struct {
	sum        float64 // of all steps so far, in daily standard deviations
	volatility volatility
	draw       *rand.Rand
}

func newFactor(seed, part uint64) factor {
	f := factor{draw: stream(seed, part)}
	f.volatility.start(f.draw)
	return f
}

// stock is the state of one symbol.
type stock struct {
	arrivals hawkes
	draw     *rand.Rand
	sector   int
	weight   float64 // share of the market's ticks; the sum is 1

	reference  float64 // cents
	volatility float64 // standard deviation of a day's log return
	logPrice   float64 // log of price/reference
	own        volatility
	measured   float64 // model time of own, whole s
	moved      float64 // model time of logPrice, s
	market     float64 // sum of the market's factor at moved
	sectorSum  float64 // sum of the sector's factor at moved

	spread   float64 // scale of the geometric draw beyond one cent
	sizes    float64 // scale of the geometric draw of a quote's lots beyond one
	side     int64   // of the last trade: 1 at the ask, −1 at the bid
	bid, ask quote.Price
	quoted   bool // needs no opening quote
	day      Day
}

// model generates the ticks one by one, at model times in seconds. It doesn't use a clock.
type model struct {
	universe *quote.Universe
	origin   int64 // µs since 1970 at model time 0
	day      shape

	market  factor
	sectors []factor
	grid    int64 // steps of the factors so far

	stocks []stock
	queue  arrivals
	time   float64 // of the newest tick

	steady bool
	first  float64 // model time of tick 0 of a steady market, s
	rate   float64 // ticks/s
	count  int64   // ticks so far of a steady market

	thinning float64 // ticks that each tick stands for: 1, or more in a past that Warm simulates with fewer
	weighted bool    // in such a past, the ticks that it stands for depend on the symbol and the time of day
}

// newModel returns a model with all symbols at their reference prices at model time 0. The caller must call place and restart
// before the first tick.
func newModel(u *quote.Universe, seed uint64, dayShape bool) *model {
	m := &model{
		universe: u, day: shape{on: dayShape}, market: newFactor(seed, marketStream),
		thinning: 1, stocks: make([]stock, u.Len()),
	}
	sectors := make(map[string]int)
	for i, name := range u.Sectors() {
		sectors[name] = i
		m.sectors = append(m.sectors, newFactor(seed, sectorStream+uint64(i)))
	}
	sum := 0.0
	for i, s := range u.Instruments() {
		k := &m.stocks[i]
		k.draw = stream(seed, uint64(i))
		k.sector = sectors[s.Sector]
		k.weight = math.Sqrt(max(s.Value, 1))
		k.reference = float64(s.Price)
		k.volatility = s.Volatility
		k.own.start(k.draw)
		k.sizes = lotDollars / s.Price.Float(s.Decimals) / lot
		k.side = 1
		k.day.Start(nil, s.Price, 0)
		k.measure()
		k.quote()
		sum += k.weight
	}
	for i := range m.stocks {
		m.stocks[i].weight /= sum
	}
	return m
}

// place sets the time of model time 0, in µs since 1970. It moves the due times of all remaining ticks.
func (m *model) place(origin int64) {
	m.origin = origin
	m.day.start = float64(origin-dayNumber(origin)*dayMicros) / 1e6
}

// restart draws new arrivals from model time t on, at a rate in ticks/s. A Hawkes market starts with average excitement.
func (m *model) restart(t, rate float64, steady bool) {
	m.steady, m.rate, m.first, m.count = steady, rate, t, 0
	if steady {
		return
	}
	m.queue = m.queue[:0]
	for i := range m.stocks {
		k := &m.stocks[i]
		k.arrivals.start(rate * k.weight)
		m.queue = append(m.queue, arrival{at: k.arrivals.next(t, m.day, k.draw), id: quote.ID(i)})
	}
	m.queue.order()
}

// peek returns the model time of the next tick.
func (m *model) peek() float64 {
	if m.steady {
		return m.first + float64(m.count)/m.rate
	}
	return m.queue[0].at
}

// next stores the next tick in tick and returns its model time. It doesn't allocate.
func (m *model) next(tick *quote.Tick) float64 {
	at := m.peek()
	var id quote.ID
	if m.steady {
		id = quote.ID(m.count % int64(len(m.stocks)))
		m.count++
	} else {
		id = m.queue[0].id
	}
	m.time = at
	m.advance(at)
	k := &m.stocks[id]
	due := m.due(at)
	m.move(k, at)
	k.quote()
	k.day.Roll(due)
	if share, bulk := m.trading(k, at); k.draw.Float64() < share {
		k.trade(bulk)
	}
	k.fill(tick, id, due)
	if !m.steady {
		m.queue.replace(arrival{at: k.arrivals.next(at, m.day, k.draw), id: id})
	}
	return at
}

// trading returns the share of a symbol's ticks that are trades, and the factor for their size. Thinned ticks have the volume
// of those that they stand for.
func (m *model) trading(k *stock, t float64) (share, bulk float64) {
	trades := tradeShare * m.thinning
	if m.weighted {
		trades *= k.weight * float64(len(m.stocks)) * m.day.at(t)
	}
	share = min(1, trades)
	return share, trades / share
}

// now stores a tick with the current state of a symbol, without advancing the model.
func (m *model) now(tick *quote.Tick, id quote.ID, due int64) {
	k := &m.stocks[id]
	k.day.Roll(due)
	k.fill(tick, id, due)
}

func (m *model) due(t float64) int64 { return m.origin + int64(t*1e6+0.5) }

// advance advances the factors to the grid point before t.
func (m *model) advance(t float64) {
	for to := int64(t * gridPerSecond); m.grid < to; m.grid++ {
		u := m.day.at(float64(m.grid) / gridPerSecond)
		step := math.Sqrt(u / gridPerSecond / daySeconds)
		second := m.grid%gridPerSecond == 0
		m.market.step(step, second)
		for i := range m.sectors {
			m.sectors[i].step(step, second)
		}
	}
}

func (f *factor) step(scale float64, second bool) {
	if second {
		f.volatility.advance(1, f.draw)
	}
	f.sum += scale * f.volatility.level * student(f.draw)
}

// move advances the price of a symbol to model time t.
func (m *model) move(k *stock, t float64) {
	if s := t - k.measured; s >= 1 {
		whole := math.Floor(s)
		k.own.advance(int(whole), k.draw)
		k.measured += whole
		k.measure()
	}
	market, sector := m.market.sum, m.sectors[k.sector].sum
	own := k.own.level * math.Sqrt(m.day.at(t)*(t-k.moved)/daySeconds) * student(k.draw)
	k.logPrice += k.volatility *
		(marketWeight*(market-k.market) + sectorWeight*(sector-k.sectorSum) + ownWeight*own)
	k.market, k.sectorSum, k.moved = market, sector, t
}

// measure sets the mean spread, which depends on the price and its volatility.
func (k *stock) measure() {
	k.spread = geometricScale(spreadShare * k.cents() * math.Sqrt(k.own.level))
}

func (k *stock) cents() float64 { return k.reference * math.Exp(k.logPrice) }

// quote sets bid and ask around the price. The bid is at least one cent.
func (k *stock) quote() {
	spread := 1 + geometric(k.draw, k.spread)
	k.bid = max(1, quote.Price(math.Floor(k.cents()-float64(spread)/2+0.5)))
	k.ask = k.bid + quote.Price(spread)
}

// trade adds a trade at the bid or the ask, mostly at the same side as the one before.
func (k *stock) trade(bulk float64) {
	if k.draw.Float64() > sidePersistence {
		k.side = -k.side
	}
	price := k.bid
	if k.side > 0 {
		price = k.ask
	}
	lots := bulk * float64(1+geometric(k.draw, k.sizes/3))
	if bulk != 1 {
		lots = math.Floor(lots + k.draw.Float64()) // rounded at random, which keeps the mean
	}
	k.day.Trade(price, lot*quote.Size(lots))
}

func (k *stock) fill(tick *quote.Tick, id quote.ID, due int64) {
	tick.Symbol, tick.Due, tick.N, tick.Seq, tick.Event = id, due, 0, 0, 0
	tick.Bid, tick.Ask = k.bid, k.ask
	tick.BidSize = quote.Size(lot * (1 + geometric(k.draw, k.sizes)))
	tick.AskSize = quote.Size(lot * (1 + geometric(k.draw, k.sizes)))
	k.day.Fill(tick)
}
