package main

import (
	"context"
	"fmt"
	"time"
)

// market measures a Ticklane server that only generates and appends ticks.
func (h *Launcher) market(ctx context.Context, s Spec, c Config) (*Measurement, error) {
	m := &Measurement{Shape: s.Name, Rate: marketRate}
	srv, err := h.start(ctx, s, Options{Rate: marketRate})
	if err != nil {
		return m, unavailableError{err.Error()}
	}
	defer srv.stop()
	pause(ctx, c.Warm+time.Second)
	// The head is requested outside of the interval of the CPU time; its growth is divided by its own interval.
	from, err := srv.head()
	if err != nil {
		return m, err
	}
	start := time.Now()
	cpu0, err := cpu(srv.pid())
	if err != nil {
		return m, err
	}
	pause(ctx, 2*c.Window)
	cpu1, err := cpu(srv.pid())
	if err != nil {
		return m, err
	}
	m.Seconds = time.Since(start).Seconds()
	to, err := srv.head()
	if err != nil {
		return m, err
	}
	m.CPU, m.Head, m.After = cpu1-cpu0, to-from, memory(srv.pid())
	return m, nil
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func (r *Runner) printMarket(s *Measurement) {
	if s.Missing != "" {
		fmt.Fprintf(r.Out, "market: not available: %s\n", s.Missing)
		return
	}
	fmt.Fprintf(r.Out, "%5.0f s of ~%.0f  market     round %d  %s ticks/s appended, %.0f %% of a core\n", time.Since(r.started).Seconds(), r.expect.Seconds(),
		s.Round, count(float64(s.Head)/s.Seconds), 100*s.CPU.Seconds()/s.Seconds)
}
