package loadtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ticklane/internal/loadtest/client"
	"ticklane/internal/loadtest/report"
	"ticklane/internal/loadtest/stats"
)

// Ends of a test for which Run returns a report together with the error.
var (
	ErrInterrupted = errors.New("interrupted: the report contains what was measured until then")
	ErrInvalid     = errors.New("invalid: the figures don't show what the server can do")
	ErrBroken      = errors.New("ticks were lost, duplicated or out of order")
	ErrIncomplete  = errors.New("incomplete: the report contains the other variants")
	ErrThreshold   = errors.New("threshold broken") // with or without one of the others
)

// Run measures what checked options ask for. Without a report the error says why nothing was measured; with one, the
// error is nil or wraps ErrInterrupted, ErrIncomplete, ErrInvalid, ErrBroken or ErrThreshold.
func Run(ctx context.Context, o Options) (*report.Report, error) {
	if err := needFiles(o.Conns + o.SlowReaders); err != nil {
		return nil, err
	}
	r := newReport(&o)
	var err error
	if o.Drill != "" {
		err = runDrill(ctx, &o, r)
	} else {
		err = compare(ctx, &o, r)
	}
	r.Ended = time.Now()
	o.Log.clear()
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		r.Status, err = report.StatusInterrupted, ErrInterrupted
	case err != nil:
		return nil, err
	default:
		r.Status, err = judgeReport(&o, r)
	}
	r.Conclude()
	if broken := r.BrokenThresholds(); len(broken) > 0 {
		text := strings.Join(broken, "; ")
		if err == nil {
			return r, fmt.Errorf("%w: %s", ErrThreshold, text)
		}
		return r, fmt.Errorf("%w; %w: %s", err, ErrThreshold, text)
	}
	return r, err
}

func newReport(o *Options) *report.Report {
	r := &report.Report{
		Schema: report.Schema, Kind: o.kind(), Status: report.StatusComplete, Started: time.Now(), Command: o.Command, Machine: thisMachine(),
		Setup: report.Setup{Conns: o.Conns, Topics: o.Topics, Mode: o.Mode, Encoding: o.encoding(), Compress: o.compress(), Rounds: o.Rounds,
			Duration: o.Duration.Seconds(), Warmup: o.Warmup.Seconds(), Ramp: o.Ramp.Seconds(), SlowReaders: o.SlowReaders,
			Churn: o.Churn, Seed: o.Seed},
	}
	r.Variants, r.Thresholds = o.describeVariants(), o.thresholds
	if o.earlier != nil {
		r.SetBaseline(o.earlier, o.Baseline)
	}
	return r
}

// describeVariants returns what the report says of the variants.
func (o *Options) describeVariants() (all []report.Variant) {
	for k, v := range o.variants {
		all = append(all, report.Variant{Variant: report.Letter(k), Name: v.Name, Lane: v.Lane.String(), Engine: v.Engine, Encoding: v.Encoding,
			Compression: v.Compression(), Path: v.Path("")})
	}
	return all
}

// compare measures one window after the other. A variant that fails is left out from then on. The error is the first
// failure if nothing could be measured.
func compare(ctx context.Context, o *Options, r *report.Report) error {
	turns := stats.Schedule(len(o.variants), o.Rounds)
	started := time.Now()
	reasons := make(reasonsGiven)
	var failure error
	for k, turn := range turns {
		if r.Variants[turn.Variant].Failed != "" {
			continue
		}
		name := o.variants[turn.Variant].Name
		progress := func(format string, a ...any) {
			left := ""
			if k > 0 {
				left = fmt.Sprintf(" · %s left", (time.Since(started) / time.Duration(k) * time.Duration(len(turns)-k)).Round(time.Second))
			}
			o.Log.update("window %d of %d · round %d · %s · %s%s", k+1, len(turns), turn.Round, name, fmt.Sprintf(format, a...), left)
		}
		w, err := measureTurn(ctx, o, r, turn, progress)
		if ctx.Err() != nil && err != nil {
			return err
		}
		if err != nil {
			failure = errors.Join(failure, failVariant(o, r, turn.Variant, err))
			continue
		}
		r.Windows = append(r.Windows, w)
		o.Log.line("%2d/%d  round %d  %-*s %9.0f ticks/s   p50 %7.2f  p99 %7.2f ms%s", k+1, len(turns), turn.Round, o.nameWidth(), name,
			w.PerSecond, float64(w.Latency.P50)/1000, float64(w.Latency.P99)/1000, reasons.text(w, k+1))
	}
	if len(r.Windows) > 0 {
		return nil
	}
	return failure
}

