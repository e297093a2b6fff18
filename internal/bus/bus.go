// Package bus delivers ticks from the feed to the parts that store them. It numbers the ticks: Seq in the log, N among the
// ticks of the symbol.
package bus

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"ticklane/internal/quote"
)

// Sink receives a batch of ticks ordered by Seq. It must not keep the slice.
type Sink func([]quote.Tick)

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
func (b *Local) State() (quote.Position, []uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return quote.Position{Epoch: b.epoch, Seq: b.seq}, slices.Clone(b.n)
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
