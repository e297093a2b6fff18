package stream

import (
	"sync/atomic"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// segmentTicks is the number of ticks in a segment. Rendered they take 10 to 40 KiB in each format.
const segmentTicks = 256

// entry is one tick in the log, and the seq of the same symbol's tick before it, 0 for none. Following prev, a cursor
// with few topics finds its ticks without reading those of other symbols.
type entry struct {
	tick quote.Tick
	prev uint64
}

// segment holds the ticks base to base+segmentTicks-1. It is written once and never reused; the garbage collector frees
// it when neither the log nor a reader refers to it. (A ring that is overwritten in place would tear the bytes under a
// slow reader.)
type segment struct {
	base    uint64
	entries [segmentTicks]entry
	formats [wire.AllFormats]formatRenders
}

// formatRenders is a segment in one format. The appender renders into live, from the first tick at which the format is in
// use to the segment's end. The first reader that needs the ticks before those renders them into early.
type formatRenders struct {
	live  atomic.Pointer[render]
	early atomic.Pointer[render]
}

// rendered returns the render that holds index i of a segment, making it when there is none, and the last index that may
// be read from it. head must be a published head that covers index i.
func (l *Log) rendered(s *segment, format wire.Format, i int, head uint64) (r *render, upto int) {
	last := int(min(head-s.base, segmentTicks-1))
	if r := s.formats[format].live.Load(); r != nil {
		if i >= r.first {
			return r, last
		}
		last = r.first - 1
	}
	early := &s.formats[format].early
	for {
		r := early.Load()
		if r != nil && i < r.end {
			return r, min(last, r.end-1)
		}
		// Two readers may render the same ticks at the same time; one of the results is kept.
		made := l.render(s, format, last+1)
		if early.CompareAndSwap(r, made) {
			return made, last
		}
	}
}

// render renders the first end ticks of a segment.
func (l *Log) render(s *segment, format wire.Format, end int) *render {
	r := newRender(0, end*tickSizeGuess+wire.MaxTick)
	r.end = end
	enc := format.Encoding()
	var body []byte
	for i := range end {
		t := &s.entries[i].tick
		body = enc.AppendQuote(body[:0], l.cfg.Universe.Instrument(t.Symbol), t)
		if !r.hasRoom(t, format) {
			r = r.grown()
		}
		r.add(l, i, format, t, body)
	}
	return r
}
