package loadtest

import (
	"context"
	"slices"
	"time"
)

// Drill is what a drill did to one side, and how that took it.
type Drill struct {
	Name        string      `json:"name"` // of the side
	Side        string      `json:"side"`
	Valid       bool        `json:"valid"`
	Reasons     []string    `json:"reasons,omitempty"`
	Connections int         `json:"connections"`
	Seconds     float64     `json:"seconds"`
	Cuts        int         `json:"cuts"`
	Resumed     int         `json:"resumed"`          // came back with everything since the cut
	GapTold     int         `json:"gap_told"`         // came back and were told a gap
	Early       int         `json:"cut_before_hello"` // cut again before they were back: nothing was resumed yet
	Refused     int         `json:"refused"`          // attempts that the server turned away
	Ticks       uint64      `json:"ticks"`            // received, doubles included
	Replayed    uint64      `json:"replayed"`         // of them, from before the reconnect
	Late        uint64      `json:"late"`
	Check       counts      `json:"check"`
	Back        *Recovery   `json:"back,omitempty"`   // cut → hello
	Caught      *Recovery   `json:"caught,omitempty"` // cut → nothing missing any more
	Phases      []SlowPhase `json:"phases,omitempty"` // of drill slow
	Stalled     *Stalled    `json:"stalled,omitempty"`
	Generator   Generator   `json:"generator"`
}

// Recovery is a distribution of times, in ms.
type Recovery struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
	Curve []Point `json:"curve"` // how many were back after how long; at most 200 points
}

// Point is one of a curve: Count connections within Ms.
type Point struct {
	Ms    float64 `json:"ms"`
	Count int     `json:"count"`
}

// recoveryOf returns nil for no times.
func recoveryOf(times []time.Duration) *Recovery {
	if len(times) == 0 {
		return nil
	}
	t := slices.Sorted(slices.Values(times))
	at := func(p float64) float64 {
		k := min(len(t)-1, max(0, int(p*float64(len(t))+0.999999)-1)) // nearest rank
		return float64(t[k].Microseconds()) / 1000
	}
	r := &Recovery{Count: len(t), P50: at(.5), P90: at(.9), P99: at(.99), Max: at(1)}
	const most = 200
	step := max(1, (len(t)+most-1)/most)
	for k := step - 1; k < len(t); k += step {
		r.Curve = append(r.Curve, Point{float64(t[k].Microseconds()) / 1000, k + 1})
	}
	if r.Curve[len(r.Curve)-1].Count != len(t) {
		r.Curve[len(r.Curve)-1] = Point{r.Max, len(t)}
	}
	return r
}

// drill runs the drill that was asked for, side after side.
func (r *Report) drill(ctx context.Context, o *Options) error {
	r.Kind = "drill " + o.Drill
	if o.Drill == DrillResume {
		r.Setup.Cuts = o.Cuts
	}
	one := map[string]func(context.Context, *Options, *target, *fleet, *Drill, func(string, ...any)) error{
		DrillResume: drillResume, DrillStorm: drillStorm, DrillSlow: drillSlow,
	}[o.Drill]
	for k, side := range o.sides {
		say := func(format string, a ...any) {
			o.Log.update("drill %s · %s · "+format, append([]any{o.Drill, side.Name}, a...)...)
		}
		d := &Drill{Name: side.Name, Side: sideName(k), Connections: o.Conns}
		err := withTarget(ctx, o, side, say, func(t *target) error {
			others, kind := 0, measured
			if o.Drill == DrillSlow {
				others, kind = stalledOf(o.Conns), stalled
			}
			before, err := t.stats(ctx)
			if err != nil {
				return err
			}
			f := newFleet(t, side, o.Conns-others, others, kind)
			defer f.close()
			start, cpu := time.Now(), cpuTime()
			inner, end := context.WithCancel(ctx)
			w := startWatch(inner)
			err = one(ctx, o, t, f, d, say)
			end()
			<-w.done
			d.Seconds = time.Since(start).Seconds()
			d.Generator = generator(cpuTime()-cpu, d.Seconds, w)
			if err != nil {
				return err
			}
			r.see(o, t, k, f.clients[0].check.hello, before)
			d.Check, _ = f.counts()
			d.Valid = len(d.Reasons) == 0
			f.close()
			return awaitEmpty(ctx, t, side.Lane, before.Lanes[side.Lane].Connections)
		})
		if err != nil {
			return err
		}
		r.Drills = append(r.Drills, d)
		o.Log.line("%s", drillLine(o.Drill, d))
	}
	return nil
}
