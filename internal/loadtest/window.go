package loadtest

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"ticklane/internal/loadtest/client"
	"ticklane/internal/loadtest/report"
	"ticklane/internal/loadtest/stats"
)

// progressFunc shows what a test is doing.
type progressFunc func(format string, a ...any)

// measure measures one window on a running server. An error ends the whole test.
func measure(ctx context.Context, o *Options, t *target, turn stats.Turn, progress progressFunc) (*measurement, error) {
	c := newClients(t, o.variants[turn.Variant], o.Conns, o.SlowReaders, client.Options{Slow: true})
	var background sync.WaitGroup
	inner, cancel := context.WithCancel(ctx)
	defer func() {
		cancel()
		background.Wait() // churn reopens clients, so it must end first
		c.close()
	}()
	m := &measurement{window: &report.Window{Round: turn.Round, Variant: report.Letter(turn.Variant), Connections: o.Conns}}
	var err error
	if m.start, err = t.stats(ctx); err != nil {
		return nil, err
	}
	progress("connecting %d", len(c.all))
	if err := c.open(ctx, o.Ramp, c.own(inner)); err != nil {
		return nil, err
	}
	m.hello = c.all[0].Hello()
	if o.Churn > 0 {
		rng := rand.New(rand.NewPCG(o.Seed, uint64(turn.Round)))
		background.Go(func() { c.churn(inner, o.Churn, o.Conns, rng) })
	}
	if err := pause(ctx, o.Warmup, func(time.Duration) { progress("warming up") }); err != nil {
		return nil, err
	}
	lateness := stats.WatchLateness(inner)
	background.Go(func() { <-lateness.Done() })
	if err := m.observe(ctx, o, t, c, lateness, progress); err != nil {
		return nil, err
	}
	if m.window.Late, err = c.settle(ctx, t); err != nil {
		return nil, err
	}
	m.fill(c)
	m.judge(o, t)
	return m, nil
}

// observe lets the window pass and takes what the server and the generator used in it.
func (m *measurement) observe(ctx context.Context, o *Options, t *target, c *clients, lateness *stats.Lateness, progress progressFunc) (err error) {
	if m.before, err = t.stats(ctx); err != nil {
		return err
	}
	c.recs.Open()
	stats.Recorders{c.rest}.Open()
	lateness.Reset()
	start, cpu := time.Now(), cpuTime()
	err = pause(ctx, o.Duration, func(left time.Duration) {
		progress("measuring, %.0f s left, %d ticks so far", left.Seconds(), c.recs.Delivered())
	})
	if err != nil {
		return err
	}
	m.after, err = t.stats(ctx)
	c.recs.Close()
	stats.Recorders{c.rest}.Close()
	m.window.Started, m.window.Seconds = start, time.Since(start).Seconds()
	m.window.Generator = generatorUse(cpuTime()-cpu, m.window.Seconds, lateness)
	return err
}
