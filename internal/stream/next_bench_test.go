package stream

import (
	"fmt"
	"testing"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// BenchmarkNext measures one subscriber's share of a delivery: one tick is appended, and Next is called until it returns
// nothing.
func BenchmarkNext(b *testing.B) {
	for _, topics := range []string{"*", "S1"} {
		for _, compress := range []string{CompressOff, CompressOn} {
			b.Run(fmt.Sprintf("%s/compress=%s", topics, compress), func(b *testing.B) {
				p := newFixture(b, 1<<14)
				l := p.log(b, Config{Size: 1 << 14, Compress: compress, MaxSharedEncoders: 1})
				all := make([]*client, 64)
				for i := range all {
					all[i] = subscribe(b, l, Options{Format: wire.WSJSON, Topics: p.topics(b, topics)})
					all[i].take(noon)
				}
				one := make([]quote.Tick, 1)
				seq := uint64(0)
				b.ReportAllocs()
				for b.Loop() {
					one[0] = p.ticks[seq%(1<<14)]
					seq++
					one[0].Seq = seq
					l.Append(one)
					for _, c := range all {
						for len(c.Next(noon)) > 0 {
						}
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(all)), "ns/subscriber")
			})
		}
	}
}
