package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Runner measures slot after slot, tells how far it is, and keeps what it measured.
type Runner struct {
	ctx      context.Context // ends when somebody interrupts
	House    *House
	Config   Config
	Result   *Result
	Out      io.Writer
	started  time.Time
	expect   time.Duration
	missing  map[string]string // shapes that this binary or machine can't do
	measured int
	failed   error
	save     func() error
}

// overhead is what a slot takes besides its warm-up and its window: start, connections, stop.
func overhead(subs int) time.Duration {
	return 600*time.Millisecond + time.Duration(subs)*150*time.Microsecond
}

// errInterrupted ends a run that somebody stopped.
var errInterrupted = errors.New("interrupted")

// over says whether there is nothing more to measure.
func (r *Runner) over() bool {
	if r.failed == nil && r.ctx.Err() != nil {
		r.failed = errInterrupted
	}
	return r.failed != nil
}

// slot measures p, unless its server is known not to be there.
func (r *Runner) slot(experiment, variant string, round int, p Plan) *Slot {
	if r.over() {
		return nil
	}
	if _, ok := r.missing[p.Shape.Name]; ok {
		return nil
	}
	s, err := r.House.measure(r.ctx, p)
	if r.over() {
		return nil // what an interruption cut short tells nothing
	}
	s.Experiment, s.Variant, s.Round = experiment, variant, round
	if why, ok := unavailable(err); ok {
		s.Missing = why
		r.missing[p.Shape.Name] = why
	} else if err != nil {
		r.failed = fmt.Errorf("%s, %s: %w", experiment, p.Shape.Name, err)
		return nil
	}
	r.Result.add(s)
	r.measured++
	r.tell(s)
	if err := r.save(); err != nil {
		r.failed = err
	}
	if s.Missing != "" {
		return nil
	}
	return s
}

func (r *Runner) tell(s *Slot) {
	name := s.Shape
	if s.Variant != "" {
		name += " (" + s.Variant + ")"
	}
	fmt.Fprintf(r.Out, "%5.0f s of ~%.0f  %-10s round %d  %-34s ", time.Since(r.started).Seconds(), r.expect.Seconds(), s.Experiment, s.Round, name)
	if s.Missing != "" {
		fmt.Fprintf(r.Out, "not available: %s\n", s.Missing)
		return
	}
	whole := "every tick once"
	if c := s.Counts; !c.Whole() {
		whole = fmt.Sprintf("%d came, lost %d, repeated %d, closed %d, silent %d", c.Ticks, c.Lost, c.Repeated, c.Closed, c.Silent+c.Stuck)
		for why, n := range c.Broken {
			whole += fmt.Sprintf(", %d broken: %s", n, why)
		}
	}
	others := ""
	if s.Disturbed(r.Result.Machine.Cores) > disturbed {
		others = fmt.Sprintf("; others took %.0f %% of the machine", 100*s.Disturbed(r.Result.Machine.Cores))
	}
	fmt.Fprintf(r.Out, "%d × %.4g/s: %.2f µs a tick, %s ticks/s, p99 %s, %s%s\n", s.Subs, s.Rate, s.PerTick(), count(s.Delivered()), micros(float64(s.P99)), whole, others)
}

// rounds runs f for each shape, forth and back by turns, so that what drifts hits all alike.
func (r *Runner) rounds(n int, list []Shape, f func(round int, s Shape)) {
	for round := 1; round <= n; round++ {
		for i := range list {
			if round%2 == 0 {
				i = len(list) - 1 - i
			}
			f(round, list[i])
		}
	}
}
