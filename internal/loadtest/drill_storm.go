package loadtest

import (
	"context"
	"errors"
	"sync/atomic"

	"ticklane/internal/loadtest/client"
)

// storm cuts all connections at once, and lets all reconnect at once, without the jitter of well-behaved clients: the
// worst case. It measures after which time they have reconnected and caught up.
func (d *drillRun) storm(ctx context.Context) error {
	c := d.clients
	var cutting atomic.Bool
	r := &reconnects{failed: c.drop, beforeOpen: func(*connection) {}, isCut: func(error) bool { return cutting.Load() }}
	c.recs.Open()
	d.progress("connecting %d", len(c.all))
	if err := c.open(ctx, d.options.Ramp, r.own(ctx)); err != nil {
		return err
	}
	if err := d.warmUp(ctx); err != nil {
		return err
	}
	cutting.Store(true)
	for _, conn := range c.all {
		conn.Cut()
	}
	recovered := 0
	err := waitFor(ctx, 2*client.OpenTimeout, func() bool {
		recovered = c.recovered()
		d.progress("%d of %d reconnected", recovered, len(c.all))
		return recovered == len(c.all)
	})
	cutting.Store(false)
	if errors.Is(err, errTimeout) {
		d.invalid("only %d of %d had reconnected after %v", recovered, len(c.all), 2*client.OpenTimeout)
	} else if err != nil {
		return err
	}
	return d.finishReconnects(ctx, r)
}
