package stream

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// BenchmarkAppend measures Append of one tick.
func BenchmarkAppend(b *testing.B) {
	for _, formats := range []wire.Format{0, 1, 2, wire.Formats} {
		b.Run(fmt.Sprintf("formats=%d", formats), func(b *testing.B) {
			p := newFixture(b, 1<<16)
			l := p.log(b, Config{Size: 1 << 16})
			for format := range formats {
				subscribe(b, l, Options{Format: format, Topics: p.topics(b, "*")})
			}
			one := make([]quote.Tick, 1)
			seq := uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				one[0] = p.ticks[seq%(1<<16)]
				seq++
				one[0].Seq = seq
				l.Append(one)
			}
		})
	}
}

// discard is a Writer that discards.
type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) Flush() error                { return nil }

// BenchmarkSubscribers appends b.N batches as fast as 1,000 subscribers read them, with a goroutine each and without sockets.
func BenchmarkSubscribers(b *testing.B) {
	const clients, batch = 1000, 50
	for _, topics := range []string{"*", "S1", "sector:odd"} {
		b.Run(topics, func(b *testing.B) {
			p := newFixture(b, 1<<16)
			l := p.log(b, Config{Size: 1 << 16})
			var all sync.WaitGroup
			for i := range clients {
				s := subscribe(b, l, Options{Format: wire.Format(i % 2), Topics: p.topics(b, topics), MaxRead: 16 << 10})
				all.Go(func() { _ = s.Run(discard{}, nil) })
			}
			ticks := make([]quote.Tick, batch)
			seq := uint64(0)
			for b.Loop() {
				for i := range ticks {
					ticks[i] = p.ticks[seq%(1<<16)]
					seq++
					ticks[i].Seq = seq
				}
				l.Append(ticks)
				if seq%5000 == 0 {
					catchUp(l, seq)
				}
			}
			catchUp(l, seq)
			sse, ws := l.Lane(wire.SSE), l.Lane(wire.WS)
			b.ReportMetric(float64(sse.Ticks+ws.Ticks)/b.Elapsed().Seconds(), "deliveries/s")
			b.ReportMetric(float64(sse.Gaps+ws.Gaps), "gaps")
			l.End(wire.ByeShutdown)
			all.Wait()
		})
	}
}

// catchUp waits until no subscriber lags by more than half of the log.
func catchUp(l *Log, head uint64) {
	l.registry.each(func(s *Subscriber) {
		for head-min(head, s.position.Load()) > l.size/2 {
			runtime.Gosched()
		}
	})
}

// BenchmarkFilteredCursor reads one symbol's ticks. The cost of a tick must not depend on the number of other symbols.
func BenchmarkFilteredCursor(b *testing.B) {
	for _, symbols := range []int{50, 500, 5000} {
		b.Run(fmt.Sprintf("symbols=%d", symbols), func(b *testing.B) {
			ids := make([]quote.ID, 1<<16)
			for i := range ids {
				ids[i] = quote.ID(i % symbols)
			}
			p := fixtureOf(testUniverse(b, symbols), ids...)
			l := p.log(b, Config{Size: 1 << 16})
			subscribe(b, l, Options{Topics: p.topics(b, "*")})
			p.play(l, 1<<16)
			c := cursor{log: l, topics: p.topics(b, "S1")}
			ticks := uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				c.seek(0)
				for {
					r, ok := c.read(&readLimits{horizon: 1 << 16, bytes: 16 << 10, ticks: 256})
					if !ok {
						b.Fatal("lost")
					}
					if r.ticks == 0 {
						break
					}
					ticks += r.ticks
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(ticks), "ns/tick")
		})
	}
}

// BenchmarkReplay reads a whole log for many symbols. The cost of a tick must not depend on the length of the log.
func BenchmarkReplay(b *testing.B) {
	for _, size := range []int{1 << 14, 1 << 16, 1 << 18} {
		b.Run(fmt.Sprintf("log=%d", size), func(b *testing.B) {
			p := newFixture(b, size)
			l := p.log(b, Config{Size: size})
			p.play(l, uint64(size))
			c := cursor{log: l, topics: p.topics(b, "S0", "S1", "S2", "S3", "S4", "S5", "S6")}
			ticks := uint64(0)
			for b.Loop() {
				for c.seek(0); c.pos < uint64(size); {
					r, ok := c.read(&readLimits{horizon: uint64(size), bytes: 16 << 10, ticks: 256})
					if !ok {
						b.Fatal("lost")
					}
					ticks += r.ticks
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(ticks), "ns/tick")
		})
	}
}
