package main

import (
	"context"
	"fmt"
	"time"
)

// market measures a Ticklane that only makes and appends ticks.
func (h *House) market(ctx context.Context, s Shape, c Config) (*Slot, error) {
	slot := &Slot{Shape: s.Name, Rate: marketRate}
	srv, err := h.start(ctx, s, Options{Rate: marketRate})
	if err != nil {
		return slot, notAvailable{err.Error()}
	}
	defer srv.stop()
	pause(ctx, c.Warm+time.Second)
	// The head is asked for outside of the processor's window, its growth is taken over its own time.
	from, err := srv.head()
	if err != nil {
		return slot, err
	}
	start := time.Now()
	cpu0, err := cpu(srv.pid())
	if err != nil {
		return slot, err
	}
	pause(ctx, 2*c.Window)
	cpu1, err := cpu(srv.pid())
	if err != nil {
		return slot, err
	}
	slot.Seconds = time.Since(start).Seconds()
	to, err := srv.head()
	if err != nil {
		return slot, err
	}
	slot.CPU, slot.Head, slot.After = cpu1-cpu0, to-from, memory(srv.pid())
	return slot, nil
}

// pause lets d pass, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func (r *Runner) tellMarket(s *Slot) {
	if s.Missing != "" {
		fmt.Fprintf(r.Out, "market: not available: %s\n", s.Missing)
		return
	}
	fmt.Fprintf(r.Out, "%5.0f s of ~%.0f  market     round %d  %s ticks/s appended, %.0f %% of a core\n", time.Since(r.started).Seconds(), r.expect.Seconds(),
		s.Round, count(float64(s.Head)/s.Seconds), 100*s.CPU.Seconds()/s.Seconds)
}
