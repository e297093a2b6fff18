package loadtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// opening is how many handshakes are under way at once: below the backlog of any listener.
const opening = 128

// fleet is the connections of one slot or drill to one side. close ends them and waits for their goroutines.
type fleet struct {
	side    *Side
	clients []*client // measured ones first
	recs    recorders
	slowRec *recorder

	owners  sync.WaitGroup
	opened  atomic.Int64
	churned atomic.Uint64
	mu      sync.Mutex
	dropped int // connections that ended without being told to
	why     error
}

// newFleet makes the clients, and opens none.
func newFleet(t *target, side *Side, conns, others int, other role) *fleet {
	f := &fleet{side: side, recs: newRecorders(), slowRec: &recorder{latency: newHistogram()}}
	for k := range conns {
		f.clients = append(f.clients, newClient(t, side, measured, f.recs[k%len(f.recs)]))
	}
	for range others {
		f.clients = append(f.clients, newClient(t, side, other, f.slowRec))
	}
	return f
}

// open connects all clients, spread over ramp, and runs own for each in a goroutine of its own. It returns when all
// have said hello, or at the first that couldn't.
func (f *fleet) open(ctx context.Context, ramp time.Duration, own func(*client)) error {
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(opening)
	start := time.Now()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for k, c := range f.clients {
		pause.Reset(time.Until(start.Add(ramp * time.Duration(k) / time.Duration(len(f.clients)))))
		select {
		case <-pause.C:
		case <-inner.Done():
		}
		if inner.Err() != nil {
			break
		}
		group.Go(func() error {
			if err := c.open(inner, ""); err != nil {
				return fmt.Errorf("connection %d of %d: %w", k+1, len(f.clients), err)
			}
			f.opened.Add(1)
			f.owners.Go(func() { own(c) })
			return nil
		})
	}
	err := group.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// own reads a client's connection to its end; a client that churn sent away comes back from its position.
func (f *fleet) own(ctx context.Context) func(*client) {
	return func(c *client) {
		for {
			err := c.read()
			if errors.Is(err, errStopped) {
				return
			}
			if !c.away.Load() {
				f.drop(c, err)
				return
			}
			if err := c.open(ctx, c.position()); err != nil {
				if !errors.Is(err, errStopped) && ctx.Err() == nil {
					f.drop(c, err)
				}
				return
			}
			f.churned.Add(1)
			c.away.Store(false)
		}
	}
}

func (f *fleet) drop(c *client, err error) {
	if c.role != measured {
		c.rec.mu.Lock()
		c.rec.dropped++
		c.rec.mu.Unlock()
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dropped++
	if c.bye.T != "" {
		err = fmt.Errorf("the server said bye: %s", c.bye.Reason)
	}
	if f.why == nil {
		f.why = err
	}
}

// drops is how many measured connections ended without being told to, and why the first did.
func (f *fleet) drops() (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dropped, f.why
}

// churn sends away a random measured client so often in a second, until ctx is done.
func (f *fleet) churn(ctx context.Context, rate float64, measured int, rng *rand.Rand) {
	tick := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if c := f.clients[rng.IntN(measured)]; c.away.CompareAndSwap(false, true) {
			c.leave()
		}
	}
}

// counts sums the accounts of the measured clients.
func (f *fleet) counts() (sum, slow counts) {
	for _, c := range f.clients {
		c.rec.mu.Lock()
		if c.role == measured {
			sum.add(c.check.counts)
		} else {
			slow.add(c.check.counts)
		}
		c.rec.mu.Unlock()
	}
	return sum, slow
}

// behind is how many ticks up to a baseline the measured clients have not got yet.
func (f *fleet) behind(at baseline) (ticks uint64) {
	for _, c := range f.clients {
		if c.role == measured {
			c.rec.mu.Lock()
			ticks += c.check.behind(at)
			c.rec.mu.Unlock()
		}
	}
	return ticks
}

// settle waits until all measured clients have what the server had when it is called, at most for grace, and returns
// how many ticks had not come by then.
func (f *fleet) settle(ctx context.Context, t *target, grace time.Duration) (late uint64, err error) {
	at, err := t.baseline(ctx)
	if err != nil {
		return 0, err
	}
	end := time.Now().Add(grace)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		if late = f.behind(at); late == 0 || time.Now().After(end) {
			return late, nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return late, ctx.Err()
		}
	}
}

// close ends all connections and waits for their goroutines.
func (f *fleet) close() {
	for _, c := range f.clients {
		c.stop()
	}
	f.owners.Wait()
}
