package loadtest

import (
	"context"
	"errors"
	"time"

	"ticklane/internal/loadtest/client"
	"ticklane/internal/loadtest/report"
	"ticklane/internal/loadtest/stats"
)

// runDrill runs the drill for one variant after the other. A variant that fails is left out. The error is the first failure
// if nothing could be measured.
func runDrill(ctx context.Context, o *Options, r *report.Report) error {
	if o.Drill == report.DrillResume {
		r.Setup.Cuts = o.Cuts
	}
	var failure error
	for k, v := range o.variants {
		progress := func(format string, a ...any) {
			o.Log.update("drill %s · %s · "+format, append([]any{o.Drill, v.Name}, a...)...)
		}
		d := &report.Drill{Name: v.Name, Variant: report.Letter(k), Connections: o.Conns}
		err := withTarget(ctx, o, v, progress, func(t *target) error {
			before, err := t.stats(ctx)
			if err != nil {
				return err
			}
			run := &drillRun{options: o, target: t, clients: drillClients(o, t, v), result: d, progress: progress}
			defer run.clients.close()
			if err := run.measure(ctx); err != nil {
				return err
			}
			describeTarget(o, r, t, k, run.clients.all[0].Hello(), before)
			run.clients.close()
			return awaitDisconnects(ctx, t, v.Lane.String(), before)
		})
		if ctx.Err() != nil && err != nil {
			return err
		}
		if err != nil {
			failure = errors.Join(failure, failVariant(o, r, k, err))
			continue
		}
		r.Drills = append(r.Drills, d)
		o.Log.line("%s", d.Sentence(o.Drill))
	}
	if len(r.Drills) > 0 {
		return nil
	}
	return failure
}

// drillClients returns the connections of a drill. Those that drill slow stalls have a small receive buffer.
func drillClients(o *Options, t *target, v *Variant) *clients {
	stalled := 0
	if o.Drill == report.DrillSlow {
		stalled = stalledConns(o.Conns)
	}
	return newClients(t, v, o.Conns-stalled, stalled, client.Options{SmallBuffer: true})
}

// measure runs the drill and takes what the generator used in it.
func (d *drillRun) measure(ctx context.Context) error {
	start, cpu := time.Now(), cpuTime()
	inner, cancel := context.WithCancel(ctx)
	lateness := stats.WatchLateness(inner)
	err := map[string]func(*drillRun, context.Context) error{
		report.DrillResume: (*drillRun).resume, report.DrillStorm: (*drillRun).storm, report.DrillSlow: (*drillRun).slow,
	}[d.options.Drill](d, ctx)
	cancel()
	<-lateness.Done()
	d.result.Seconds = time.Since(start).Seconds()
	d.result.Generator = generatorUse(cpuTime()-cpu, d.result.Seconds, lateness)
	d.result.Check, _ = d.clients.counts()
	d.result.Valid = len(d.result.Reasons) == 0
	return err
}
