package market

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"ticklane/internal/quote"
)

const (
	maxBatch = 1024      // ticks per call of publish
	maxLate  = 1_000_000 // µs behind the schedule before it is moved
)

// Sequence generates ticks ordered by due time, in µs since 1970. A Pacer calls it from one goroutine.
type Sequence interface {
	// Turn is called before each batch with the current time, in µs since 1970.
	Turn(now int64)
	// Due returns when the next tick is due; ok is false after the last tick.
	Due() (due int64, ok bool)
	// Next stores that tick in t and advances to the one after it.
	Next(t *quote.Tick)
	// Shift adds µs to the due times of all remaining ticks.
	Shift(by int64)
}

// Pacer publishes the ticks of a Sequence when they are due by the wall clock, against which clients compare due times.
type Pacer struct {
	log        *slog.Logger
	clock      func() time.Time // the wall clock
	wake       chan struct{}    // wakes Run for a call of Turn; may be nil
	reanchored atomic.Uint64
}

// NewPacer returns a Pacer that logs to l.
func NewPacer(l *slog.Logger) *Pacer { return &Pacer{log: l, clock: time.Now} }

// Reanchored returns how often the schedule was moved, because the feed was more than a second behind or the wall clock was
// set back. Any goroutine may call it.
func (p *Pacer) Reanchored() uint64 { return p.reanchored.Load() }

// Run publishes seq until its end or until ctx is done.
func (p *Pacer) Run(ctx context.Context, seq Sequence, publish func([]quote.Tick)) {
	batch := make([]quote.Tick, maxBatch)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	start := time.Now()
	zero := p.clock().UnixMicro() // the wall clock's time at start, as of the last reading
	for ctx.Err() == nil {
		elapsed := time.Since(start)
		now := p.clock().UnixMicro()
		if time.Since(start)-elapsed > time.Second/2 {
			continue // the goroutine was suspended between the two readings, which don't match therefore
		}
		before := zero
		if zero = now - elapsed.Microseconds(); before-zero > maxLate {
			p.anchor(seq, zero-before)
		}
		seq.Turn(now)
		due, ok := seq.Due()
		if !ok {
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
			if due, ok = seq.Due(); !ok || due > now {
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
	p.log.Warn("feed schedule moved to the present", "by", time.Duration(by)*time.Microsecond, "times", n)
}
