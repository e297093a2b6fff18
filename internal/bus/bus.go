// Package bus delivers ticks from the feed to the parts that store them. It numbers the ticks: Seq in the log, N among the
// ticks of the symbol. Local is the bus of one process; package natsbus has the one that connects several.
package bus

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"ticklane/internal/quote"
)

// Sink receives a batch of ticks ordered by Seq. It must not keep the slice.
type Sink func([]quote.Tick)

// Feed publishes ticks until ctx is done, from a state on. publish sets N and Seq in the slice and must not keep it; it may block.
type Feed func(ctx context.Context, from State, publish func([]quote.Tick)) error

// Bus takes ticks from the feed of one process to the sinks of all.
type Bus interface {
	// Start returns where the sinks begin: what they receive follows it.
	Start() State
	// Attach adds a sink. The sinks are called in the order in which they were attached, with the same batches. Attach must not be
	// called after Run.
	Attach(Sink)
	// Run delivers batches to the sinks until ctx is done, then returns nil. An error is the reason why it can't continue.
	Run(ctx context.Context) error
	// Ready reports whether the sinks have what the bus held when it was opened.
	Ready() bool
	// Lead runs the feed whenever this process is the one that may, until ctx is done. It returns the feed's error.
	Lead(ctx context.Context, feed Feed) error
	// State returns the newest state.
	State() State
}

// State is what a bus has delivered up to a position.
type State struct {
	Position quote.Position
	N        []uint64     // number of the newest tick of each symbol, by ID; 0 for none
	Newest   []quote.Tick // the newest tick of each symbol that has one; none from a Local
}

// Local is the bus within a process.
type Local struct {
	epoch uint64
	sinks []Sink

	mu  sync.Mutex
	seq uint64
	n   []uint64 // newest N of each symbol, by ID
}

// NewLocal returns a bus with a new epoch for at most a number of symbols.
func NewLocal(symbols int) *Local {
	return &Local{epoch: newEpoch(), n: make([]uint64, symbols)}
}

// Continue continues the numbering of an earlier bus that has ended: its position, and the N of each symbol. It must be called
// before the first Publish.
func (b *Local) Continue(from quote.Position, n []uint64) {
	b.epoch, b.seq = from.Epoch, from.Seq
	copy(b.n, n)
}

// State returns the newest position and a copy of each symbol's newest N.
func (b *Local) State() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return State{Position: quote.Position{Epoch: b.epoch, Seq: b.seq}, N: slices.Clone(b.n)}
}

// Start is State before the first Publish.
func (b *Local) Start() State { return b.State() }

// Ready returns true: there is nothing to read.
func (b *Local) Ready() bool { return true }

// Run waits until ctx is done: Publish delivers.
func (b *Local) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Lead runs the feed: there is no other process.
func (b *Local) Lead(ctx context.Context, feed Feed) error {
	return feed(ctx, b.State(), b.Publish)
}

// newEpoch returns a random identifier for a log, never 0. It has 32 bits, since every SSE event contains it.
func newEpoch() uint64 { return 1 + rand.Uint64N(math.MaxUint32) }

// Epoch returns the epoch of the positions that this bus assigns.
func (b *Local) Epoch() uint64 { return b.epoch }

// Attach adds a sink. Publish calls the sinks in the order in which they were attached, in the publisher's goroutine. Attach
// must not be called after the first Publish.
func (b *Local) Attach(s Sink) { b.sinks = append(b.sinks, s) }

// Publish sets N and Seq of each tick, in place, and passes the batch to the sinks before it returns. Any goroutine may call
// it; calls are serialized.
func (b *Local) Publish(ticks []quote.Tick) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range ticks {
		t := &ticks[i]
		b.seq++
		b.n[t.Symbol]++
		t.Seq, t.N = b.seq, b.n[t.Symbol]
	}
	for _, sink := range b.sinks {
		sink(ticks)
	}
}
