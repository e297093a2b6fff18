package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Runner runs plans, prints its progress and saves each measurement.
type Runner struct {
	ctx      context.Context // ends when the run is interrupted
	Launcher *Launcher
	Config   Config
	Result   *Result
	Out      io.Writer
	started  time.Time
	expect   time.Duration
	missing  map[string]string // why servers aren't available, by name
	measured int
	failed   error
	save     func() error
}

// overhead returns the time that a measurement takes besides its warm-up and window: start, connections, stop.
func overhead(subs int) time.Duration {
	return 600*time.Millisecond + time.Duration(subs)*150*time.Microsecond
}

// errInterrupted is the error of an interrupted run.
var errInterrupted = errors.New("interrupted")

// done reports whether the run has failed or was interrupted.
func (r *Runner) done() bool {
	if r.failed == nil && r.ctx.Err() != nil {
		r.failed = errInterrupted
	}
	return r.failed != nil
}

// measure runs a plan unless its server isn't available. It returns nil if nothing was measured.
func (r *Runner) measure(experiment, variant string, round int, p Plan) *Measurement {
	if r.done() {
		return nil
	}
	if _, ok := r.missing[p.Spec.Name]; ok {
		return nil
	}
	m, err := r.Launcher.measure(r.ctx, p)
	if r.done() {
		return nil // an interrupted measurement means nothing
	}
	m.Experiment, m.Variant, m.Round = experiment, variant, round
	if reason, ok := unavailable(err); ok {
		m.Missing = reason
		r.missing[p.Spec.Name] = reason
	} else if err != nil {
		r.failed = fmt.Errorf("%s, %s: %w", experiment, p.Spec.Name, err)
		return nil
	}
	r.Result.add(m)
	r.measured++
	r.print(m)
	if err := r.save(); err != nil {
		r.failed = err
	}
	if m.Missing != "" {
		return nil
	}
	return m
}

// print prints the line of a measurement.
func (r *Runner) print(s *Measurement) {
	name := s.Shape
	if s.Variant != "" {
		name += " (" + s.Variant + ")"
	}
	fmt.Fprintf(r.Out, "%5.0f s of ~%.0f  %-10s round %d  %-34s ", time.Since(r.started).Seconds(), r.expect.Seconds(), s.Experiment, s.Round, name)
	if s.Missing != "" {
		fmt.Fprintf(r.Out, "not available: %s\n", s.Missing)
		return
	}
	ticks := "every tick once"
	if c := s.Counts; !c.Complete() {
		ticks = fmt.Sprintf("%d received, lost %d, repeated %d, closed %d, silent %d", c.Ticks, c.Lost, c.Repeated, c.Closed, c.Silent+c.Stuck)
		for reason, n := range c.Broken {
			ticks += fmt.Sprintf(", %d broken: %s", n, reason)
		}
	}
	others := ""
	if s.Disturbed(r.Result.Machine.Cores) > maxDisturbance {
		others = fmt.Sprintf("; other processes used %.0f %% of the machine", 100*s.Disturbed(r.Result.Machine.Cores))
	}
	fmt.Fprintf(r.Out, "%d × %.4g/s: %.2f µs per tick, %s ticks/s, p99 %s, %s%s\n", s.Subs, s.Rate, s.PerTick(), count(s.Delivered()), micros(float64(s.P99)), ticks, others)
}

// rounds runs f for each server, in alternating directions, so that a drift of the machine affects all alike.
func (r *Runner) rounds(n int, list []Spec, f func(round int, s Spec)) {
	for round := 1; round <= n; round++ {
		for i := range list {
			if round%2 == 0 {
				i = len(list) - 1 - i
			}
			f(round, list[i])
		}
	}
}
