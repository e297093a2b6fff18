// Package market generates ticks. It has the Source interface and a simulator of a stock market; package replay has the
// source that reads a file.
//
// The simulator's models: arrivals in hawkes.go, volatility in volatility.go, prices and quotes in model.go. All random
// numbers derive from one seed, so the same options give the same ticks. The simulator computes a tick's offset before it
// waits for it: the due time is the start of the schedule plus the offset, however late the scheduler wakes the goroutine,
// so that lateness shows as latency.
package market

import (
	"context"

	"ticklane/internal/quote"
)

// Source is a feed of ticks, each with the time at which it is due.
type Source interface {
	// Universe returns the symbols of the feed. Unless it is a growing universe, they never change.
	Universe() *quote.Universe

	// Run publishes ticks once they are due, in batches ordered by Due, as far as the feed's own times are, until the feed ends or ctx is done; it returns
	// nil in both cases. An error is the reason why the feed cannot continue. All fields of a tick are set except N
	// and Seq.
	//
	// Calls of publish don't overlap. publish may set N, Seq and Event in the batch and must not keep the
	// slice, which Run reuses. Run may be called once.
	Run(ctx context.Context, publish func([]quote.Tick)) error

	// Reanchored returns how often the feed was more than a second behind its schedule and moved it.
	Reanchored() uint64
}

// EventSource is a Source whose ticks have events: trades and changes of status.
type EventSource interface {
	Source

	// Events returns the store that Tick.Event refers to. It never changes.
	Events() *quote.Events
}
