package market

import (
	"fmt"
	"testing"
	"time"

	"ticklane/internal/quote"
)

func BenchmarkNext(b *testing.B) {
	for _, c := range []struct {
		symbols  int
		rate     float64
		arrivals string
	}{
		{50, 100, Hawkes}, {50, 50_000, Hawkes}, {500, 5_000, Hawkes}, {5000, 500_000, Hawkes}, {50, 50_000, Steady},
	} {
		b.Run(fmt.Sprintf("%s/symbols=%d/rate=%.0f", c.arrivals, c.symbols, c.rate), func(b *testing.B) {
			u, err := universe(c.symbols)
			if err != nil {
				b.Fatal(err)
			}
			m := newModel(u, 1, false)
			m.restart(0, c.rate, c.arrivals == Steady)
			var k quote.Tick
			b.ReportAllocs()
			for b.Loop() {
				m.next(&k)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ticks/s")
		})
	}
}

func BenchmarkStudent(b *testing.B) {
	r := stream(1, 1)
	for b.Loop() {
		student(r)
	}
}

// BenchmarkWarm measures the warm-up at the start of a server.
func BenchmarkWarm(b *testing.B) {
	for _, c := range []struct {
		symbols int
		rate    float64
	}{{50, 100}, {50, 50_000}, {5000, 5_000}} {
		b.Run(fmt.Sprintf("symbols=%d/rate=%.0f", c.symbols, c.rate), func(b *testing.B) {
			for b.Loop() {
				s := newSimulator(b, func(o *Options) { o.Symbols, o.Rate = c.symbols, c.rate })
				s.Warm(time.Now(), func([]quote.Tick) {})
			}
		})
	}
}
