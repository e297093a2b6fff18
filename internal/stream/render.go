package stream

import (
	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// tickSizeGuess is the size of a rendered tick in most formats. It sizes a buffer before a segment's size is known.
const tickSizeGuess = 160

// render is the bytes of consecutive ticks of one segment in one format. All indices are indices into the segment.
type render struct {
	first    int    // index of the first tick in buf
	end      int    // one past the last tick; unused in a live render, which is bounded by the log's head
	buf      []byte // of fixed length
	used     int    // of the goroutine that renders
	ends     [segmentTicks]uint32
	payloads [segmentTicks]uint32 // bytes of all messages up to and including each tick, before framing
}

func newRender(first, size int) *render {
	return &render{first: first, buf: make([]byte, size)}
}

// grown returns a copy with more than twice the room. Readers of the original keep reading what it has published.
func (r *render) grown() *render {
	g := *r
	g.buf = make([]byte, 2*len(r.buf)+wire.MaxTick+wire.MaxEvents)
	copy(g.buf, r.buf[:r.used])
	return &g
}

// hasRoom reports whether a tick fits, in any case.
func (r *render) hasRoom(t *quote.Tick, format wire.Format) bool {
	need := wire.MaxTick
	if t.Event != 0 {
		need += maxEvents(format)
	}
	return len(r.buf)-r.used >= need
}

// maxEvents is the maximum size of what a tick has besides the quote in a format.
func maxEvents(format wire.Format) int {
	if format < wire.Formats {
		return 0
	}
	return wire.MaxEvents
}

// appendTick appends a framed tick with what its format has besides the quote, of which body is the message. payload is the number
// of bytes inside the framing.
func (l *Log) appendTick(b []byte, format wire.Format, t *quote.Tick, body []byte) (framed []byte, payload int) {
	if t.Event != 0 {
		b, payload = format.AppendEvents(b, l.cfg.Universe.Instrument(t.Symbol), t, l.cfg.Events.Get(t.Event))
	}
	return format.AppendTick(b, l.cfg.Epoch, t.Seq, body), payload + len(body)
}

// add appends the tick at index i, which must follow the one added before.
func (r *render) add(l *Log, i int, format wire.Format, t *quote.Tick, body []byte) {
	b, payload := l.appendTick(r.buf[:r.used], format, t, body)
	r.used = len(b)
	r.ends[i] = uint32(r.used)
	r.payloads[i] = uint32(payload)
	if i > r.first {
		r.payloads[i] += r.payloads[i-1]
	}
}

// span returns the bytes of the ticks from..to, both included, and how many of them are payload. The slice is shared and
// must not be changed; its capacity is its length.
func (r *render) span(from, to int) (b []byte, payload int) {
	var start, before uint32
	if from > r.first {
		start, before = r.ends[from-1], r.payloads[from-1]
	}
	return r.buf[start:r.ends[to]:r.ends[to]], int(r.payloads[to] - before)
}

// fit returns the last index in from..to whose span from from takes at most limit bytes, and from when none does.
func (r *render) fit(from, to, limit int) int {
	var start uint32
	if from > r.first {
		start = r.ends[from-1]
	}
	lo, hi := from, to
	for lo < hi {
		mid := (lo + hi + 1) / 2
		if int(r.ends[mid]-start) <= limit {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo
}
