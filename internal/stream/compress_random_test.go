package stream

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

// TestCompressedStreams runs random simulations.
func TestCompressedStreams(t *testing.T) {
	t.Parallel()
	p := newFixture(t, 20_000)
	var mu sync.Mutex
	var inSync, opened int
	seed, rounds := seeds(t), testkit.Rounds(3, 200)
	t.Run("rounds", func(t *testing.T) {
		for range rounds {
			seed := seed.Uint64()
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				s := newSimulation(t, p, rand.New(rand.NewPCG(seed, 7)).IntN)
				s.run(300)
				mu.Lock()
				defer mu.Unlock()
				inSync += s.inSync
				opened += s.opened
			})
		}
	})
	if opened < 20*rounds || inSync < opened/15 {
		t.Errorf("of %d clients %d were ever in sync with a shared encoder", opened, inSync)
	}
}

// FuzzCompressedStreams runs simulations that the input controls.
func FuzzCompressedStreams(f *testing.F) {
	p := newFixture(f, 20_000)
	for seed := range uint64(2) {
		b := make([]byte, 400)
		r := rand.New(rand.NewPCG(seed, 9))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		steps := min(len(b)/10, 40) // coverage makes the encoder slow
		s := newSimulation(t, p, func(n int) int {
			if len(b) < 2 {
				return n - 1
			}
			v := int(b[0])<<8 | int(b[1])
			b = b[min(len(b), 1+n/256):]
			return v % n
		})
		s.run(steps)
		s.log.Close()
	})
}

// TestConcurrentSharedEncoder: many goroutines make and read the same blocks; some read so slowly that the ring drops blocks
// before they get there.
func TestConcurrentSharedEncoder(t *testing.T) {
	t.Parallel()
	for format := range wire.Formats {
		for _, topics := range [][]string{{"*"}, {"sector:odd"}} {
			t.Run(fmt.Sprint(format, topics), func(t *testing.T) {
				total := uint64(testkit.Rounds(4000, 24_000))
				p := newFixture(t, int(total))
				l := p.log(t, Config{Size: 4096, Compress: CompressOn, MaxSharedEncoders: 16})
				appender := startAppender(p, l)
				defer appender.stop()
				var all sync.WaitGroup
				for i := range 16 {
					all.Go(func() {
						r := rand.New(rand.NewPCG(uint64(i), 3))
						for from := uint64(0); from < total; {
							from = max(from, readForAWhile(t, p, l, appender, format, p.topics(t, topics...), from, i, r))
						}
					})
				}
				appender.allow(total)
				all.Wait()
			})
		}
	}
}

// readForAWhile reads some ticks from seq from on as client i, and returns the seq where it stopped.
func readForAWhile(t *testing.T, p *fixture, l *Log, appender *appender, format wire.Format, topics quote.Topics, from uint64, i int, r *rand.Rand) uint64 {
	opt := offerCompression(l, Options{Format: format, Topics: topics})
	if opt.Compress == CompressDeflate && i%4 == 0 {
		opt.Compress = CompressPerMessage
	}
	c := newClient(t, l, opt)
	defer c.Close()
	w := newChecker(t, p, topics, ModeAll)
	w.onHello = func(m message) { w.start(m.Head) }
	to := from + 200 + uint64(r.IntN(3000))
	for last := p.last(topics); w.checked < min(last, to); {
		appender.allow(w.checked + 100 + uint64(r.IntN(2000)))
		b := c.Next(time.Now())
		if len(b) == 0 {
			<-c.notifyCh
		}
		w.check(c.decode(b)...)
		if r.IntN(100) == 0 && i%3 == 0 { // the others go on meanwhile
			appender.await(min(w.checked+uint64(r.IntN(1500)), uint64(len(p.ticks))))
		}
	}
	return max(w.checked, to)
}
