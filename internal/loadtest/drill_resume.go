package loadtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// cutWithin bounds after how many bytes a connection is cut: many ticks, at any byte of one.
const cutWithin = 4096

// drillResume cuts connections by RST after a random number of bytes, at any byte of the handshake's answer, an event or
// a frame, and brings each back from its position at once. Every tick of every connection is accounted for across the
// cuts.
func drillResume(ctx context.Context, o *Options, t *target, f *fleet, d *Drill, say func(string, ...any)) error {
	var armed atomic.Int64
	rngs := make(map[*client]*rand.Rand, len(f.clients))
	for k, c := range f.clients {
		rngs[c] = rand.New(rand.NewPCG(o.Seed, uint64(k)))
	}
	arm := func(c *client) {
		c.cutAfter = 0
		if armed.Add(1) <= int64(o.Cuts) {
			c.cutAfter = 1 + rngs[c].Int64N(cutWithin)
		}
	}
	b := &comeback{stray: f.drop, next: arm}
	own := b.own(ctx, func(err error) bool { return errors.Is(err, errCut) })
	f.recs.open()
	say("connecting %d", len(f.clients))
	if err := f.open(ctx, o.Ramp, func(c *client) { arm(c); own(c) }); err != nil {
		return err
	}
	err := until(ctx, cutTimeout(o), func() bool {
		cuts, _ := b.done()
		say("%d of %d cuts, %d ticks", cuts, o.Cuts, f.recs.delivered())
		dropped, _ := f.drops()
		return cuts >= o.Cuts && b.settled() || dropped == len(f.clients)
	})
	if errors.Is(err, errTooLong) {
		cuts, _ := b.done()
		if cuts < o.Cuts {
			d.Reasons = append(d.Reasons, fmt.Sprintf("only %d of %d cuts happened within %v: too few bytes flow", cuts, o.Cuts, cutTimeout(o)))
		} else {
			d.Reasons = append(d.Reasons, fmt.Sprintf("not all were back after %v", cutTimeout(o)))
		}
	} else if err != nil {
		return err
	}
	if d.Late, err = f.settle(ctx, t, settleTimeout); err != nil {
		return err
	}
	f.recs.close()
	f.close()
	b.fill(d, f)
	return nil
}

// cutTimeout gives each connection's cuts far more time than they take at 10 ticks/s.
func cutTimeout(o *Options) time.Duration {
	return 30*time.Second + time.Duration(o.Cuts/o.Conns+1)*5*time.Second
}

var errTooLong = errors.New("it took too long")

// until waits for a condition, which it looks at every 20 ms; after limit it gives errTooLong.
func until(ctx context.Context, limit time.Duration, reached func() bool) error {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	end := time.Now().Add(limit)
	for !reached() {
		if time.Now().After(end) {
			return errTooLong
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