// failVariant records why a variant could not be measured. It returns nil if another failed for the same reason.
func failVariant(o *Options, r *report.Report, variant int, err error) error {
	key := report.ReasonKey(err.Error())
	known := slices.ContainsFunc(r.Variants, func(v report.Variant) bool { return report.ReasonKey(v.Failed) == key })
	r.Variants[variant].Failed = err.Error()
	o.Log.line("       %s could not be measured", o.variants[variant].Name) // the report, or the error, says why
	if known {
		return nil
	}
	return err
}

// reasonsGiven are the windows that were left out for the first time for a reason, whatever numbers it contains.
type reasonsGiven map[string]int

// text returns why window number n was left out, empty if it is valid.
func (given reasonsGiven) text(w *report.Window, n int) string {
	if w.Valid {
		return ""
	}
	text := "left out: "
	if len(w.ServerFailures) > 0 {
		text = "left out, the server failed: "
	}
	reason := strings.Join(w.Reasons, "; ")
	key := report.ReasonKey(reason)
	if first, ok := given[key]; ok {
		return fmt.Sprintf("\n       %sas window %d", text, first)
	}
	given[key] = n
	return "\n       " + text + reason
}

// measureTurn measures one window, on a fresh server unless one is given.
func measureTurn(ctx context.Context, o *Options, r *report.Report, turn stats.Turn, progress progressFunc) (*report.Window, error) {
	var m *measurement
	v := o.variants[turn.Variant]
	err := withTarget(ctx, o, v, progress, func(t *target) (err error) {
		if m, err = measure(ctx, o, t, turn, progress); err != nil {
			return err
		}
		describeTarget(o, r, t, turn.Variant, m.hello, m.start)
		if o.URL == "" {
			return nil // the server ends
		}
		return awaitDisconnects(ctx, t, m.hello.Lane, m.start)
	})
	if err != nil {
		return nil, err
	}
	return m.window, nil
}

// judgeReport returns the status of a test that was not interrupted, and its error.
func judgeReport(o *Options, r *report.Report) (status string, err error) {
	var sum client.Counts
	for _, w := range r.Windows {
		sum.Add(client.Counts(w.Check))
	}
	for _, d := range r.Drills {
		sum.Add(client.Counts(d.Check))
	}
	if check := report.Check(sum); check.Broken() {
		return report.StatusBroken, fmt.Errorf("%w: %s", ErrBroken, check.Violations())
	}
	for _, d := range r.Drills {
		if !d.Valid {
			return report.StatusInvalid, fmt.Errorf("%w: %s: %s", ErrInvalid, d.Name, strings.Join(d.Reasons, "; "))
		}
	}
	// With half of the rounds left out or more, the remaining ones represent too little.
	if valid, rounds := r.ValidRounds(), r.Rounds(); o.Drill == "" && valid*2 <= rounds {
		return report.StatusInvalid, fmt.Errorf("%w: %d of %d rounds are valid", ErrInvalid, valid, rounds)
	}
	if failed := r.FailureText(false); failed != "" {
		return report.StatusIncomplete, fmt.Errorf("%w: %s", ErrIncomplete, failed)
	}
	return report.StatusComplete, nil
}
