package market

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"ticklane/internal/quote"
)

const (
	maxBatch = 1024      // ticks in one call of publish
	maxLate  = 1_000_000 // µs behind the schedule before it is moved
)

// sequence is what a pacer lets go: ticks in order of due time, µs since 1970.
type Sequence interface {
	// turn is called before each batch, with the time.
	Turn(now int64)
	// due tells when the next tick is due; false after the last one.
	Due() (int64, bool)
	// next makes that tick.
	Next(*quote.Tick)
	// shift moves everything that is to come by µs.
	Shift(by int64)
}

// pacer publishes a sequence by the wall clock, since that is what due times are read against.
type Pacer struct {
	log        *slog.Logger
	clock      func() time.Time // time.Now, the wall clock
	wake       chan struct{}    // turn has something to do; nil when it never has
	reanchored atomic.Uint64
}

// NewPacer returns a Pacer that logs to l.
func NewPacer(l *slog.Logger) *Pacer { return &Pacer{log: l, clock: time.Now} }

// Reanchored counts how often the schedule was moved, because the feed was more than a second behind or the
// clock was set back.
func (p *Pacer) Reanchored() uint64 { return p.reanchored.Load() }

// run returns after the last tick, or when ctx is done.
func (p *Pacer) Run(ctx context.Context, seq Sequence, publish func([]quote.Tick)) {
	batch := make([]quote.Tick, maxBatch)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	start := time.Now()
	zero := p.clock().UnixMicro() // what the wall clock says now of the start
	for ctx.Err() == nil {
		elapsed := time.Since(start)
		now := p.clock().UnixMicro()
		if time.Since(start)-elapsed > time.Second/2 {
			continue // stalled between two readings, so they don't belong together
		}
		before := zero
		if zero = now - elapsed.Microseconds(); before-zero > maxLate {
			p.anchor(seq, zero-before)
		}
		seq.Turn(now)
		due, more := seq.Due()
		if !more {
			return
		}
		if due > now {
			timer.Reset(time.Duration(due-now) * time.Microsecond)
			select {
			case <-ctx.Done():
				return
			case <-p.wake:
			case <-timer.C:
			}
			continue
		}
		if now-due > maxLate {
			p.anchor(seq, now-due)
		}
		n := 0
		for n < maxBatch {
			if due, more = seq.Due(); !more || due > now {
				break
			}
			seq.Next(&batch[n])
			n++
		}
		if n > 0 {
			publish(batch[:n])
		}
	}
}

func (p *Pacer) anchor(seq Sequence, by int64) {
	seq.Shift(by)
	n := p.reanchored.Add(1)
	p.log.Warn("the feed's schedule was moved to the present", "by", time.Duration(by)*time.Microsecond, "times", n)
}
