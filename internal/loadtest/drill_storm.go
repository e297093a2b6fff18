package loadtest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// drillStorm cuts all connections at once and lets all come back at once, without the jitter that well-behaved clients
// have: the worst case. It records how many are back, and have all they missed, after how long.
func drillStorm(ctx context.Context, o *Options, t *target, f *fleet, d *Drill, say func(string, ...any)) error {
	var storm atomic.Bool
	b := &comeback{stray: f.drop, next: func(*client) {}}
	f.recs.open()
	say("connecting %d", len(f.clients))
	if err := f.open(ctx, o.Ramp, b.own(ctx, func(error) bool { return storm.Load() })); err != nil {
		return err
	}
	if err := idleFor(ctx, o.Warmup, sayWarm(say)); err != nil {
		return err
	}
	storm.Store(true)
	for _, c := range f.clients {
		c.cut()
	}
	err := until(ctx, 2*openTimeout, func() bool {
		_, back := b.done()
		say("%d of %d back", back, len(f.clients))
		dropped, _ := f.drops()
		return back+dropped >= len(f.clients)
	})
	storm.Store(false)
	if errors.Is(err, errTooLong) {
		_, back := b.done()
		d.Reasons = append(d.Reasons, fmt.Sprintf("only %d of %d were back after %v", back, len(f.clients), 2*openTimeout))
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
