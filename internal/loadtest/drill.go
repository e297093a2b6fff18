package loadtest

import (
	"context"
	"fmt"
	"time"

	"ticklane/internal/loadtest/report"
)

// drillRun is one drill for one variant.
type drillRun struct {
	options  *Options
	target   *target
	clients  *clients
	result   *report.Drill
	progress progressFunc
}

// stalledConns returns how many of the connections are stalled: a tenth.
func stalledConns(conns int) int { return max(1, conns/10) }

func (d *drillRun) invalid(format string, a ...any) {
	d.result.Reasons = append(d.result.Reasons, fmt.Sprintf(format, a...))
}

// settle waits for ticks that are still missing.
func (d *drillRun) settle(ctx context.Context) (err error) {
	if d.result.Late, err = d.clients.settle(ctx, d.target); err == nil && d.result.Late > 0 {
		d.invalid("%d ticks had not arrived %v after the end", d.result.Late, settleTimeout)
	}
	return err
}

func (d *drillRun) warmUp(ctx context.Context) error {
	return pause(ctx, d.options.Warmup, func(time.Duration) { d.progress("warming up") })
}
