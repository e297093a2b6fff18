package stream

import (
	"hash/crc32"
	"runtime"
	"sync"
	"testing"

	"ticklane/internal/wire"
)

// TestOneThatNeverReads: among 200 others it costs nobody a tick and the process no memory, and it is told one gap.
func TestOneThatNeverReads(t *testing.T) {
	const (
		others = 200
		total  = 100_000
		size   = 8192
		most   = 24 << 20 // bytes; the log itself holds some 480 a tick with both lanes in use
	)
	p := newTape(t, total)
	l := p.log(t, Config{Size: size})
	stalled := subscribe(t, l, Options{Topics: p.topics(t, "*")})
	w := newWitness(t, p, stalled.opt.Topics, ModeAll)
	w.see(stalled.take(noon)...)

	before := heap()
	var all sync.WaitGroup
	clients := make([]*Subscriber, others)
	sums := make([]uint32, others)
	for i := range clients {
		s := l.Subscribe(Options{Format: wire.Format(i % 2), Topics: p.topics(t, "*")})
		for len(s.Next(noon)) > 0 {
		}
		clients[i] = s
		all.Go(func() {
			for s.Counters().Ticks < total {
				<-s.Notified()
				for b := s.Next(noon); len(b) > 0; b = s.Next(noon) {
					sums[i] = crc32.Update(sums[i], crc32.IEEETable, b)
				}
			}
		})
	}
	for seq := uint64(0); seq < total; {
		seq = min(total, seq+200)
		p.play(l, seq)
		for _, s := range clients { // a machine too slow for 200 readers must not make them lag
			for seq-s.position.Load() > size/2 {
				runtime.Gosched()
			}
		}
	}
	all.Wait()
	for i, s := range clients {
		if n := s.Counters(); n.Ticks != total || n.Gaps != 0 || sums[i] != sums[i%2] {
			t.Errorf("client %d: %+v, sum %x, want %x", i, n, sums[i], sums[i%2])
		}
	}
	if now := heap(); now > before+most {
		t.Errorf("%d MiB more than before", (now-before)>>20)
	} else {
		t.Logf("%d KiB more than before, the whole log included", (int64(now)-int64(before))>>10)
	}
	for _, s := range clients {
		s.Close()
	}
	got := stalled.take(noon)
	w.see(got...)
	if kinds(got) != "gap snapshot" || got[0].From != 1 || got[0].To != total || stalled.Counters().Gaps != 1 {
		t.Errorf("the stalled one got %s: %s", kinds(got), got[0].text)
	}
	if info := stalled.Info(); info.Lag != 0 || info.Position != total {
		t.Errorf("listed as %+v", info)
	}
}

// heap is the bytes of live objects; pools let go of theirs at the second collection.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
