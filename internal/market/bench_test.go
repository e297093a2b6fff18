package market

import (
	"fmt"
	"testing"
	"ticklane/internal/quote"
)

func BenchmarkNext(b *testing.B) {
	for _, c := range []struct {
		symbols  int
		rate     float64
		arrivals string
	}{{50, 100, Hawkes}, {50, 50000, Hawkes}, {500, 5000, Hawkes}, {5000, 500000, Hawkes}, {50, 50000, Steady}} {
		b.Run(fmt.Sprintf("%s/symbols=%d/rate=%v", c.arrivals, c.symbols, c.rate), func(b *testing.B) {
			u, err := universe(c.symbols)
			if err != nil {
				b.Fatal(err)
			}
			m := newModel(u, 1, false)
			m.restart(0, c.rate, c.arrivals == Steady)
			var t quote.Tick
			b.ReportAllocs()
			for b.Loop() {
				m.next(&t)
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
