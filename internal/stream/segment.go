package stream

import (
	"sync/atomic"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// segmentTicks is how many ticks a segment holds. Rendered they take some 10 to 40 KiB.
const segmentTicks = 256

// guessTick is what a tick takes in most formats, before one segment has shown it.
const guessTick = 160

// entry is one tick in the log and the seq of the tick before it of the same symbol, 0 for none.
// Following prev, a filtered cursor finds its own ticks without looking at anybody else's.
type entry struct {
	tick quote.Tick
	prev uint64
}

// segment holds the ticks base to base+segmentTicks-1. It is written once, never reused, and freed by the
// collector when the log and the last reader have let go of it: a ring overwritten in place would tear
// bytes under a slow reader.
type segment struct {
	base    uint64
	entries [segmentTicks]entry
	formats [wire.Formats]formatRenders
}

// formatRenders is what a segment has of one format. The appender renders from the first tick that finds it in
// use to the segment's end; what came before, the reader that needs it renders.
type formatRenders struct {
	live  atomic.Pointer[render]
	early atomic.Pointer[render]
}

// render is the bytes of consecutive ticks of one segment. Places are indices into the segment.
type render struct {
	first int    // the first tick in buf
	upto  int    // one past the last; of a live render the head tells, so it isn't used
	buf   []byte // of fixed length; end tells where each tick's bytes end in it
	used  int    // the appender's own
	end   [segmentTicks]uint32
	size  [segmentTicks]uint32 // bytes of the messages up to and including each tick, before framing
}

func newRender(first, size int) *render {
	return &render{first: first, buf: make([]byte, size)}
}

// grown returns a copy with twice the room. Readers of the old one keep what they have seen published.
func (r *render) grown() *render {
	g := *r
	g.buf = make([]byte, 2*len(r.buf)+wire.MaxTick)
	copy(g.buf, r.buf[:r.used])
	return &g
}

func (r *render) roomy() bool { return len(r.buf)-r.used >= wire.MaxTick }

func (r *render) add(i int, format wire.Format, epoch, seq uint64, body []byte) {
	b := format.AppendTick(r.buf[:r.used], epoch, seq, body)
	r.used = len(b)
	r.end[i] = uint32(r.used)
	r.size[i] = uint32(len(body))
	if i > r.first {
		r.size[i] += r.size[i-1]
	}
}

// span returns the bytes of ticks from..to (both in the render) and how much of them is payload.
func (r *render) span(from, to int) (b []byte, payload int) {
	var start, before uint32
	if from > r.first {
		start, before = r.end[from-1], r.size[from-1]
	}
	return r.buf[start:r.end[to]:r.end[to]], int(r.size[to] - before)
}

// fit returns the last place in from..to such that the span takes at most limit bytes; at least from.
func (r *render) fit(from, to, limit int) int {
	var start uint32
	if from > r.first {
		start = r.end[from-1]
	}
	lo, hi := from, to
	for lo < hi {
		mid := (lo + hi + 1) / 2
		if int(r.end[mid]-start) <= limit {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo
}
