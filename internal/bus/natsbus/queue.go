package natsbus

import (
	"slices"

	"ticklane/internal/quote"
	"ticklane/internal/quote/batch"
)

// queue is batches that aren't in a message yet. It copies them, except for instruments and the ranges of progress.
type queue struct {
	batch.Batch         // all of them
	entries     []entry // what each has
}

// entry is the size of a batch that must be stored as a whole: lines count as received exactly if their ticks are stored.
type entry struct{ ticks, instruments, details, progress, ranges int }

func entryOf(x *batch.Batch) entry {
	e := entry{ticks: len(x.Ticks), instruments: len(x.Instruments), details: len(x.Details), progress: len(x.Progress)}
	for i := range x.Progress {
		e.ranges += len(x.Progress[i].Ranges)
	}
	return e
}

func (e *entry) add(o entry) {
	e.ticks += o.ticks
	e.instruments += o.instruments
	e.details += o.details
	e.progress += o.progress
	e.ranges += o.ranges
}

// weight bounds what is merged into a message: none of its parts is longer than a tick.
func (e *entry) weight() int { return e.ticks + e.instruments + e.details + e.progress + e.ranges }

// fits reports whether there is room for a batch. An empty queue has room for any. The events of the ticks in it must still be known
// when they are encoded.
func (q *queue) fits(x *batch.Batch) bool {
	return len(q.entries) == 0 || len(q.entries) < batch.MaxTicks && len(q.Ticks)+len(x.Ticks) <= batch.MaxTicks
}

// add adds a batch.
func (q *queue) add(x *batch.Batch) {
	if len(q.Instruments) == 0 {
		q.FirstID = x.FirstID
	}
	q.Instruments = append(q.Instruments, x.Instruments...)
	q.Details = append(q.Details, x.Details...)
	q.Progress = append(q.Progress, x.Progress...)
	q.Ticks = append(q.Ticks, x.Ticks...)
	q.entries = append(q.entries, entryOf(x))
}

// take moves the oldest batches, as many as fit into a message, to x, whose memory it uses. It reports whether there were any.
func (q *queue) take(x *batch.Batch) bool {
	var sum entry
	n := 0
	for ; n < len(q.entries); n++ {
		next := sum
		next.add(q.entries[n])
		if n > 0 && next.weight() > batch.MaxTicks {
			break
		}
		sum = next
	}
	q.entries = slices.Delete(q.entries, 0, n)
	x.FirstID = q.FirstID
	q.FirstID += quote.ID(sum.instruments)
	x.Instruments, q.Instruments = move(x.Instruments, q.Instruments, sum.instruments)
	x.Details, q.Details = move(x.Details, q.Details, sum.details)
	x.Progress, q.Progress = move(x.Progress, q.Progress, sum.progress)
	x.Ticks, q.Ticks = move(x.Ticks, q.Ticks, sum.ticks)
	return n > 0
}

// move replaces to by the first n elements of from, which it removes there.
func move[T any](to, from []T, n int) (_, _ []T) {
	return append(to[:0], from[:n]...), slices.Delete(from, 0, n)
}
