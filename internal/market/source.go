// Package market is where ticks come from: a simulator of a market of stocks, and the replay of a file.
//
// The simulator's model is named where it is written: arrivals in hawkes.go, volatility in volatility.go,
// prices and quotes in model.go. It draws from one seed alone, so the same options give the same ticks.
// Offsets are simulated first and paced after: a tick's due time is an anchor plus its offset, whenever the
// clock lets it go, so that a late scheduler shows as latency.
package market

import (
	"context"

	"ticklane/internal/quote"
)

// Source is a feed of ticks with a due time each.
type Source interface {
	// Universe returns the symbols of the feed, the same ones for its whole life.
	Universe() *quote.Universe

	// Run publishes the ticks that are due, in batches in order of Due, until the feed ends or ctx is done;
	// both return nil. An error says why the feed can't go on. Everything in a tick is filled but N and Seq.
	//
	// publish is called by Run's goroutine alone. It may write N and Seq into the batch, and must not keep
	// it: the slice is used again. Run is called once.
	Run(ctx context.Context, publish func([]quote.Tick)) error

	// Timed tells whether due times mean anything as a schedule, so that a latency may be taken from them.
	Timed() bool

	// Reanchored counts how often the feed was more than a second behind and moved its schedule.
	Reanchored() uint64
}
