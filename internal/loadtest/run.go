package loadtest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"
)

// How a test can end otherwise than well. With all of these there is a report.
var (
	ErrInterrupted = errors.New("interrupted: the report holds what was measured until then")
	ErrInvalid     = errors.New("invalid: the figures don't tell what the server can do")
	ErrBroken      = errors.New("ticks were lost, doubled or out of order")
)

// Run does what checked options ask for. Without a report the error says why nothing was measured; with one, the error
// is nil or wraps ErrInterrupted, ErrInvalid or ErrBroken.
func Run(ctx context.Context, o Options) (*Report, error) {
	if err := needFiles(o.Conns + o.SlowReaders); err != nil {
		return nil, err
	}
	r := &Report{
		Schema: Schema, Kind: "comparison", Status: StatusComplete, Started: time.Now(), Command: o.Command, Machine: thisMachine(),
		Setup: Setup{Conns: o.Conns, Topics: o.Topics, Mode: o.Mode, Encoding: o.encoding(), Compress: o.compress(), Rounds: o.Rounds,
			Duration: o.Duration.Seconds(), Warmup: o.Warmup.Seconds(), Ramp: o.Ramp.Seconds(), SlowReaders: o.SlowReaders,
			Churn: o.Churn, Seed: o.Seed},
	}
	for k, s := range o.sides {
		r.Sides = append(r.Sides, SideInfo{Side: sideName(k), Name: s.Name, Lane: s.Lane, Engine: s.Engine, Encoding: s.Encoding,
			Compression: s.compression(), Path: s.path("")})
	}
	var err error
	if o.Drill != "" {
		err = r.drill(ctx, &o)
	} else {
		err = r.compare(ctx, &o)
	}
	r.Ended = time.Now()
	o.Log.clear()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		r.Status, err = StatusInterrupted, ErrInterrupted
	} else if err != nil {
		return nil, err
	} else {
		err = r.verdict(&o)
	}
	if o.Drill == "" {
		r.summarise()
	}
	r.describe()
	return r, err
}

// summarise makes the figures over all slots, and the verdicts that may be given.
func (r *Report) summarise() {
	r.Metrics = summarise(r.Slots, len(r.Sides))
	r.contrast()
	if r.Status != StatusComplete && r.Status != StatusInterrupted {
		for k := range r.Metrics {
			r.Metrics[k].Verdict = Unknown // figures are shown, but nothing is claimed
		}
		for _, c := range r.Contrasts {
			for k := range c.Metrics {
				c.Metrics[k].Verdict = Unknown
			}
		}
		return
	}
	r.withhold()
}

// compare measures slot after slot.
func (r *Report) compare(ctx context.Context, o *Options) error {
	turns := schedule(len(o.sides), o.Rounds)
	begun := time.Now()
	for k, at := range turns {
		name := o.sides[at.side].Name
		say := func(format string, a ...any) {
			left := ""
			if k > 0 {
				left = fmt.Sprintf(" · %s to go", (time.Since(begun) / time.Duration(k) * time.Duration(len(turns)-k)).Round(time.Second))
			}
			o.Log.update("slot %d of %d · round %d · %s · %s%s", k+1, len(turns), at.round, name, fmt.Sprintf(format, a...), left)
		}
		s, err := r.slot(ctx, o, at, say)
		if err != nil {
			return err
		}
		r.Slots = append(r.Slots, s)
		o.Log.line("%2d/%d  round %d  %-*s %9.0f ticks/s   p50 %7.2f  p99 %7.2f ms%s", k+1, len(turns), at.round, o.longestName(), name,
			s.PerSecond, ms(s.Latency.P50), ms(s.Latency.P99), leftOut(s))
	}
	return nil
}

func leftOut(s *Slot) string {
	if s.Valid {
		return ""
	}
	why := "left out: "
	if len(s.ServerFaults) > 0 {
		why = "left out, the server failed: "
	}
	return "\n       " + why + strings.Join(s.Reasons, "; ")
}

// slot measures one turn, on a server of its own where none was named.
func (r *Report) slot(ctx context.Context, o *Options, at turn, say func(string, ...any)) (*Slot, error) {
	var s *Slot
	err := withTarget(ctx, o, o.sides[at.side], say, func(t *target) (err error) {
		if s, err = measure(ctx, o, t, at, say); err != nil {
			return err
		}
		r.see(o, t, at.side, s.hello, s.start)
		if o.URL == "" {
			return nil // its server goes away
		}
		return awaitEmpty(ctx, t, o.sides[at.side].Lane, s.start.Lanes[o.sides[at.side].Lane].Connections)
	})
	return s, err
}

// withTarget calls use with the server at --url, or with one that lives as long as the call.
func withTarget(ctx context.Context, o *Options, side *Side, say func(string, ...any), use func(*target) error) (err error) {
	url := o.URL
	if url == "" {
		say("starting a server")
		own, err := startServer(ctx, o, side)
		if err != nil {
			return err
		}
		url = own.url
		defer func() {
			if e := own.stop(); e != nil && err == nil {
				err = e
			}
		}()
	}
	t, err := newTarget(ctx, o, url)
	if err != nil {
		return err
	}
	defer t.close()
	return use(t)
}

// see notes what a side's server told of itself.
func (r *Report) see(o *Options, t *target, side int, h hello, s Stats) {
	r.Sides[side].Engine = h.Engine
	feed := s.Feed.Source
	if s.Feed.File != "" {
		feed += " " + s.Feed.File
	}
	r.Target = Target{
		URL: t.url.String(), Own: o.URL == "", Loopback: loopback(t.url.Hostname()), Version: s.Version, Symbols: len(t.symbols),
		Feed: feed, Seed: s.Feed.Seed, Heartbeat: h.Heartbeat, LogSize: h.Head - min(h.Head, h.Oldest-1), Clock: t.clock,
	}
	if r.Target.Own {
		r.Target.URL = "own"
		r.Target.Settings = serverArgs(o, nil)[1:]
		r.Sides[side].Settings = o.sides[side].settings(o)
	}
}

// verdict is the status of a test that came to its end.
func (r *Report) verdict(o *Options) error {
	var sum counts
	for _, s := range r.Slots {
		sum.add(s.Check)
	}
	for _, d := range r.Drills {
		sum.add(d.Check)
	}
	if sum.broken() {
		r.Status = StatusBroken
		return fmt.Errorf("%w: %s", ErrBroken, sum.wrong())
	}
	for _, d := range r.Drills {
		if !d.Valid {
			r.Status = StatusInvalid
			return fmt.Errorf("%w: %s: %s", ErrInvalid, d.Name, strings.Join(d.Reasons, "; "))
		}
	}
	if o.Drill != "" {
		return nil
	}
	// Two pairs are the least that has an interval; a test that lost more rounds than it kept says little.
	valid := validRounds(r.Slots, len(o.sides))
	if valid*2 <= o.Rounds {
		r.Status = StatusInvalid
		return fmt.Errorf("%w: %d of %d rounds are valid; the first that isn't: %s", ErrInvalid, valid, o.Rounds, firstReason(r.Slots))
	}
	return nil
}

func firstReason(slots []*Slot) string {
	for _, s := range slots {
		if !s.Valid {
			return strings.Join(s.Reasons, "; ")
		}
	}
	return "none"
}

// Machine is where the generator ran, and on loopback the server too.
type Machine struct {
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory uint64 `json:"memory_bytes"` // 0 where the system doesn't tell
	Go     string `json:"go"`
}

func thisMachine() Machine {
	m := Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version()}
	m.CPU, m.Memory, m.OS = hardware(m.OS)
	return m
}
