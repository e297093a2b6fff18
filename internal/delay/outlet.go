package delay

import (
	"context"
	"sync/atomic"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/quote/batch"
)

// maxBatch is how many ticks an outlet passes on at once, unless a record has more.
const maxBatch = 1024

// Sink receives what a line has held, in order, from one goroutine. It must not keep a slice.
type Sink interface {
	// Publish receives ticks with the seq and n that they had.
	Publish(ticks []quote.Tick)
	// Past receives ticks of the time before the start, which have neither.
	Past(ticks []quote.Tick)
	// FeedStale receives the argument of Line.FeedStale.
	FeedStale(since time.Time)
}

// Outlet publishes what its line holds after a delay.
type Outlet struct {
	line   *Line
	delay  time.Duration
	events *quote.Events // of its ticks
	sink   Sink

	// Of the goroutine of run.
	chunk   *chunk
	at      int64 // offset in chunk
	decoder batch.Codec
	head    head
	batch   []quote.Tick

	number   atomic.Int64 // of chunk
	released atomic.Uint64
	late     atomic.Int64 // a time.Duration
}

// head is the header of the next record.
type head struct {
	known bool
	time  int64 // µs since the line's start
	kind  int
	n     int
}

// Outlet adds an outlet. It must be called before the first tick. The ticks that sink receives refer to events, which has room for
// those of the sink's log.
func (l *Line) Outlet(delay time.Duration, events *quote.Events, sink Sink) *Outlet {
	o := &Outlet{line: l, delay: delay, events: events, sink: sink, chunk: l.first, decoder: batch.NewCodec(symbols), batch: make([]quote.Tick, 0, maxBatch+recordTicks)}
	l.opened = append(l.opened, o)
	return o
}

// Delay returns how long the outlet holds ticks.
func (o *Outlet) Delay() time.Duration { return o.delay }

// Held returns how many published ticks the outlet holds.
func (o *Outlet) Held() uint64 {
	released := o.released.Load() // before added, which is never less
	return o.line.added.Load() - released
}

// Late returns how late the newest ticks were published.
func (o *Outlet) Late() time.Duration { return time.Duration(o.late.Load()) }

// run publishes each record when it is due, until ctx is done.
func (o *Outlet) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		wait := o.delay // what is added from now on isn't due before
		if o.peek() {
			wait = o.due()
		}
		if wait <= 0 {
			o.publish()
			continue
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
	}
}

// due returns the time until the next record is due.
func (o *Outlet) due() time.Duration {
	return time.Duration(o.head.time)*time.Microsecond + o.delay - time.Since(o.line.start)
}

// peek reads the header of the next record into o.head. It reports whether there is one.
func (o *Outlet) peek() bool {
	if o.head.known {
		return true
	}
	next := o.chunk.next.Load() // before used, which is final if there is a next one
	used := o.chunk.used.Load()
	if o.at == used {
		if next == nil {
			return false
		}
		o.chunk, o.at = next, 0
		o.number.Store(next.number)
		return o.peek()
	}
	r := batch.NewReader(o.chunk.bytes[o.at:used])
	o.head.time += r.Int()
	tag := int(r.Uint())
	o.head.known, o.head.kind, o.head.n = true, tag%kinds, tag/kinds
	o.at = used - int64(r.Len())
	return true
}

// publish passes on the next record, and those after it that are of the same kind and due.
func (o *Outlet) publish() {
	kind := o.head.kind
	if kind == stale {
		since := time.Time{}
		if us := o.changeOfStale(); us != 0 {
			since = time.UnixMicro(us)
		}
		o.sink.FeedStale(since)
		return
	}
	late := -o.due()
	o.batch = o.batch[:0]
	for len(o.batch) < maxBatch && o.peek() && o.head.kind == kind && o.due() <= 0 {
		o.readTicks()
	}
	if kind == past {
		o.sink.Past(o.batch)
		return
	}
	o.sink.Publish(o.batch)
	o.late.Store(int64(late))
	o.released.Add(uint64(len(o.batch)))
}

// body returns a reader of the next record, after its header.
func (o *Outlet) body() batch.Reader { return batch.NewReader(o.chunk.bytes[o.at:o.chunk.used.Load()]) }

// consumed ends the reading of a record by r, which had so many bytes at its start.
func (o *Outlet) consumed(r *batch.Reader, of int) {
	if err := r.Err(); err != nil {
		panic("delay: a record has changed: " + err.Error())
	}
	o.at += int64(of - r.Len())
	o.head.known = false
}

// readTicks appends the ticks of the next record to o.batch.
func (o *Outlet) readTicks() {
	r := o.body()
	size := r.Len()
	for range o.head.n {
		o.batch = append(o.batch, quote.Tick{})
		o.decoder.Next(&r, &o.batch[len(o.batch)-1], o.events)
	}
	o.consumed(&r, size)
}

// changeOfStale reads the next record, of kind stale: since when the feed is stale, µs since 1970, 0 if it no longer is.
func (o *Outlet) changeOfStale() (since int64) {
	r := o.body()
	size := r.Len()
	since = r.Int()
	o.consumed(&r, size)
	return since
}
