package batch

import (
	"testing"
	"time"

	"ticklane/internal/market"
	"ticklane/internal/quote"
)

// BenchmarkNext reads ticks of the simulated market.
func BenchmarkNext(b *testing.B) {
	sim, err := market.NewSimulator(market.Options{Seed: 42, Rate: 1000, Symbols: 50, Arrivals: "hawkes", Warmup: 3 * time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	enc := NewCodec(50)
	var data []byte
	n := make([]uint64, 50)
	count := 0
	sim.Warm(time.Now(), func(ticks []quote.Tick) {
		for _, t := range ticks {
			n[t.Symbol]++
			count++
			t.N, t.Seq = n[t.Symbol], uint64(count)
			data = enc.Append(data, &t, nil)
		}
	})
	b.ReportAllocs()
	decoded := 0
	for b.Loop() {
		dec := NewCodec(50)
		r := NewReader(data)
		var t quote.Tick
		for range count {
			dec.Next(&r, &t, nil)
		}
		decoded += count
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(decoded), "ns/tick")
}
