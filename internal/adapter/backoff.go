package adapter

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	firstWait = time.Second
	maxWait   = time.Minute
)

// backoff is the wait before another try: it doubles from firstWait to maxWait, of which a random half is left out, so that clients
// that were cut at the same time don't return at the same time.
type backoff struct {
	first  time.Duration // firstWait if 0
	failed int
}

func (b *backoff) reset() { b.failed = 0 }

// next returns the wait after another failure, and no less than the time that the other side requested.
func (b *backoff) next(least time.Duration) time.Duration {
	first := b.first
	if first == 0 {
		first = firstWait
	}
	wait := min(maxWait, first<<min(b.failed, 16))
	b.failed++
	return max(least, wait/2+rand.N(wait/2+1))
}

// sleep waits, and reports whether ctx is not done yet.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
