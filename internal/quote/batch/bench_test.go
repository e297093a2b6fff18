package batch

import (
	"testing"
	"time"

	"ticklane/internal/market"
	"ticklane/internal/quote"
)

// simulated returns numbered ticks of the simulated market.
func simulated(b *testing.B) (*quote.Universe, []quote.Tick) {
	sim, err := market.NewSimulator(market.Options{Seed: 42, Rate: 1000, Symbols: 50, Arrivals: "hawkes", Warmup: 3 * time.Minute})
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
	return sim.Universe(), all
}

// BenchmarkNext reads ticks, of which those before are known.
func BenchmarkNext(b *testing.B) {
	u, all := simulated(b)
	encoder := NewCodec(u.Len())
	var data []byte
	for i := range all {
		data = encoder.Append(data, &all[i], nil)
	}
	b.ReportAllocs()
	decoded := 0
	for b.Loop() {
		decoder, r := NewCodec(u.Len()), NewReader(data)
		var t quote.Tick
		for range all {
			decoder.Next(&r, &t, nil)
		}
		decoded += len(all)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(decoded), "ns/tick")
}

// BenchmarkBatch encodes and decodes batches of the simulated market.
func BenchmarkBatch(b *testing.B) {
	for name, size := range map[string]int{"ticks=1": 1, "ticks=10": 10, "ticks=100": 100} {
		b.Run(name, func(b *testing.B) {
			u, all := simulated(b)
			e, d := NewEncoder(u.Limit(), nil), NewDecoder(u, quote.NewEvents(1))
			var data []byte
			var got Batch
			var bytes, at int
			var encoding time.Duration
			b.ReportAllocs()
			for b.Loop() {
				if at += size; at+size > len(all) {
					at = 0
				}
				start := time.Now()
				data = e.Append(data[:0], &Batch{Ticks: all[at : at+size]})
				encoding += time.Since(start)
				bytes += len(data)
				if err := d.Decode(data, &got); err != nil {
					b.Fatal(err)
				}
			}
			n := float64(b.N * size)
			b.ReportMetric(float64(bytes)/n, "B/tick")
			b.ReportMetric(float64(encoding.Nanoseconds())/n, "encode-ns/tick")
			b.ReportMetric(float64((b.Elapsed()-encoding).Nanoseconds())/n, "decode-ns/tick")
		})
	}
}
