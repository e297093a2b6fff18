package market

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"ticklane/internal/quote"
)

// warmTicks limits the number of ticks that Warm simulates.
const warmTicks = 750_000

// Simulator is a Source of random ticks with the statistical properties of a stock market.
type Simulator struct {
	*Pacer
	options  Options
	universe *quote.Universe
	model    *model
	rate     atomic.Uint64 // the rate as float64 bits
	newRate  atomic.Uint64 // float64 bits of a rate that Run has not applied yet; 0 for none
}

// NewSimulator returns a simulator of o.Symbols symbols. Run starts it.
func NewSimulator(o Options) (*Simulator, error) {
	u, err := universe(o.Symbols)
	if err != nil {
		return nil, err
	}
	s := &Simulator{options: o, universe: u, model: newModel(u, o.Seed, o.DayShape)}
	s.Pacer = NewPacer(cmp.Or(o.Logger, slog.Default()))
	s.wake = make(chan struct{}, 1)
	s.rate.Store(math.Float64bits(o.Rate))
	return s, nil
}

// Universe returns the simulated symbols.
func (s *Simulator) Universe() *quote.Universe { return s.universe }

// Rate returns the mean number of ticks/s of the whole market. Any goroutine may call it.
func (s *Simulator) Rate() float64 { return math.Float64frombits(s.rate.Load()) }

// SetRate sets the mean number of ticks/s of the whole market; a running Run applies it immediately. Any goroutine may call it.
// The error contains the bounds.
func (s *Simulator) SetRate(rate float64) error {
	if err := checkRate(rate); err != nil {
		return err
	}
	s.rate.Store(math.Float64bits(rate))
	s.newRate.Store(math.Float64bits(rate))
	select {
	case s.wake <- struct{}{}:
	default: // a pending wake-up applies this rate
	}
	return nil
}

// Warm simulates the last Options.Warmup before now as fast as possible, so that charts and the day's figures are filled when
// the server starts. Call it once, before Run and in the same goroutine. Its ticks are for charts only, not for the log.
//
// The number of ticks is limited at any rate: a busier market is simulated with fewer ticks, evenly spaced, and more or larger
// trades, so that each symbol has the volume of its present. Price movements depend on time, not on the number of ticks. sink must not keep its slice.
func (s *Simulator) Warm(now time.Time, sink func([]quote.Tick)) {
	m, length := s.model, s.options.Warmup.Seconds()
	if length == 0 {
		return
	}
	m.place(now.Add(-s.options.Warmup).UnixMicro())
	rate, steady := s.Rate(), s.steady()
	if limit := warmTicks / length; rate > limit {
		m.thinning, m.weighted = rate/limit, !steady
		rate, steady = limit, true
	}
	batch := make([]quote.Tick, maxBatch)
	s.opening(m.origin, batch, sink)
	m.restart(0, rate, steady)
	n := 0
	for m.peek() < length {
		m.next(&batch[n])
		if n++; n == len(batch) {
			sink(batch)
			n = 0
		}
	}
	if n > 0 {
		sink(batch[:n])
	}
	m.time = length
	m.thinning, m.weighted = 1, false
}

// Run publishes one quote of every symbol that has none, so that snapshots are complete from the start, and then the ticks of the
// market. It returns nil when ctx is done.
func (s *Simulator) Run(ctx context.Context, publish func([]quote.Tick)) error {
	m, now := s.model, s.clock().UnixMicro()
	m.place(now - int64(m.time*1e6))
	s.newRate.Store(0)
	m.restart(m.time, s.Rate(), s.steady())
	s.opening(now, make([]quote.Tick, maxBatch), publish)
	s.Pacer.Run(ctx, (*schedule)(s), publish)
	return nil
}

// schedule is a Simulator as a Sequence.
type schedule Simulator

func (s *Simulator) steady() bool { return s.options.Arrivals == Steady }

// opening publishes one quote of every symbol, except for those whose market was resumed.
func (s *Simulator) opening(due int64, batch []quote.Tick, publish func([]quote.Tick)) {
	n := 0
	for id := range s.model.stocks {
		if s.model.stocks[id].quoted {
			continue
		}
		s.model.now(&batch[n], quote.ID(id), due)
		if n++; n == len(batch) {
			publish(batch)
			n = 0
		}
	}
	if n > 0 {
		publish(batch[:n])
	}
}

func (s *schedule) Turn(now int64) {
	bits := s.newRate.Swap(0)
	if bits == 0 {
		return
	}
	m := s.model
	t := min(float64(now-m.origin)/1e6, m.peek()) // overdue ticks stay overdue
	m.restart(max(t, m.time), math.Float64frombits(bits), (*Simulator)(s).steady())
}

func (s *schedule) Due() (int64, bool) { return s.model.due(s.model.peek()), true }

func (s *schedule) Next(tick *quote.Tick) { s.model.next(tick) }

func (s *schedule) Shift(by int64) { s.model.place(s.model.origin + by) }
