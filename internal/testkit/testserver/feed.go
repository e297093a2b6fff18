package testserver

import (
	"sync"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// Publish publishes n ticks at once, of all symbols but the quiet one in turn.
func (s *Server) Publish(n int) {
	ids, first := make([]quote.ID, n), s.TickLog.Head().Seq
	for i := range ids {
		ids[i] = quote.ID((first + uint64(i)) % uint64(s.QuietSymbol()))
	}
	s.PublishSymbols(ids...)
}

// PublishSymbols publishes one tick of each symbol at once.
func (s *Server) PublishSymbols(ids ...quote.ID) {
	ticks := make([]quote.Tick, len(ids))
	now := time.Now().UnixMicro()
	for i, id := range ids {
		p := quote.Price(10_000 + now%500 + int64(i%100))
		ticks[i] = quote.Tick{
			Symbol: id, BidSize: 100, AskSize: 200, Bid: p, Ask: p + 2, Last: p + 1, Open: 10_000, High: 11_000, Low: 9_000,
			PrevClose: 9_950, Volume: now % 1_000_000, Due: now,
		}
	}
	s.Bus.Publish(ticks)
}

// QuietSymbol returns the symbol that Publish leaves out.
func (s *Server) QuietSymbol() quote.ID { return quote.ID(s.TickLog.Universe().Len() - 1) }

// PublishRate publishes rate ticks a second until the returned function is called, which waits for the publisher's end.
// What a busy machine delays isn't made up for: clients on it are as slow.
func (s *Server) PublishRate(rate int) (stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		const step = 5 * time.Millisecond
		ticker := time.NewTicker(step)
		defer ticker.Stop()
		due := 0 // ticks × nanoseconds
		for {
			select {
			case <-quit:
				return
			case <-ticker.C:
				due += rate * int(step)
				s.Publish(due / int(time.Second))
				due %= int(time.Second)
			}
		}
	}()
	stop = sync.OnceFunc(func() { close(quit); <-ended })
	s.Cleanup(stop)
	return stop
}

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
