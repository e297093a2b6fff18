package loadtest

import (
	"context"
	"fmt"
	"time"
)

// SlowPhase is what the connections that read had before, while and after others stood still.
type SlowPhase struct {
	Name      string    `json:"name"` // "before", "stalled" or "after"
	Ticks     uint64    `json:"ticks"`
	PerSecond float64   `json:"ticks_per_second"`
	Latency   Latency   `json:"latency"`
	Server    Server    `json:"server"`
	Generator Generator `json:"generator"`
}

// Stalled is what became of those that stopped reading.
type Stalled struct {
	Connections int    `json:"connections"`
	Dropped     uint64 `json:"dropped"`        // disconnected by the server
	Check       counts `json:"check"`          // gaps told are the contract's way; anything lost or doubled is not
	ServerSlow  uint64 `json:"server_slow"`    // the server's own count of slow ones
	Ticks       uint64 `json:"ticks_received"` // since the drill's start
}

// stalledOf is how many of the connections stand still: a tenth.
func stalledOf(conns int) int { return max(1, conns/10) }

func sayWarm(say func(string, ...any)) func(time.Duration) {
	return func(time.Duration) { say("warming up") }
}

// drillSlow measures the others before, while and after some stop reading, each for the window's duration.
func drillSlow(ctx context.Context, o *Options, t *target, f *fleet, d *Drill, say func(string, ...any)) error {
	say("connecting %d", len(f.clients))
	if err := f.open(ctx, o.Ramp, f.own(ctx)); err != nil {
		return err
	}
	if err := idleFor(ctx, o.Warmup, sayWarm(say)); err != nil {
		return err
	}
	first, err := t.stats(ctx)
	if err != nil {
		return err
	}
	var release []func()
	defer func() {
		for _, r := range release {
			r()
		}
	}()
	for _, name := range []string{"before", "stalled", "after"} {
		switch name {
		case "stalled":
			for _, c := range f.clients {
				if c.role == stalled {
					release = append(release, c.stall())
				}
			}
		case "after":
			for _, r := range release {
				r()
			}
		}
		p, err := phase(ctx, o, t, f, name, say)
		if err != nil {
			return err
		}
		d.Phases = append(d.Phases, p)
		d.Ticks += p.Ticks
		if why := p.Generator.late(); why != "" {
			d.Reasons = append(d.Reasons, "phase "+name+": "+why)
		}
	}
	if d.Late, err = f.settle(ctx, t, settleTimeout); err != nil {
		return err
	}
	last, err := t.stats(ctx)
	if err != nil {
		return err
	}
	f.close()
	check, stuck := f.counts()
	d.Stalled = &Stalled{
		Connections: stalledOf(o.Conns), Dropped: recorders{f.slowRec}.sum().dropped, Check: stuck,
		ServerSlow: last.Lanes[f.side.Lane].Slow - first.Lanes[f.side.Lane].Slow, Ticks: recorders{f.slowRec}.delivered(),
	}
	if n, why := f.drops(); n > 0 {
		d.Reasons = append(d.Reasons, fmt.Sprintf("%d connections that read all the time ended, the first because: %v", n, why))
	}
	if check.Gaps > 0 {
		d.Reasons = append(d.Reasons, fmt.Sprintf("connections that read all the time were told %d gaps", check.Gaps))
	}
	if d.Late > 0 {
		d.Reasons = append(d.Reasons, fmt.Sprintf("%d ticks had not come %v after the end", d.Late, settleTimeout))
	}
	return nil
}

// phase measures the connections that read for one window.
func phase(ctx context.Context, o *Options, t *target, f *fleet, name string, say func(string, ...any)) (SlowPhase, error) {
	inner, end := context.WithCancel(ctx)
	w := startWatch(inner)
	defer func() { end(); <-w.done }()
	before, err := t.stats(ctx)
	if err != nil {
		return SlowPhase{}, err
	}
	f.recs.open()
	start, cpu := time.Now(), cpuTime()
	if err := idleFor(ctx, o.Duration, func(left time.Duration) { say("phase %s, %.0f s left", name, left.Seconds()) }); err != nil {
		return SlowPhase{}, err
	}
	after, err := t.stats(ctx)
	if err != nil {
		return SlowPhase{}, err
	}
	f.recs.close()
	seconds := time.Since(start).Seconds()
	sum := f.recs.sum()
	p := SlowPhase{
		Name: name, Ticks: sum.ticks, PerSecond: float64(sum.ticks) / seconds, Latency: latencyOf(sum),
		Server: Server{
			CPUSeconds: after.Process.CPUSeconds - before.Process.CPUSeconds, RSSIdle: before.Process.RSS, RSSConnected: after.Process.RSS,
		},
		Generator: generator(cpuTime()-cpu, seconds, w),
	}
	if sum.ticks > 0 {
		p.Server.CPUPerMillion = p.Server.CPUSeconds / float64(sum.ticks) * 1e6
	}
	return p, nil
}
