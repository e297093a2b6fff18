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

// measurement is one window as it is measured.
type measurement struct {
	window  *report.Window
	hello   client.Hello
	start   serverStats // before the connections
	before  serverStats // at the start of the window
	after   serverStats // at its end
	ticks   uint64      // received in the window, by slow readers too
	dropErr error       // of the first dropped connection
}

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

// fill sets the figures of the window.
func (m *measurement) fill(c *clients) {
	w, totals, rest := m.window, c.recs.Totals(), stats.Recorders{c.rest}.Totals()
	w.Ticks, w.Messages, w.Reads, m.ticks = totals.Ticks, totals.Messages, totals.Reads, totals.Ticks+rest.Ticks
	w.PerSecond = float64(totals.Ticks) / w.Seconds
	w.Generator.Bytes, w.Generator.Saved = totals.Bytes, totals.Saved
	w.Churned = c.churns.Load()
	w.Latency = totals.Latency
	var slow report.Check
	w.Check, slow = c.counts()
	w.Dropped, m.dropErr = c.drops()
	if others := len(c.all) - w.Connections; others > 0 {
		w.SlowReaders = &report.SlowReaders{Connections: others, Gaps: slow.Gaps, Dropped: c.restDrops(), Check: slow}
	}
	m.fillServer(len(c.all))
}

// fillServer sets what the server used, with so many connections open.
func (m *measurement) fillServer(connections int) {
	a, b := m.after.Lanes[m.hello.Lane], m.before.Lanes[m.hello.Lane]
	s := &m.window.Server
	*s = report.Server{
		CPUSeconds: m.after.Process.CPUSeconds - m.before.Process.CPUSeconds,
		RSSIdle:    m.start.Process.RSS, RSSConnected: m.after.Process.RSS,
	}
	if m.ticks > 0 {
		s.CPUPerMillion = s.CPUSeconds / float64(m.ticks) * 1e6
	}
	if ticks := float64(a.Ticks - b.Ticks); ticks > 0 {
		s.WirePerTick = float64(a.Wire-b.Wire) / ticks
		s.PayloadPerTick = float64(a.Payload-b.Payload) / ticks
		s.WritesPerTick = float64(a.Writes-b.Writes) / ticks
	}
	if m.fresh() && s.RSSIdle > 0 && s.RSSConnected > s.RSSIdle {
		kib := float64(s.RSSConnected-s.RSSIdle) / 1024 / float64(connections)
		s.KiBPerConn = &kib
	}
}

// fresh reports whether the server had hardly any streams before this window. It keeps the memory of earlier streams.
func (m *measurement) fresh() bool {
	var opened uint64
	for _, l := range m.start.Lanes {
		opened += l.Opened
	}
	return opened*50 <= uint64(m.window.Connections)
}
