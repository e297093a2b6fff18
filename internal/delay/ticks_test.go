package delay

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"ticklane/internal/market"
	"ticklane/internal/quote"
)

// ticks makes random ticks that are numbered as the bus numbers them.
type ticks struct {
	*rand.Rand
	n   []uint64
	seq uint64
}

func newTicks(rng *rand.Rand, symbols int) *ticks {
	return &ticks{Rand: rng, n: make([]uint64, symbols)}
}

// value returns a number of any size.
func (r *ticks) value() int64 { return int64(r.Uint64()) >> r.IntN(64) }

// batch returns ticks that are due now. Some have an event.
func (r *ticks) batch(n int, events *quote.Events) []quote.Tick {
	list := make([]quote.Tick, n)
	for i := range list {
		id := r.IntN(len(r.n))
		r.n[id]++
		r.seq++
		price := func() quote.Price { return quote.Price(r.value()) }
		size := func() quote.Size { return quote.Size(r.value()) }
		list[i] = quote.Tick{
			Symbol: quote.ID(id), Day: int32(r.value()), BidSize: size(), AskSize: size(), Bid: price(), Ask: price(), Last: price(), Open: price(),
			High: price(), Low: price(), PrevClose: price(), Volume: size(), Due: time.Now().UnixMicro(), Received: r.value(), N: r.n[id], Seq: r.seq,
			Halted: r.IntN(2) == 0, CountStarts: r.IntN(9) == 0,
		}
		if r.IntN(5) == 0 {
			list[i].Event = events.Put(r.event())
		}
	}
	return list
}

func (r *ticks) event() (e quote.Event) {
	text := func() string { return string(make([]byte, r.IntN(200))) }
	if r.IntN(2) == 0 {
		e.Trade = &quote.Trade{Price: quote.Price(r.value()), Size: quote.Size(r.value()), ID: text(), Venue: text(), Corrects: text(), Cancels: text()}
		for range r.IntN(3) {
			e.Trade.Conditions = append(e.Trade.Conditions, text())
		}
	}
	if r.IntN(3) == 0 {
		e.Status = &quote.Status{State: text(), Reason: text()}
	}
	if r.IntN(3) == 0 {
		p := quote.Price(r.value())
		e.Bar = &quote.Bar{Start: r.value(), Open: p, High: p + 3, Low: p - 5, Close: quote.Price(r.value()), Volume: quote.Size(r.value()), Complete: r.IntN(2) == 0}
	}
	return e
}

// BenchmarkAdd adds ticks of the simulated market, and reports their time and memory, that of 15 minutes in MiB too.
func BenchmarkAdd(b *testing.B) {
	for _, rate := range []float64{200, 1000, 5000} {
		b.Run(strconv.Itoa(int(rate)), func(b *testing.B) {
			sim, err := market.NewSimulator(market.Options{Seed: 42, Rate: rate, Symbols: 50, Arrivals: "hawkes", Warmup: 3 * time.Minute})
			if err != nil {
				b.Fatal(err)
			}
			var all []quote.Tick
			n := make([]uint64, sim.Universe().Len())
			sim.Warm(time.Now(), func(ticks []quote.Tick) {
				for _, t := range ticks {
					n[t.Symbol]++
					t.N, t.Seq = n[t.Symbol], uint64(len(all)+1)
					all = append(all, t)
				}
			})
			l := New(nil)
			l.Outlet(time.Hour, nil, nil)
			const batch = 2
			b.ReportAllocs()
			added, next := 0, 0
			for b.Loop() {
				if next+batch > len(all) {
					next = 0
				}
				l.Add(all[next : next+batch])
				added, next = added+batch, next+batch
			}
			perTick := float64(l.tail.number*chunkBytes+l.tail.used.Load()) / float64(added)
			b.ReportMetric(perTick, "B/tick")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(added), "ns/tick")
			b.ReportMetric(perTick*rate*15*60/(1<<20), "MiB/15min")
		})
	}
}
