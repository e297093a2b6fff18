// Package delay holds the ticks of a feed back for a time, for clients that may see them only then.
//
// A Line is a sink of the bus. It stores each batch with the time at which it was published, in about 10 bytes a tick. An Outlet
// publishes the batches again, each when its time plus the outlet's delay has come, however long the batches before took. The
// outlets of a line share its memory.
package delay

import (
	"context"
	"encoding/binary"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/quote/batch"
)

const (
	chunkBytes  = 256<<10 - 64 // so that a chunk has 256 KiB
	recordTicks = 256          // at most, in a record
	recordBytes = 32 << 10     // after which a record gets no further tick
	headBytes   = 2 * binary.MaxVarintLen64
	symbols     = math.MaxInt32 // any, since all records are ours
)

// The kinds of records.
const (
	live  = iota // ticks that were published
	past         // ticks of the time before the start
	stale        // a change of whether the feed is stale
	kinds
)

// Line holds ticks, and what else streams report about the feed, from when they are published until the last outlet has published
// them again. Its methods may be called from any goroutine, except for Outlet, which comes before all others.
type Line struct {
	events *quote.Events // that the ticks refer to
	start  time.Time     // times of records are counted from it, by the monotonic clock
	first  *chunk        // nil once there are ticks
	opened []*Outlet

	added atomic.Uint64 // ticks of kind live

	mu      sync.Mutex // guards the fields below
	tail    *chunk
	encoder batch.Codec
	record  []byte
	last    int64 // time of the newest record, µs since start
	begun   bool  // there was a record
}

// chunk is a part of a line's records. The garbage collector frees it when no outlet needs it or an earlier one.
type chunk struct {
	next   atomic.Pointer[chunk] // set after the last change of used; the first field, so that the garbage collector skips bytes
	used   atomic.Int64          // bytes that won't change any more
	number int64                 // from 0
	bytes  [chunkBytes]byte
}

// New returns a line without outlets. events are those that the ticks refer to, nil for none.
func New(events *quote.Events) *Line {
	first := new(chunk)
	return &Line{events: events, start: time.Now(), first: first, tail: first, encoder: batch.NewCodec(symbols)}
}

// Add stores ticks that were published now. It is a bus.Sink.
func (l *Line) Add(ticks []quote.Tick) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	l.addTicks(live, now, ticks)
	l.added.Add(uint64(len(ticks)))
}

// AddPast stores ticks of the time before the start, as if they had been published when they were due. They must be ordered by that.
func (l *Line) AddPast(ticks []quote.Tick) {
	const together = 1_000_000 // µs
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(ticks) > 0 {
		n := 1
		for n < len(ticks) && ticks[n].Due-ticks[0].Due < together {
			n++
		}
		at := time.UnixMicro(ticks[n-1].Due).Sub(l.start).Microseconds()
		l.addTicks(past, at, ticks[:n])
		ticks = ticks[n:]
	}
}

// FeedStale stores that the feed has had no tick since a time, or with the zero time that ticks come again.
func (l *Line) FeedStale(since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := int64(0)
	if !since.IsZero() {
		at = since.UnixMicro()
	}
	l.record = binary.AppendVarint(l.record[:0], at)
	l.append(stale, l.now(), 1)
}

// now returns the time that counts for what is published now, in µs since the start: never less than the time that has passed.
func (l *Line) now() int64 { return time.Since(l.start).Microseconds() + 1 }

// addTicks appends records with ticks.
func (l *Line) addTicks(kind int, at int64, ticks []quote.Tick) {
	for len(ticks) > 0 {
		l.record = l.record[:0]
		n := 0
		for n < min(len(ticks), recordTicks) && len(l.record) < recordBytes {
			l.record = l.encoder.Append(l.record, &ticks[n], l.events)
			n++
		}
		l.append(kind, at, n)
		ticks = ticks[n:]
	}
}

// append appends l.record with its header: as varints the time since the record before, and the number of ticks with the kind.
func (l *Line) append(kind int, at int64, n int) {
	if l.begun {
		at = max(at, l.last)
	}
	if l.tail.used.Load()+int64(headBytes+len(l.record)) > chunkBytes {
		next := &chunk{number: l.tail.number + 1}
		l.tail.next.Store(next)
		l.tail, l.first = next, nil
	}
	used := l.tail.used.Load()
	b := l.tail.bytes[used:used:chunkBytes]
	b = binary.AppendVarint(b, at-l.last)
	b = binary.AppendUvarint(b, uint64(n*kinds+kind))
	b = append(b, l.record...)
	l.last, l.begun = at, true
	l.tail.used.Store(used + int64(len(b)))
}

// Bytes returns the memory of the records that an outlet still needs.
func (l *Line) Bytes() int64 {
	l.mu.Lock()
	newest := l.tail.number
	l.mu.Unlock()
	oldest := newest
	for _, o := range l.opened {
		oldest = min(oldest, o.number.Load())
	}
	return (newest - oldest + 1) * chunkBytes
}

// Run runs the outlets until ctx is done.
func (l *Line) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, o := range l.opened {
		all.Go(func() { o.run(ctx) })
	}
	all.Wait()
}
