package loadtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"ticklane/internal/loadtest/client"
	"ticklane/internal/loadtest/report"
	"ticklane/internal/wire"
)

// reconnects resumes clients from their positions after a cut and measures how long it takes.
type reconnects struct {
	isCut      func(error) bool         // reports whether a connection ended by a cut of the drill
	failed     func(*connection, error) // called with a connection that ended for another reason and isn't reopened
	beforeOpen func(*connection)        // called before each reconnect by the connection's owner

	mu          sync.Mutex
	cuts        int
	resumed     int // answered with everything since the cut
	withGap     int // answered with a gap
	early       int // cut again before the hello
	anew        int // without a position: cut before the client had one
	other       int // answered in another way
	waiting     int // between the cut and the hello
	refused     int
	reconnected []time.Duration
	caughtUp    []time.Duration
}

// Delays after a refused attempt: doubled each time, with jitter.
const (
	firstRetry = 20 * time.Millisecond
	lastRetry  = time.Second
)

// own returns the owner of a connection: it reads until the end, and resumes after each cut.
func (r *reconnects) own(ctx context.Context) func(*connection) {
	return func(c *connection) {
		rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
		for {
			err := c.Read()
			r.recordCatchUp(c)
			switch {
			case errors.Is(err, client.ErrStopped):
				return
			case !r.isCut(err):
				r.failed(c, err)
				return
			}
			c.cutAt = time.Now()
			if err := r.reopen(ctx, c, rng); err != nil {
				if !errors.Is(err, client.ErrStopped) && ctx.Err() == nil {
					r.failed(c, err)
				}
				return
			}
		}
	}
}

// reopen retries until the connection is open again or stopped.
func (r *reconnects) reopen(ctx context.Context, c *connection, rng *rand.Rand) error {
	delay := firstRetry
	r.mu.Lock()
	r.cuts++
	r.waiting++
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.waiting--
		r.mu.Unlock()
	}()
	r.beforeOpen(c)
	for {
		from := c.Position()
		err := c.Open(ctx, from)
		switch {
		case err == nil:
			r.mu.Lock()
			r.record(c, from)
			r.mu.Unlock()
			return nil
		case errors.Is(err, client.ErrCut):
			// Cut again, usually before the whole hello had arrived.
			r.mu.Lock()
			r.cuts++
			if c.Greeted() {
				r.record(c, from) // the hello and the cut were in the same read
			} else {
				r.early++
			}
			r.mu.Unlock()
			c.cutAt = time.Now()
			r.beforeOpen(c)
			continue
		case errors.Is(err, client.ErrStopped) || ctx.Err() != nil:
			return err
		}
		r.mu.Lock()
		r.refused++
		r.mu.Unlock()
		if time.Since(c.cutAt) > client.OpenTimeout {
			return fmt.Errorf("not reconnected after %v: %w", client.OpenTimeout, err)
		}
		timer := time.NewTimer(delay/2 + time.Duration(rng.Int64N(int64(delay/2))))
		select {
		case <-timer.C:
		case <-c.Stopped():
			timer.Stop()
			return client.ErrStopped
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		delay = min(lastRetry, 2*delay)
	}
}

// record counts a reconnect from a position by the server's answer. r.mu is held.
func (r *reconnects) record(c *connection, from string) {
	r.reconnected = append(r.reconnected, c.OpenedAt().Sub(c.cutAt))
	switch resume := c.Hello().Resume; {
	case resume == wire.ResumeComplete:
		r.resumed++
	case resume == wire.ResumeGap:
		r.withGap++
	case from == "" && resume == wire.ResumeNone:
		r.anew++
	default:
		r.other++
	}
}

// recordCatchUp records when a reconnected client had caught up.
func (r *reconnects) recordCatchUp(c *connection) {
	if c.cutAt.IsZero() || c.CaughtUpAt().IsZero() {
		return
	}
	r.mu.Lock()
	r.caughtUp = append(r.caughtUp, c.CaughtUpAt().Sub(c.cutAt))
	r.mu.Unlock()
	c.cutAt = time.Time{}
}

// progress returns how many cuts and reconnects have happened.
func (r *reconnects) progress() (cuts, reconnected int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cuts, len(r.reconnected)
}

// settled reports whether no connection is being reopened.
func (r *reconnects) settled() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waiting == 0
}

// finishReconnects ends a drill with reconnects and sets its figures.
func (d *drillRun) finishReconnects(ctx context.Context, r *reconnects) error {
	if err := d.settle(ctx); err != nil {
		return err
	}
	c, res := d.clients, d.result
	c.recs.Close()
	c.close() // ends all owners, so that r is at rest
	res.Cuts, res.Resumed, res.WithGap, res.Early, res.Anew, res.Refused = r.cuts, r.resumed, r.withGap, r.early, r.anew, r.refused
	res.Reconnect, res.CatchUp = report.RecoveryOf(r.reconnected), report.RecoveryOf(r.caughtUp)
	totals := c.recs.Totals()
	res.Ticks, res.Replayed = totals.Ticks, totals.Replayed
	if r.other > 0 {
		sum, _ := c.counts()
		d.invalid("%d of %d reconnects did not continue the stream: %d in another log (reset), %d as a new stream (none)",
			r.other, len(r.reconnected), sum.Resets, sum.Ignored)
	}
	if n, err := c.drops(); n > 0 {
		d.invalid("%d connections were not reopened, the first because: %v", n, err)
	}
	return nil
}
