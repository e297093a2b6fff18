package replay

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"ticklane/internal/excerpt"
	"ticklane/internal/quote"
)

// pastBatch is the number of ticks that Past passes on at once.
const pastBatch = 1024

// parseStart parses Options.Start, a time in the zone of the format unless it has its own. at is in µs since 1970.
func (o *Options) parseStart(zone *time.Location) (at int64, err error) {
	if math.IsInf(o.Speed, 1) {
		return 0, errors.New("feed.start: at feed.speed max there is no time before it: set feed.speed")
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, o.Start, zone); err == nil {
			return t.UnixMicro(), nil
		}
	}
	return 0, fmt.Errorf("feed.start: %q: want a time such as 2026-03-02T14:30:00Z or 2026-03-02", excerpt.Of(o.Start))
}

// findStart sets the time of the file at which the replay starts.
func (s *Source) findStart(zone *time.Location) (err error) {
	s.start = s.scan.first
	if s.options.Start == "" {
		return nil
	}
	if s.start, err = s.options.parseStart(zone); err != nil {
		return err
	}
	if s.start < s.scan.first || s.start > s.scan.last {
		return fmt.Errorf("feed.start: %s: the file has rows from %s to %s", show(s.start), show(s.scan.first), show(s.scan.last))
	}
	return nil
}

// Past passes the ticks of the rows before Options.Start on, due as long before now as they are before it at this speed. Run then
// begins with the newest of each symbol. Call it once, before Run, with the time at which the replay starts. sink must not keep its
// slice.
func (s *Source) Past(ctx context.Context, now time.Time, sink func([]quote.Tick)) error {
	start := now.UnixMicro()
	p := newPlayback(ctx, s.scan, s.options, start)
	p.base -= p.scale(s.start - s.scan.first)
	p.Turn(start)
	p.events = s.events
	batch := make([]quote.Tick, 0, pastBatch)
	newest := make([]quote.Tick, len(p.symbols))
	for ctx.Err() == nil {
		due, more := p.Due()
		if !more || due >= start || len(batch) == cap(batch) {
			sink(batch)
			batch = batch[:0]
		}
		if !more || due >= start {
			break
		}
		batch = batch[:len(batch)+1]
		tick := &batch[len(batch)-1]
		p.Next(tick)
		newest[tick.Symbol] = *tick
	}
	for _, tick := range newest {
		if tick.Due != 0 {
			tick.Due, tick.Event, tick.CountStarts = start, 0, false
			s.opening = append(s.opening, tick)
		}
	}
	s.playback = p
	if p.err != nil && ctx.Err() == nil {
		return fmt.Errorf("replay: %w", p.err)
	}
	return nil
}
