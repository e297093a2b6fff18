package testserver

import (
	"sync"
	"time"

	"ticklane/internal/quote"
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
			PrevClose: 9_950, Volume: quote.Size(now % 1_000_000), Due: now,
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
