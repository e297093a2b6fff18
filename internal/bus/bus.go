// Package bus is how ticks get from the feed to whoever keeps them. It gives each tick its place: the log's seq and
// the symbol's own.
package bus

import (
	"crypto/rand"
	"encoding/binary"
	"sync"

	"ticklane/internal/quote"
)

// Sink takes a batch of ticks in order of Seq. It must not keep the slice.
type Sink func([]quote.Tick)

// Local is the bus inside one process.
type Local struct {
	epoch uint64
	sinks []Sink

	mu  sync.Mutex
	seq uint64
	n   []uint64 // of each symbol, by ID
}

// NewLocal makes a bus for so many symbols with a new epoch. Sinks get every batch one after the other, in the
// publisher's goroutine.
func NewLocal(symbols int, sinks ...Sink) *Local {
	return &Local{epoch: NewEpoch(), sinks: sinks, n: make([]uint64, symbols)}
}

// NewEpoch returns a random name for a log, never 0. It is short because every SSE event carries it.
func NewEpoch() uint64 {
	for {
		var b [4]byte
		rand.Read(b[:]) // never fails since Go 1.24
		if e := binary.LittleEndian.Uint32(b[:]); e != 0 {
			return uint64(e)
		}
	}
}

// Epoch names the sequence of this bus.
func (b *Local) Epoch() uint64 { return b.epoch }

// Attach adds a sink. It must be called before the first Publish.
func (b *Local) Attach(s Sink) { b.sinks = append(b.sinks, s) }

// Publish gives each tick its N and Seq, in place, and hands the batch to the sinks before it returns. Calls from
// several goroutines are put in an order.
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
