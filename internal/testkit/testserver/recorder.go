package testserver

import (
	"sync"
	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// Recorder holds every published tick in the form in which clients must receive it. It is safe for concurrent use.
type Recorder struct {
	Epoch uint64

	universe *quote.Universe
	mu       sync.RWMutex
	json     []string
	bytes    [wire.Formats][]byte // all ticks, one after the other
	ends     [wire.Formats][]int  // where each tick ends in bytes
}

func (r *Recorder) add(ticks []quote.Tick) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range ticks {
		t, ticker := &ticks[i], r.universe.Symbol(ticks[i].Symbol).Ticker
		r.json = append(r.json, string(wire.AppendQuote(nil, ticker, t)))
		for format := range wire.Formats {
			body := format.Encoding().AppendQuote(nil, ticker, t)
			r.bytes[format] = format.AppendTick(r.bytes[format], r.Epoch, t.Seq, body)
			r.ends[format] = append(r.ends[format], len(r.bytes[format]))
		}
	}
}

// JSON returns the JSON of the tick at seq, "" if there is none.
func (r *Recorder) JSON(seq uint64) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if seq == 0 || seq > uint64(len(r.json)) {
		return ""
	}
	return r.json[seq-1]
}

// matches compares b with the ticks' bytes in a format from offset at, and returns how many whole ticks end by at+len(b).
func (r *Recorder) matches(format wire.Format, at int, b []byte, ticks int) (int, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all, ends := r.bytes[format], r.ends[format]
	if at+len(b) > len(all) || string(all[at:at+len(b)]) != string(b) {
		return ticks, false
	}
	for ; ticks < len(ends) && ends[ticks] <= at+len(b); ticks++ {
	}
	return ticks, true
}
