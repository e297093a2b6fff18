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

// reconnects resumes clients from their positions after a cut and measures how long it takes. A cut counts once its reconnect has an
// answer or has failed, so that the end of the drill, which may interrupt a reconnect, leaves no cut without one.
type reconnects struct {
	isCut      func(error) bool         // reports whether a connection's end is a cut
	failed     func(*connection, error) // called with a connection that ended for another reason and isn't reopened
	beforeOpen func(*connection)        // called before each reconnect by the connection's owner

	mu          sync.Mutex
	cuts        int
	ended       int // of the cuts, those by the server or the network in a drill whose own cuts are client.ErrCut
	resumed     int // answered with everything since the cut
	withGap     int // answered with a gap
	early       int // cut again before the hello
	anew        int // without a position: cut before the client had one
	other       int // answered in another way
	waiting     int // connections between the cut and the hello
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
			if err := r.reopen(ctx, c, rng, !errors.Is(err, client.ErrCut)); err != nil {
				if !errors.Is(err, client.ErrStopped) && ctx.Err() == nil {
					r.failed(c, err)
				}
				return
			}
		}
	}
}

// reopen retries until the connection is open again or stopped. ended reports whether the connection ended otherwise than by
// client.ErrCut.
func (r *reconnects) reopen(ctx context.Context, c *connection, rng *rand.Rand, ended bool) error {
	delay := firstRetry
	r.mu.Lock()
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
			r.record(c, from, ended)
			r.mu.Unlock()
			return nil
		case errors.Is(err, client.ErrCut):
			// Cut again, usually before the whole hello had arrived.
			r.mu.Lock()
			if c.Greeted() { // the hello and the cut were in the same read
				r.record(c, from, ended)
				ended = false
			} else {
				r.cuts++
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
			r.mu.Lock()
			r.count(ended)
			r.mu.Unlock()
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

// count counts a cut. r.mu is held.
func (r *reconnects) count(ended bool) {
	r.cuts++
	if ended {
		r.ended++
	}
}

// record counts a cut and its reconnect from a position by the server's answer. r.mu is held.
func (r *reconnects) record(c *connection, from string, ended bool) {
	r.count(ended)
	c.recovered.Store(true)
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

// progress returns how many cuts have an answer, and how many connections are being reopened.
func (r *reconnects) progress() (cuts, waiting int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cuts, r.waiting
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
