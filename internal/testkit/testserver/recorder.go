package testserver

import (
	"sync"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// Recorder holds every published tick, for comparison with what clients receive. It is safe for concurrent use.
type Recorder struct {
	Epoch uint64

	universe *quote.Universe
	mu       sync.Mutex
	ticks    []quote.Tick
	bytes    [wire.Formats][]byte // the first ticks of a format, one after the other; rendered by matches
	ends     [wire.Formats][]int  // where each of them ends in bytes
}

func (r *Recorder) add(ticks []quote.Tick) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ticks = append(r.ticks, ticks...)
}

// Tick returns the tick at seq.
func (r *Recorder) Tick(seq uint64) quote.Tick {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ticks[seq-1]
}

// JSON returns the JSON of the tick at seq, "" if there is none.
func (r *Recorder) JSON(seq uint64) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if seq == 0 || seq > uint64(len(r.ticks)) {
		return ""
	}
	t := &r.ticks[seq-1]
	return string(wire.AppendQuote(nil, r.universe.Instrument(t.Symbol), t))
}

// matches compares b with the ticks' bytes in a format from offset at, and returns how many whole ticks end by at+len(b).
// ticks is a lower bound of that number.
func (r *Recorder) matches(format wire.Format, at int, b []byte, ticks int) (int, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.ends[format]); i < len(r.ticks); i++ {
		t := &r.ticks[i]
		body := format.Encoding().AppendQuote(nil, r.universe.Instrument(t.Symbol), t)
		r.bytes[format] = format.AppendTick(r.bytes[format], r.Epoch, t.Seq, body)
		r.ends[format] = append(r.ends[format], len(r.bytes[format]))
	}
	all, ends := r.bytes[format], r.ends[format]
	if at+len(b) > len(all) || string(all[at:at+len(b)]) != string(b) {
		return ticks, false
	}
	for ; ticks < len(ends) && ends[ticks] <= at+len(b); ticks++ {
	}
	return ticks, true
}
