package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"ticklane/bench/generator"
)

// Plan is one measurement: one server, its subscribers, one window.
type Plan struct {
	Shape   Shape
	Options Options
	Subs    int
	Stalled bool // one more subscriber, which never reads
	Warm    time.Duration
	Window  time.Duration
}

// Slot is what was measured. The raw rows of the result are slots.
type Slot struct {
	Run        int     `json:"run,omitempty"` // which of the result's runs measured it, from 1
	Experiment string  `json:"experiment"`
	Shape      string  `json:"shape"`
	Variant    string  `json:"variant,omitempty"` // what differs between slots of one shape
	Round      int     `json:"round"`
	Subs       int     `json:"subs"`
	Rate       float64 `json:"rate"`
	Command    string  `json:"command,omitempty"`
	Missing    string  `json:"missing,omitempty"` // why this server can't do it

	Seconds  float64           `json:"seconds,omitempty"`
	Counts   *generator.Counts `json:"counts,omitempty"`
	CPU      time.Duration     `json:"cpu_ns,omitempty"`
	GenCPU   time.Duration     `json:"generator_cpu_ns,omitempty"`
	Others   time.Duration     `json:"others_cpu_ns"` // processor time of everything else on this machine, stolen time included
	Switches int64             `json:"context_switches,omitempty"`
	P50      int64             `json:"p50_us,omitempty"`
	P99      int64             `json:"p99_us,omitempty"`
	P999     int64             `json:"p999_us,omitempty"`
	Max      int64             `json:"max_us,omitempty"`
	Before   Memory            `json:"memory_before"` // no connections
	After    Memory            `json:"memory_after"`
	Unsent   int64             `json:"unsent,omitempty"` // in the stalled subscriber's socket, before the window
	Head     uint64            `json:"head_growth,omitempty"`
}

// PerTick is the server's processor time for a delivered tick, in µs.
func (s *Slot) PerTick() float64 {
	if s.Counts == nil || s.Counts.Ticks == 0 {
		return 0
	}
	return s.CPU.Seconds() * 1e6 / float64(s.Counts.Ticks)
}

// Delivered are ticks a second, over all subscribers, but no more than were due: what comes beyond that in a window
// was held up before it.
func (s *Slot) Delivered() float64 {
	if s.Counts == nil || s.Seconds == 0 {
		return 0
	}
	return min(float64(s.Counts.Ticks)/s.Seconds, s.Rate*float64(s.Subs))
}

// BytesPerTick are bytes on the wire.
func (s *Slot) BytesPerTick() float64 {
	if s.Counts == nil || s.Counts.Ticks == 0 {
		return 0
	}
	return float64(s.Counts.Bytes) / float64(s.Counts.Ticks)
}

// disturbed is the share of the machine that a slot may leave to others.
const disturbed = .05

// Disturbed is the share of so many processors that others took.
func (s *Slot) Disturbed(cores int) float64 {
	if s.Seconds == 0 {
		return 0
	}
	return s.Others.Seconds() / s.Seconds / float64(cores)
}

// PerConn is the memory of one connection, in bytes.
func (s *Slot) PerConn() float64 {
	if s.Subs == 0 {
		return 0
	}
	return float64(s.After.RSS-s.Before.RSS) / float64(s.Subs)
}

// notAvailable is a server that can't do what its shape says.
type notAvailable struct{ why string }

func (e notAvailable) Error() string { return e.why }

// dials are how the subscribers of a shape ask, by lane.
func (s Shape) dials(port, n int) map[string]struct {
	Dial generator.Dial
	N    int
} {
	type ask = struct {
		Dial generator.Dial
		N    int
	}
	out := map[string]ask{}
	for _, lane := range []string{"sse", "ws"} {
		if s.Lane != lane && s.Lane != "mixed" {
			continue
		}
		m := n
		if s.Lane == "mixed" {
			if m = n / 2; lane == "ws" {
				m = n - n/2
			}
		}
		d := generator.Dial{Port: port, WS: lane == "ws", Path: s.Path, Compress: s.Compress}
		if d.Path == "" {
			d.Path = "/"
		}
		if s.Kind == "ticklane" {
			d.Path = "/" + lane + "/subscribe?snapshot=false"
			if s.Protobuf {
				d.Protocol = "ticklane.v1.protobuf"
			}
		}
		out[lane] = ask{d, m}
	}
	return out
}

