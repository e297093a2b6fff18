package ingest

import (
	"context"
	"strconv"

	"ticklane/internal/quote"
)

// flush handles the lines of the batch, then the pending instruments.
func (x *Input) flush(ctx context.Context, received int64) error {
	n := len(x.batch) + len(x.pending)
	if n == 0 {
		return nil
	}
	s := x.source
	if err := s.limiter.WaitN(ctx, n); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.publish == nil {
		return ErrStopped
	}
	before := x.result
	s.ticks = s.ticks[:0]
	for i := range x.batch {
		if l := &x.batch[i]; x.isNew(l) {
			if l.fault == nil {
				l.fault = s.handle(l, received)
			}
			x.result.count(l)
		}
	}
	x.batch = x.batch[:0]
	if len(s.ticks) > 0 {
		s.publish(s.ticks)
		s.published(received)
	}
	x.addInstruments()
	s.accepted.Add(x.result.Accepted - before.Accepted)
	s.rejected.Add(x.result.Rejected - before.Rejected)
	s.duplicates.Add(x.result.Duplicates - before.Duplicates)
	if x.sequence != nil {
		x.result.setProgress(&x.sequence.sequence)
	}
	return nil
}

// isNew reports whether a line was not handled before, and counts it as a duplicate otherwise.
func (x *Input) isNew(l *line) bool {
	switch {
	case l.n == 0:
	case x.sequence == nil:
		l.fault = &fault{"n", "needs the parameter source, which names the client's sequence"}
	case !x.sequence.take(l.n):
		x.result.Duplicates++
		return false
	}
	return true
}

// handle handles a valid line of an instrument.
func (s *Source) handle(l *line, received int64) *fault {
	state := &s.states[l.symbol]
	if l.kind == statusLine {
		state.setStatus(l, received)
		if !state.started {
			return nil // the first quote has it
		}
	} else if f := state.update(s.universe.Instrument(l.symbol), l, received); f != nil {
		return f
	}
	s.ticks = append(s.ticks, state.tick)
	if l.event != (quote.Event{}) {
		s.ticks[len(s.ticks)-1].Event = s.events.Put(l.event)
	}
	return nil
}

// addInstruments adds the pending instruments that are new. The same instrument again is accepted, another one with its symbol isn't:
// clients have the quotes of the first.
func (x *Input) addInstruments() {
	if len(x.pending) == 0 {
		return
	}
	s := x.source
	var added []quote.Instrument
	bySymbol := make(map[string]*quote.Instrument, len(x.pending))
	for i := range x.pending {
		p := &x.pending[i]
		if !x.isNew(&p.line) {
			continue
		}
		before := bySymbol[p.instrument.Symbol]
		if id, ok := s.universe.Lookup(p.instrument.Symbol); ok {
			before = s.universe.Instrument(id)
		}
		switch {
		case p.fault != nil:
		case before != nil && !sameInstrument(before, &p.instrument):
			p.fault = &fault{"S", p.instrument.Symbol + " is known with other properties, which can't change while the server runs"}
		case before != nil:
		case s.universe.Len()+len(added) == s.universe.Limit():
			p.fault = &fault{"S", "more instruments than feed.ingest.instruments, " + strconv.Itoa(s.universe.Limit())}
		default:
			bySymbol[p.instrument.Symbol] = &p.instrument
			added = append(added, p.instrument)
		}
		x.result.count(&p.line)
	}
	x.pending = x.pending[:0]
	if len(added) == 0 {
		return
	}
	if err := s.universe.Grow(added); err != nil {
		panic(err) // each was checked
	}
	if s.observer != nil {
		s.observer.UniverseGrown()
	}
}
