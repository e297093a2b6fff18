package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"ticklane/bench/generator"
	"ticklane/internal/wire"
)

// Plan is what to measure: one server, its subscribers, one window.
type Plan struct {
	Spec    Spec
	Options Options
	Subs    int
	Stalled bool // a further subscriber, which never reads
	Warm    time.Duration
	Window  time.Duration
}

// Measurement is one measurement of a target: a raw row of the result.
type Measurement struct {
	Run        int     `json:"run,omitempty"` // which of the result's runs measured it, from 1
	Experiment string  `json:"experiment"`
	Shape      string  `json:"shape"`
	Variant    string  `json:"variant,omitempty"` // what differs between measurements of one shape
	Round      int     `json:"round"`
	Subs       int     `json:"subs"`
	Rate       float64 `json:"rate"`
	Command    string  `json:"command,omitempty"`
	Missing    string  `json:"missing,omitempty"` // why this server isn't available

	Seconds  float64           `json:"seconds,omitempty"`
	Counts   *generator.Counts `json:"counts,omitempty"`
	CPU      time.Duration     `json:"cpu_ns,omitempty"`
	GenCPU   time.Duration     `json:"generator_cpu_ns,omitempty"`
	Others   time.Duration     `json:"others_cpu_ns"` // CPU time of everything else on this machine, stolen time included
	Switches int64             `json:"context_switches,omitempty"`
	P50      int64             `json:"p50_us,omitempty"`
	P99      int64             `json:"p99_us,omitempty"`
	P999     int64             `json:"p999_us,omitempty"`
	Max      int64             `json:"max_us,omitempty"`
	Before   Memory            `json:"memory_before"` // without connections
	After    Memory            `json:"memory_after"`
	Unsent   int64             `json:"unsent,omitempty"` // bytes in the stalled subscriber's socket, before the window
	Head     uint64            `json:"head_growth,omitempty"`
}

// PerTick returns the server's CPU time per delivered tick, in µs.
func (s *Measurement) PerTick() float64 {
	if s.Counts == nil || s.Counts.Ticks == 0 {
		return 0
	}
	return s.CPU.Seconds() * 1e6 / float64(s.Counts.Ticks)
}

// Delivered returns the ticks/s over all subscribers, but no more than were due: further ones were delayed from before the
// window.
func (s *Measurement) Delivered() float64 {
	if s.Counts == nil || s.Seconds == 0 {
		return 0
	}
	return min(float64(s.Counts.Ticks)/s.Seconds, s.Rate*float64(s.Subs))
}

// BytesPerTick returns the bytes on the wire per tick.
func (s *Measurement) BytesPerTick() float64 {
	if s.Counts == nil || s.Counts.Ticks == 0 {
		return 0
	}
	return float64(s.Counts.Bytes) / float64(s.Counts.Ticks)
}

// maxDisturbance is the share of the machine that other processes may use in a window.
const maxDisturbance = .05

// Disturbed returns the share of so many cores that other processes used.
func (s *Measurement) Disturbed(cores int) float64 {
	if s.Seconds == 0 {
		return 0
	}
	return s.Others.Seconds() / s.Seconds / float64(cores)
}

// PerConn returns the memory per connection, in bytes.
func (s *Measurement) PerConn() float64 {
	if s.Subs == 0 {
		return 0
	}
	return float64(s.After.RSS-s.Before.RSS) / float64(s.Subs)
}

// unavailableError is the reason why a server can't run as specified.
type unavailableError struct{ reason string }

func (e unavailableError) Error() string { return e.reason }

// subscribers are some of the subscribers of a server, which ask for the same.
type subscribers struct {
	dial generator.Dial
	n    int
}

// subscribers returns what n subscribers of a server ask for, by lane.
func (s Spec) subscribers(port, n int) (all []subscribers) {
	for lane := range wire.Lanes {
		name, count := wire.Lane(lane).String(), n
		switch {
		case s.Lane == "mixed" && lane == wire.SSE:
			count = n / 2
		case s.Lane == "mixed":
			count = n - n/2
		case s.Lane != name:
			continue
		}
		d := generator.Dial{Port: port, Lane: wire.Lane(lane), Path: cmp.Or(s.Path, "/"), Compress: s.Compress}
		if s.Kind == "ticklane" {
			d.Path = "/" + name + "/subscribe?snapshot=false"
			if s.Protobuf {
				d.Protocol = "ticklane.v1.protobuf"
			}
		}
		all = append(all, subscribers{d, count})
	}
	return all
}

// measure starts a server and measures it. The error is an unavailableError if the server can't be measured.
func (h *Launcher) measure(ctx context.Context, p Plan) (*Measurement, error) {
	m := &Measurement{Shape: p.Spec.Name, Subs: p.Subs, Rate: p.Options.Rate}
	srv, err := h.start(ctx, p.Spec, p.Options)
	if err != nil {
		return m, unavailableError{err.Error()}
	}
	defer srv.stop()
	m.Command = baseNames(srv.Argv)
	gen, err := generator.New()
	if err != nil {
		return m, err
	}
	defer gen.Close()
	time.Sleep(200 * time.Millisecond) // until the work of its start is done
	m.Before = memory(srv.pid())
	subs := p.Spec.subscribers(srv.Port, p.Subs)
	if p.Stalled {
		stalled := subs[0].dial
		stalled.Stalled = true
		if err := gen.Open(ctx, 1, stalled); err != nil {
			return m, err
		}
	}
	for _, s := range subs {
		if err := gen.Open(ctx, s.n, s.dial); err != nil {
			return m, unavailableError{err.Error()}
		}
	}
	warm := gen.Window(ctx, p.Warm)
	if err := p.Spec.verify(gen, p.Subs); err != nil {
		return m, err
	}
	if p.Stalled {
		m.Unsent = unsent(srv.Port)
	}
	cpu0, err := cpu(srv.pid())
	if err != nil {
		return m, srv.died(err)
	}
	gen0, err := cpu(os.Getpid())
	if err != nil {
		return m, err
	}
	switches0, busy0, start := switches(srv.pid()), busy(), time.Now()
	m.Counts = gen.Window(ctx, p.Window)
	m.Seconds = time.Since(start).Seconds()
	busy1 := busy()
	cpu1, err := cpu(srv.pid())
	if err != nil {
		return m, srv.died(err)
	}
	gen1, err := cpu(os.Getpid())
	if err != nil {
		return m, err
	}
	m.CPU, m.GenCPU, m.Switches = cpu1-cpu0, gen1-gen0, switches(srv.pid())-switches0
	m.Others = max(0, busy1-busy0-m.CPU-m.GenCPU)
	m.After = memory(srv.pid())
	m.P50, m.P99, m.P999, m.Max = m.Counts.Quantile(.5), m.Counts.Quantile(.99), m.Counts.Quantile(.999), m.Counts.Latency.Max()
	// Losses during the warm-up count too.
	m.Counts.Lost += warm.Lost
	m.Counts.Repeated += warm.Repeated
	m.Counts.Closed += warm.Closed
	for k, n := range warm.Broken {
		m.Counts.Broken[k] += n
	}
	return m, nil
}

// verify checks that a Ticklane server runs as specified, by the engine in its hello and the compression of its
// streams.
func (s Spec) verify(gen *generator.Generator, subs int) error {
	if s.Kind != "ticklane" {
		return nil
	}
	if n := gen.Compressed(); s.Compress && n != subs || !s.Compress && n != 0 {
		return unavailableError{fmt.Sprintf("%d of %d connections are compressed", n, subs)}
	}
	if engine := gen.Engine(); engine != s.Engine {
		return unavailableError{fmt.Sprintf("the server uses engine %q, want %s", engine, s.Engine)}
	}
	return nil
}

// unavailable returns the reason of an unavailableError.
func unavailable(err error) (reason string, ok bool) {
	var u unavailableError
	ok = errors.As(err, &u)
	return u.reason, ok
}
