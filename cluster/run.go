//go:build linux

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	loadBefore  = 1500 * time.Millisecond // load before the failure
	loadAfter   = 4 * time.Second         // and after it was mended
	wholeLimit  = 40 * time.Second        // until everything works again
	heartbeat   = 2 * time.Second
	silence     = 5 * heartbeat // after which a client reconnects
	loadTimeout = 60 * time.Second
)

// run runs cases on a cluster.
type run struct {
	settings
	parts
	ledger  *ledger
	feeder  *feeder // of lines; nil with the simulator
	streams []*stream
	tabs    []*tab
	conns   int // of each load
}

// follow starts the clients: on each lane one of each node, one through HAProxy, and a page through HAProxy. They end with ctx.
func (r *run) follow(ctx context.Context, browser context.Context, done *sync.WaitGroup) error {
	for _, lane := range []string{"sse", "ws"} {
		for _, x := range r.nodes {
			r.client(ctx, x.name()+" "+lane, lane, x.address(front)+":"+nodePort, done)
		}
		r.client(ctx, "haproxy "+lane, lane, r.public, done)
		if browser == nil {
			continue
		}
		s := newStream("page "+lane, r.ledger)
		t, err := openTab(browser, r.public, lane, s)
		if err != nil {
			return fmt.Errorf("page: %w", err)
		}
		r.streams, r.tabs = append(r.streams, s), append(r.tabs, t)
		done.Go(func() {
			if err := t.follow(ctx); err != nil {
				r.ledger.report("%s: %v", s.name, err)
			}
		})
	}
	return nil
}

func (r *run) client(ctx context.Context, name, lane, address string, done *sync.WaitGroup) {
	s := newStream(name, r.ledger)
	r.streams = append(r.streams, s)
	done.Go(func() { follow(ctx, s, lane, address, silence) })
}

// whole returns an error unless every part works and every client has what any client has.
func (r *run) whole(ctx context.Context) error {
	for _, x := range r.nats {
		if err := x.healthy(ctx); err != nil {
			return fmt.Errorf("%s: %w", x.name(), err)
		}
	}
	for _, x := range r.nodes {
		if err := x.ready(ctx); err != nil {
			return fmt.Errorf("%s: %w", x.name(), err)
		}
	}
	if _, err := r.writer(ctx); err != nil {
		return fmt.Errorf("writer: %w", err)
	}
	if _, err := r.leader(ctx); err != nil {
		return err
	}
	return r.caughtUp(ctx)
}

// caughtUp waits for a new tick and returns an error unless all clients get it soon.
func (r *run) caughtUp(ctx context.Context) error {
	const soon = time.Second
	epoch, before := r.ledger.head()
	err := until(ctx, soon, func(context.Context) error {
		if now, head := r.ledger.head(); now == epoch && head == before {
			return errors.New("no new ticks")
		}
		return nil
	})
	if err != nil {
		return err
	}
	epoch, head := r.ledger.head()
	return until(ctx, soon, func(context.Context) error {
		for _, s := range r.streams {
			if !s.reached(epoch, head) {
				return fmt.Errorf("%s is at %s, not at %s-%d", s.name, s.position(), epoch, head)
			}
		}
		return nil
	})
}

// run runs a case.
func (r *run) run(ctx context.Context, c *drillCase) (x result, err error) {
	x = result{Name: c.name, What: c.what, within: c.within}
	var loads []*load
	for _, lane := range []string{"sse", "ws"} {
		l, err := startLoad(r.dir, r.binary, r.public, c.name, lane, r.conns, loadBefore+c.hold+cmp.Or(c.after, loadAfter))
		if err != nil {
			return x, err
		}
		loads = append(loads, l)
	}
	time.Sleep(loadBefore)

	began := time.Now()
	r.ledger.begin(began)
	for _, s := range r.streams {
		s.begin(began)
	}
	epoch, _ := r.ledger.head()
	var mend func() error
	if x.Which, mend, err = c.fail(ctx, &r.parts); err != nil {
		return x, fmt.Errorf("%s: %w", c.name, err)
	}
	select {
	case <-ctx.Done():
		return x, ctx.Err()
	case <-time.After(c.hold):
	}
	mended := time.Now()
	if mend != nil {
		if err := mend(); err != nil {
			return x, fmt.Errorf("%s: mend: %w", c.name, err)
		}
	}
	err = until(ctx, wholeLimit, func(ctx context.Context) error {
		if now, _ := r.ledger.head(); (now != epoch) != c.newEpoch {
			return fmt.Errorf("the epoch is %s after %s", now, epoch)
		}
		return r.whole(ctx)
	})
	if ctx.Err() != nil {
		return x, ctx.Err()
	}
	if err != nil {
		x.Findings = append(x.Findings, fmt.Sprintf("not everything works %v after it was mended: %v", wholeLimit, err))
	}
	x.Back = seconds(time.Since(mended))
	for _, l := range loads {
		got, err := l.wait(ctx, loadTimeout)
		if ctx.Err() != nil {
			return x, ctx.Err()
		}
		if err != nil {
			x.Findings = append(x.Findings, err.Error())
			continue
		}
		x.Loads = append(x.Loads, got)
		x.Findings = append(x.Findings, got.findings(c.newEpoch)...)
	}
	r.conclude(ctx, &x, c)
	return x, nil
}

// conclude adds what the clients have seen.
func (r *run) conclude(ctx context.Context, x *result, c *drillCase) {
	now := time.Now()
	feed := r.ledger.stalled(now)
	x.Feed = seconds(feed)
	if c.within > 0 && feed > c.within {
		x.Findings = append(x.Findings, fmt.Sprintf("the feed stood still for %.1f s: want at most %v", x.Feed, c.within))
	}
	for _, s := range r.streams {
		still, n := s.end(now)
		x.Clients = append(x.Clients, clientResult{Name: s.name, Still: seconds(still), counts: n})
		if n.broken() || n.Reported > 0 || n.Resets > 0 && !c.newEpoch {
			x.Findings = append(x.Findings, fmt.Sprintf("%s: %d undetected gaps, %d doubles, %d reported gaps, %d resets, %d positions ignored, %d invalid messages",
				s.name, n.Undetected, n.Doubles, n.Reported, n.Resets, n.Ignored, n.Invalid))
		}
	}
	for _, t := range r.tabs {
		if err := t.live(ctx); err != nil {
			x.Findings = append(x.Findings, fmt.Sprintf("%s: %v", t.stream.name, err))
		}
	}
	x.Findings = append(x.Findings, r.ledger.verify()...)
	if c.lines {
		if err := r.checkLines(ctx); err != nil {
			x.Findings = append(x.Findings, "lines: "+err.Error())
		}
		x.Lines, x.SentAgain = r.feeder.accepted.Load(), r.feeder.errors.Swap(0)
	}
}

// takeLines replaces the simulator by a feed of lines, which goes on until ctx is done.
func (r *run) takeLines(ctx context.Context, done *sync.WaitGroup) error {
	if err := r.serveLines(ctx, r.settings); err != nil {
		return err
	}
	r.feeder = &feeder{}
	for _, x := range r.nodes {
		r.feeder.addresses = append(r.feeder.addresses, x.address(front)+":"+nodePort)
	}
	done.Go(func() { r.feeder.run(ctx) })
	return until(ctx, wholeLimit, r.whole)
}

func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }
