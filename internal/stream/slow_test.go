package stream

import (
	"hash/crc32"
	"runtime"
	"sync"
	"testing"

	"ticklane/internal/wire"
)

// TestStalledClient: a client that doesn't read costs 200 others no tick and the process no memory, and gets one gap.
func TestStalledClient(t *testing.T) {
	const (
		others = 200
		total  = 40_000
		size   = 8192
		most   = 24 << 20 // bytes; the log itself holds some 480 a tick with both lanes in use
	)
	p := newFixture(t, total)
	l := p.log(t, Config{Size: size})
	stalled := subscribe(t, l, Options{Topics: p.topics(t, "*")})
	w := newChecker(t, p, stalled.opt.Topics, ModeAll)
	w.check(stalled.take(noon)...)

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
				<-s.notifyCh
				for b := s.Next(noon); len(b) > 0; b = s.Next(noon) {
					sums[i] = crc32.Update(sums[i], crc32.IEEETable, b)
				}
			}
		})
	}
	for seq := uint64(0); seq < total; {
		seq = min(total, seq+200)
		p.play(l, seq)
		for _, s := range clients { // on a slow machine, readers must not lag
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
	w.check(got...)
	if kinds(got) != "gap snapshot" || got[0].From != 1 || got[0].To != total || stalled.Counters().Gaps != 1 {
		t.Errorf("the stalled client got %s: %s", kinds(got), got[0].text)
	}
	if info := stalled.Info(); info.Lag != 0 || info.Position != total {
		t.Errorf("info %+v", info)
	}
}

// heap returns the bytes of live objects. sync.Pool frees its objects at the second collection.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
