package loadtest

import (
	"context"
	"time"

	"ticklane/internal/loadtest/report"
	"ticklane/internal/loadtest/stats"
)

// slow measures the connections that keep reading before, while and after others stop reading, each for the duration of a
// window.
func (d *drillRun) slow(ctx context.Context) error {
	c, lane := d.clients, d.clients.all[0]
	d.progress("connecting %d", len(c.all))
	if err := c.open(ctx, d.options.Ramp, c.own(ctx)); err != nil {
		return err
	}
	if err := d.warmUp(ctx); err != nil {
		return err
	}
	first, err := d.target.stats(ctx)
	if err != nil {
		return err
	}
	if err := d.phases(ctx); err != nil {
		return err
	}
	if d.result.Late, err = c.settle(ctx, d.target); err != nil {
		return err
	}
	last, err := d.target.stats(ctx)
	if err != nil {
		return err
	}
	c.close()
	check, stalled := c.counts()
	name := lane.Hello().Lane
	d.result.Stalled = &report.Stalled{
		Connections: stalledConns(d.options.Conns), Dropped: c.restDrops(), Check: stalled,
		ServerSlow: last.Lanes[name].Slow - first.Lanes[name].Slow, Ticks: stats.Recorders{c.rest}.Delivered(),
	}
	if n, err := c.drops(); n > 0 {
		d.invalid("%d connections that kept reading ended, the first because: %v", n, err)
	}
	if check.Gaps > 0 {
		d.invalid("connections that kept reading received %d gap messages", check.Gaps)
	}
	if d.result.Late > 0 {
		d.invalid("%d ticks had not arrived %v after the end", d.result.Late, settleTimeout)
	}
	return nil
}

// phases measures the phases, and stalls connections in the second one.
func (d *drillRun) phases(ctx context.Context) error {
	var release []func()
	releaseAll := func() {
		for _, r := range release {
			r()
		}
	}
	defer releaseAll()
	for _, name := range report.Phases {
		switch name {
		case "stalled":
			for _, conn := range d.clients.all {
				if !conn.measured {
					release = append(release, conn.Stall())
				}
			}
		case "after":
			releaseAll()
		}
		p, err := d.phase(ctx, name)
		if err != nil {
			return err
		}
		d.result.Phases = append(d.result.Phases, p)
		d.result.Ticks += p.Ticks
		if reason := latenessReason(p.Generator); reason != "" {
			d.invalid("phase %s: %s", name, reason)
		}
	}
	return nil
}

// phase measures the connections that keep reading for one window.
func (d *drillRun) phase(ctx context.Context, name string) (report.Phase, error) {
	inner, cancel := context.WithCancel(ctx)
	lateness := stats.WatchLateness(inner)
	defer func() { cancel(); <-lateness.Done() }()
	before, err := d.target.stats(ctx)
	if err != nil {
		return report.Phase{}, err
	}
	recs := d.clients.recs
	recs.Open()
	start, cpu := time.Now(), cpuTime()
	if err := pause(ctx, d.options.Duration, func(left time.Duration) { d.progress("phase %s, %.0f s left", name, left.Seconds()) }); err != nil {
		return report.Phase{}, err
	}
	after, err := d.target.stats(ctx)
	if err != nil {
		return report.Phase{}, err
	}
	recs.Close()
	seconds := time.Since(start).Seconds()
	totals := recs.Totals()
	p := report.Phase{
		Name: name, Ticks: totals.Ticks, PerSecond: float64(totals.Ticks) / seconds, Latency: totals.Latency,
		Server: report.Server{
			CPUSeconds: after.Process.CPUSeconds - before.Process.CPUSeconds, RSSIdle: before.Process.RSS, RSSConnected: after.Process.RSS,
		},
		Generator: generatorUse(cpuTime()-cpu, seconds, lateness),
	}
	if totals.Ticks > 0 {
		p.Server.CPUPerMillion = p.Server.CPUSeconds / float64(totals.Ticks) * 1e6
	}
	return p, nil
}
