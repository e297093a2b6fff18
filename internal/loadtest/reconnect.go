package loadtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"ticklane/internal/wire"
)

// comeback brings clients back from their positions and keeps the times that it took.
type comeback struct {
	// stray is called with a connection that ended although nobody cut it; the client stays away.
	stray func(*client, error)
	// next is called before each reconnect, by the client's owner.
	next func(*client)

	mu      sync.Mutex
	cuts    int
	resumed int
	gaps    int
	early   int // cut again before the hello
	other   int // answered neither by complete nor by a gap
	away    int // between the cut and the hello
	refused int
	back    []time.Duration
	caught  []time.Duration
}

// Of a client that is turned away: it tries again, later and later, with jitter.
const (
	firstRetry = 20 * time.Millisecond
	lastRetry  = time.Second
)

// own is a client's life in a drill: wasCut tells whether the end of a connection is one of the drill's cuts.
func (b *comeback) own(ctx context.Context, wasCut func(error) bool) func(*client) {
	return func(c *client) {
		rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
		for {
			err := c.read()
			b.account(c)
			switch {
			case errors.Is(err, errStopped):
				return
			case !wasCut(err):
				b.stray(c, err)
				return
			}
			c.cutAt = time.Now()
			if err := b.reopen(ctx, c, rng); err != nil {
				if !errors.Is(err, errStopped) && ctx.Err() == nil {
					b.stray(c, err)
				}
				return
			}
		}
	}
}

// reopen tries until the client is back, or stopped.
func (b *comeback) reopen(ctx context.Context, c *client, rng *rand.Rand) error {
	wait := firstRetry
	b.mu.Lock()
	b.cuts++
	b.away++
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		b.away--
		b.mu.Unlock()
	}()
	b.next(c)
	for {
		err := c.open(ctx, c.position())
		switch {
		case err == nil:
			b.mu.Lock()
			b.came(c)
			b.mu.Unlock()
			return nil
		case errors.Is(err, errCut):
			// Cut again, mostly before the hello was whole: a cut like any other.
			b.mu.Lock()
			b.cuts++
			if c.check.expect == expectHello {
				b.early++
			} else {
				b.came(c) // the hello came in the same read as the cut
			}
			b.mu.Unlock()
			c.cutAt = time.Now()
			b.next(c)
			continue
		case errors.Is(err, errStopped) || ctx.Err() != nil:
			return err
		}
		b.mu.Lock()
		b.refused++
		b.mu.Unlock()
		if time.Since(c.cutAt) > openTimeout {
			return fmt.Errorf("not back after %v: %w", openTimeout, err)
		}
		pause := time.NewTimer(wait/2 + time.Duration(rng.Int64N(int64(wait/2))))
		select {
		case <-pause.C:
		case <-c.quit:
			pause.Stop()
			return errStopped
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		}
		wait = min(lastRetry, 2*wait)
	}
}

// came counts a client that is back by how it was answered. b.mu is held.
func (b *comeback) came(c *client) {
	b.back = append(b.back, c.opened.Sub(c.cutAt))
	switch c.check.hello.Resume {
	case wire.ResumeComplete:
		b.resumed++
	case wire.ResumeGap:
		b.gaps++
	default:
		b.other++
	}
}

// account notes when a client that came back had everything it missed.
func (b *comeback) account(c *client) {
	if c.cutAt.IsZero() || c.caught.IsZero() {
		return
	}
	b.mu.Lock()
	b.caught = append(b.caught, c.caught.Sub(c.cutAt))
	b.mu.Unlock()
	c.cutAt = time.Time{}
}

// done is how many cuts have happened, and how many clients are back.
func (b *comeback) done() (cuts, back int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cuts, len(b.back)
}

// settled tells whether no client is on its way back.
func (b *comeback) settled() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.away == 0
}

// fill takes the drill's figures over. All owners must have ended.
func (b *comeback) fill(d *Drill, f *fleet) {
	d.Cuts, d.Resumed, d.GapTold, d.Early, d.Refused = b.cuts, b.resumed, b.gaps, b.early, b.refused
	d.Back, d.Caught = recoveryOf(b.back), recoveryOf(b.caught)
	sum := f.recs.sum()
	d.Ticks, d.Replayed = sum.ticks, sum.replayed
	if b.other > 0 {
		sum, _ := f.counts()
		d.Reasons = append(d.Reasons, fmt.Sprintf("%d of %d came back to something else than where they were: %d to another log (reset), %d as if new (none)",
			b.other, len(b.back), sum.Resets, sum.Ignored))
	}
	if n, why := f.drops(); n > 0 {
		d.Reasons = append(d.Reasons, fmt.Sprintf("%d connections stayed away, the first because: %v", n, why))
	}
	if d.Late > 0 {
		d.Reasons = append(d.Reasons, fmt.Sprintf("%d ticks had not come %v after the end", d.Late, settleTimeout))
	}
}
