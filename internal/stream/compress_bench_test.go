package stream

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// randomWalk returns ticks with random prices, as in a market: those of newFixture are too regular to compress alike.
func randomWalk(t testing.TB, total int) *fixture {
	r := rand.New(rand.NewPCG(1, 2))
	const symbols = 50
	ids := make([]quote.ID, total)
	for i := range ids {
		ids[i] = quote.ID(r.IntN(symbols))
	}
	p := fixtureOf(testUniverse(t, symbols), ids...)
	price, volume := make([]float64, symbols), make([]quote.Size, symbols)
	for i := range price {
		price[i], volume[i] = 5000+r.Float64()*45_000, quote.Size(r.IntN(9_000_000))
	}
	for i := range p.ticks {
		k := &p.ticks[i]
		at := &price[k.Symbol]
		*at *= 1 + r.NormFloat64()*.0002
		volume[k.Symbol] += quote.Size(r.IntN(900))
		spread := quote.Price(1 + r.IntN(4))
		k.Last, k.Bid, k.Ask = quote.Price(*at), quote.Price(*at)-spread/2, quote.Price(*at)+spread
		k.BidSize, k.AskSize, k.Volume = quote.Size(100*(1+r.IntN(20))), quote.Size(100*(1+r.IntN(20))), volume[k.Symbol]
		k.Due += int64(i) * int64(9000+r.IntN(2000))
	}
	return p
}

// BenchmarkCompress measures a tick of a shared encoder, which all its readers share, and its size against the uncompressed.
func BenchmarkCompress(b *testing.B) {
	p := randomWalk(b, 1<<14)
	for format := range wire.Formats {
		for _, batch := range []uint64{1, 8} {
			b.Run(fmt.Sprintf("%s/batch=%d", format, batch), func(b *testing.B) {
				l := p.log(b, Config{Size: 1 << 14, Compress: CompressOn, MaxSharedEncoders: 1})
				c := subscribe(b, l, Options{Format: format, Topics: p.topics(b, "*"), NoSnapshot: true})
				for len(c.Next(noon)) > 0 {
				}
				in, out := c.Counters().CompressIn, c.Counters().CompressOut
				ticks := make([]quote.Tick, batch)
				seq := uint64(0)
				for b.Loop() {
					l.topicGroups.budget.left = l.topicGroups.budget.limit
					for i := range ticks {
						ticks[i] = p.ticks[seq%(1<<14)]
						seq++
						ticks[i].Seq = seq
					}
					l.Append(ticks)
					for len(c.Next(noon)) > 0 {
					}
				}
				n := c.Counters()
				b.ReportMetric(float64(n.CompressOut-out)/float64(seq), "B/tick")
				b.ReportMetric(100*float64(n.CompressOut-out)/float64(n.CompressIn-in), "%ofplain")
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(seq), "ns/tick")
				if n.Ticks != seq || c.compressor.encoder == nil {
					b.Fatal("not compressed by a shared encoder")
				}
			})
		}
	}
}

// BenchmarkCompressedMemory measures the memory of a compressed stream, less that of an uncompressed one.
func BenchmarkCompressedMemory(b *testing.B) {
	const clients = 1000
	held := func(b *testing.B, compress string) float64 {
		p := randomWalk(b, 2000)
		l := p.log(b, Config{Size: 4096, Compress: compress, MaxSharedEncoders: 1})
		all := make([]*client, 0, clients)
		read := func() {
			for _, c := range all {
				for len(c.Next(noon)) > 0 {
				}
			}
		}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for range clients {
			all = append(all, subscribe(b, l, Options{Topics: p.topics(b, "*"), NoSnapshot: true}))
		}
		for seq := uint64(20); seq <= 2000; seq += 20 {
			p.play(l, seq)
			read()
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(all)
		return float64(after.HeapAlloc-before.HeapAlloc) / clients
	}
	for b.Loop() {
		b.ReportMetric(held(b, CompressOn)-held(b, CompressOff), "B/client")
	}
}
