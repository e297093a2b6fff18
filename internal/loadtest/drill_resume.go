package loadtest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"ticklane/internal/loadtest/client"
)

const (
	// maxCutAfter bounds the bytes after which a connection is cut: many ticks, and any byte of one.
	maxCutAfter = 4096
	// One connection in openingCuts is cut in the hello or the first bytes of the snapshot, unless it has a position already.
	openingCuts = 8
)

// resume cuts connections by a reset after a random number of bytes, at any byte of an event or a frame, and resumes each from
// its position at once. Every tick of every connection is checked across the cuts. With --url, connections that the server or the
// network ends are resumed, too: it may be a cluster whose parts fail. The drill takes at least the duration of the options, in which
// there may be more cuts.
func (d *drillRun) resume(ctx context.Context) error {
	o, c := d.options, d.clients
	var armed atomic.Int64
	until := time.Now().Add(o.Duration)
	rngs := make(map[*connection]*rand.Rand, len(c.all))
	for k, conn := range c.all {
		rngs[conn] = rand.New(rand.NewPCG(o.Seed, uint64(k)))
	}
	arm := func(conn *connection) {
		conn.CutAfter(0, false)
		if armed.Add(1) <= int64(o.Cuts) || time.Now().Before(until) {
			rng := rngs[conn]
			conn.CutAfter(1+rng.Int64N(maxCutAfter), rng.IntN(openingCuts) == 0)
		}
	}
	r := &reconnects{failed: c.drop, beforeOpen: arm, isCut: func(err error) bool {
		return errors.Is(err, client.ErrCut) || o.URL != "" && client.Broken(err)
	}}
	own := r.own(ctx)
	c.recs.Open()
	d.progress("connecting %d", len(c.all))
	if err := c.open(ctx, o.Ramp, func(conn *connection) { arm(conn); own(conn) }); err != nil {
		return err
	}
	limit := resumeTimeout(o)
	err := waitFor(ctx, limit, func() bool {
		cuts, waiting := r.progress()
		d.progress("%d of %d cuts, %d ticks", cuts, o.Cuts, c.recs.Delivered())
		dropped, _ := c.drops()
		return cuts >= o.Cuts && time.Now().After(until) && waiting == 0 || dropped == len(c.all)
	})
	switch cuts, waiting := r.progress(); {
	case errors.Is(err, errTimeout) && waiting > 0:
		d.invalid("%d of %d had not reconnected after %v", waiting, len(c.all), limit)
	case errors.Is(err, errTimeout) && cuts < o.Cuts:
		d.invalid("only %d of %d cuts happened within %v: too few bytes are sent", cuts, o.Cuts, limit)
	case err != nil && !errors.Is(err, errTimeout):
		return err
	}
	err = d.finishReconnects(ctx, r)
	d.result.Ended = r.ended
	return err
}

// resumeTimeout gives the cuts of each connection far more time than they take at 10 ticks/s.
func resumeTimeout(o *Options) time.Duration {
	return o.Duration + 30*time.Second + time.Duration(o.Cuts/o.Conns+1)*5*time.Second
}
