package stream

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"ticklane/internal/wire"
)

// compressBudget limits the time spent compressing, so that a fast market isn't held up: a quarter of the machine, and at
// most limit at once. When it is spent, text is sent uncompressed until half of limit has accumulated again.
type compressBudget struct {
	spent [wire.Lanes]atomic.Int64 // ns since the start

	limit     time.Duration
	exhausted atomic.Bool

	mu        sync.Mutex
	left      time.Duration
	updatedAt time.Time
}

func (b *compressBudget) init(limit time.Duration) {
	b.limit, b.left, b.updatedAt = limit, limit, time.Now()
}

// charge deducts the time since started.
func (b *compressBudget) charge(lane wire.Lane, started time.Time) {
	now := time.Now()
	took := now.Sub(started)
	b.spent[lane].Add(int64(took))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill(now)
	if b.left -= took; b.left < 0 {
		b.exhausted.Store(true)
	}
}

// update adds the allowance of the time since the last call, and returns whether there is no time for compression.
func (b *compressBudget) update() (exhausted bool) {
	if !b.exhausted.Load() {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill(time.Now())
	if b.left >= b.limit/2 {
		b.exhausted.Store(false)
	}
	return b.exhausted.Load()
}

func (b *compressBudget) refill(now time.Time) {
	b.left = min(b.limit, b.left+now.Sub(b.updatedAt)*time.Duration(runtime.GOMAXPROCS(0))/4)
	b.updatedAt = now
}
