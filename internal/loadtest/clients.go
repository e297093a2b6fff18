package loadtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"ticklane/internal/loadtest/client"
	"ticklane/internal/loadtest/report"
	"ticklane/internal/loadtest/stats"
)

// maxOpening bounds the handshakes under way at once. It is below the backlog of any listener.
const maxOpening = 128

// settleTimeout is the time after which a tick that hasn't arrived counts as late.
const settleTimeout = 3 * time.Second

// connection is one client of a test. Its owner is the goroutine that reads it.
type connection struct {
	*client.Conn
	measured  bool
	churned   atomic.Bool // closed by churn and not yet reopened
	recovered atomic.Bool // reconnected after a cut, or dropped
	cutAt     time.Time   // of a drill's cut, until the client has caught up
}

// clients are the connections of one window or drill. close ends them and waits for their owners.
type clients struct {
	all  []*connection // the measured ones first
	recs stats.Recorders
	rest *stats.Recorder // of the others

	owners      sync.WaitGroup
	churns      atomic.Uint64 // connections reopened after churn
	mu          sync.Mutex
	dropped     int // measured connections that ended by themselves
	dropErr     error
	restDropped uint64
}

// newClients returns measured clients and others, all closed.
func newClients(t *target, v *Variant, measured, others int, o client.Options) *clients {
	c := &clients{recs: stats.NewRecorders(), rest: stats.NewRecorder()}
	from := func() netip.Addr { return sourceOf(t.sources, len(c.all), measured+others) }
	for k := range measured {
		c.all = append(c.all, &connection{Conn: client.New(&t.Server, &v.Request, c.recs[k%len(c.recs)], client.Options{From: from()}), measured: true})
	}
	for range others {
		o.From = from()
		c.all = append(c.all, &connection{Conn: client.New(&t.Server, &v.Request, c.rest, o)})
	}
	return c
}

// open connects all clients, spread over ramp, and runs own for each in a goroutine. It returns when all have received a
// hello, or when the first has failed.
func (c *clients) open(ctx context.Context, ramp time.Duration, own func(*connection)) error {
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(maxOpening)
	var opened atomic.Int64
	start := time.Now()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for k, conn := range c.all {
		pause.Reset(time.Until(start.Add(ramp * time.Duration(k) / time.Duration(len(c.all)))))
		select {
		case <-pause.C:
		case <-inner.Done():
		}
		if inner.Err() != nil {
			break
		}
		group.Go(func() error {
			if err := conn.Open(inner, ""); err != nil {
				if n := opened.Load(); n > 0 {
					return fmt.Errorf("with %d of %d connections open: %w", n, len(c.all), err)
				}
				return err
			}
			opened.Add(1)
			c.owners.Go(func() { own(conn) })
			return nil
		})
	}
	err := group.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// own returns the owner of a connection: it reads until the end, and resumes a connection that churn closed.
func (c *clients) own(ctx context.Context) func(*connection) {
	return func(conn *connection) {
		for {
			err := conn.Read()
			if errors.Is(err, client.ErrStopped) {
				return
			}
			if !conn.churned.Load() {
				c.drop(conn, err)
				return
			}
			if err := conn.Open(ctx, conn.Position()); err != nil {
				if !errors.Is(err, client.ErrStopped) && ctx.Err() == nil {
					c.drop(conn, err)
				}
				return
			}
			c.churns.Add(1)
			conn.churned.Store(false)
		}
	}
}

// drop counts a connection that ended by itself.
func (c *clients) drop(conn *connection, err error) {
	conn.recovered.Store(true)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !conn.measured {
		c.restDropped++
		return
	}
	c.dropped++
	if reason := conn.ByeReason(); reason != "" {
		err = fmt.Errorf("the server sent bye: %s", reason)
	}
	if c.dropErr == nil {
		c.dropErr = err
	}
}

// drops returns how many measured connections ended by themselves, and why the first did.
func (c *clients) drops() (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dropped, c.dropErr
}

// recovered returns how many connections have reconnected after a cut, or were dropped.
func (c *clients) recovered() (n int) {
	for _, conn := range c.all {
		if conn.recovered.Load() {
			n++
		}
	}
	return n
}

// restDrops returns how many of the other connections ended by themselves.
func (c *clients) restDrops() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.restDropped
}

// churn closes random measured connections, rate per second, until ctx ends.
func (c *clients) churn(ctx context.Context, rate float64, measured int, rng *rand.Rand) {
	tick := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if conn := c.all[rng.IntN(measured)]; conn.churned.CompareAndSwap(false, true) {
			conn.Leave()
		}
	}
}

// counts sums the deviations of the measured clients and of the others.
func (c *clients) counts() (measured, others report.Check) {
	var sum, rest client.Counts
	for _, conn := range c.all {
		if conn.measured {
			sum.Add(conn.Counts())
		} else {
			rest.Add(conn.Counts())
		}
	}
	return report.Check(sum), report.Check(rest)
}

// settle waits until all measured clients have what the server's log had when settle was called, for at most
// settleTimeout, and returns how many ticks had not arrived by then.
func (c *clients) settle(ctx context.Context, t *target) (late uint64, err error) {
	heads, err := t.heads(ctx)
	if err != nil {
		return 0, err
	}
	err = waitFor(ctx, settleTimeout, func() bool {
		late = 0
		for _, conn := range c.all {
			if conn.measured {
				late += conn.Behind(heads)
			}
		}
		return late == 0
	})
	if errors.Is(err, errTimeout) {
		err = nil
	}
	return late, err
}

// close ends all connections and waits for their owners.
func (c *clients) close() {
	for _, conn := range c.all {
		conn.Stop()
	}
	c.owners.Wait()
}