// measure runs one slot.
func (h *House) measure(ctx context.Context, p Plan) (*Slot, error) {
	slot := &Slot{Shape: p.Shape.Name, Subs: p.Subs, Rate: p.Options.Rate}
	srv, err := h.start(ctx, p.Shape, p.Options)
	if err != nil {
		return slot, notAvailable{err.Error()}
	}
	defer srv.stop()
	slot.Command = withoutFolders(srv.Argv)
	gen, err := generator.New()
	if err != nil {
		return slot, err
	}
	defer gen.Close()
	time.Sleep(200 * time.Millisecond) // its start's own work
	slot.Before = memory(srv.pid())
	asks := p.Shape.dials(srv.Port, p.Subs)
	if p.Stalled {
		for _, a := range asks {
			a.Dial.Stalled = true
			if err := gen.Open(ctx, 1, a.Dial); err != nil {
				return slot, err
			}
			break
		}
	}
	for _, lane := range []string{"sse", "ws"} {
		if a, ok := asks[lane]; ok {
			if err := gen.Open(ctx, a.N, a.Dial); err != nil {
				return slot, notAvailable{err.Error()}
			}
		}
	}
	warm := gen.Window(ctx, p.Warm)
	if err := p.Shape.proves(gen, p.Subs); err != nil {
		return slot, err
	}
	if p.Stalled {
		slot.Unsent = unsent(srv.Port)
	}
	cpu0, err := cpu(srv.pid())
	if err != nil {
		return slot, srv.died(err)
	}
	gen0, err := cpu(os.Getpid())
	if err != nil {
		return slot, err
	}
	switches0, busy0, start := switches(srv.pid()), busy(), time.Now()
	slot.Counts = gen.Window(ctx, p.Window)
	slot.Seconds = time.Since(start).Seconds()
	busy1 := busy()
	cpu1, err := cpu(srv.pid())
	if err != nil {
		return slot, srv.died(err)
	}
	gen1, err := cpu(os.Getpid())
	if err != nil {
		return slot, err
	}
	slot.CPU, slot.GenCPU, slot.Switches = cpu1-cpu0, gen1-gen0, switches(srv.pid())-switches0
	slot.Others = max(0, busy1-busy0-slot.CPU-slot.GenCPU)
	slot.After = memory(srv.pid())
	slot.P50, slot.P99, slot.P999, slot.Max = slot.Counts.Quantile(.5), slot.Counts.Quantile(.99), slot.Counts.Quantile(.999), slot.Counts.Latency.Max()
	// What was lost while it warmed up counts as well.
	slot.Counts.Lost += warm.Lost
	slot.Counts.Repeated += warm.Repeated
	slot.Counts.Closed += warm.Closed
	for k, n := range warm.Broken {
		slot.Counts.Broken[k] += n
	}
	return slot, nil
}

// proves holds a Ticklane to its shape: hello tells the engine, the answer's head the compression.
func (s Shape) proves(gen *generator.Generator, subs int) error {
	if s.Kind != "ticklane" {
		return nil
	}
	if n := gen.Compressed(); s.Compress && n != subs || !s.Compress && n != 0 {
		return notAvailable{fmt.Sprintf("%d of %d connections are compressed", n, subs)}
	}
	hello := gen.Hello()
	if s.Protobuf {
		if !strings.Contains(hello, s.Engine) { // a string field's bytes
			return notAvailable{"hello tells of another engine than " + s.Engine}
		}
		return nil
	}
	if !strings.Contains(hello, `"engine":"`+s.Engine+`"`) {
		return notAvailable{"hello tells of another engine than " + s.Engine}
	}
	return nil
}

func unavailable(err error) (string, bool) {
	var n notAvailable
	ok := errors.As(err, &n)
	return n.why, ok
}
