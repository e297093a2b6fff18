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
	before := x.result
	confirm, err := x.publish(received)
	if err == nil {
		err = confirmed(ctx, confirm)
	}
	if err != nil {
		x.result = before
		return err
	}
	s.accepted.Add(x.result.Accepted - before.Accepted)
	s.rejected.Add(x.result.Rejected - before.Rejected)
	s.duplicates.Add(x.result.Duplicates - before.Duplicates)
	return nil
}

// publish handles the lines and instruments. The function that it returns, unless it is nil, waits until they are stored.
func (x *Input) publish(received int64) (confirm func(context.Context) error, err error) {
	s := x.source
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.publish == nil {
		return nil, ErrStopped
	}
	if err := x.attach(); err != nil {
		return nil, err
	}
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
	first, added := quote.ID(s.universe.Len()), x.newInstruments()
	s.batch.FirstID, s.batch.Instruments = first, added
	s.send(x)
	if s.term == 0 && len(s.ticks) > 0 {
		s.published(received)
	}
	if len(added) > 0 {
		// The IDs of later ones depend on whether these are stored.
		if err := confirmed(s.leading, s.confirm); err != nil {
			return nil, err
		}
		if err := s.grow(first, added); err != nil {
			return nil, err
		}
	}
	if x.sequence != nil {
		x.result.setProgress(&x.sequence.sequence)
	}
	return s.confirm, nil
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
	case x.source.term > 0:
		x.take(l.n)
	}
	return true
}

// handle handles a valid line of an instrument.
func (s *Source) handle(l *line, received int64) *fault {
	state := &s.states[l.symbol]
	if l.kind == statusLine {
		state.setStatus(l, received)
		if !state.started {
			s.note(l.symbol, state)
			return nil // the first quote has it
		}
	} else if f := state.update(s.universe.Instrument(l.symbol), l, received); f != nil {
		return f
	}
	s.note(l.symbol, state)
	s.ticks = append(s.ticks, state.tick)
	if l.event != (quote.Event{}) {
		s.ticks[len(s.ticks)-1].Event = s.events.Put(l.event)
	}
	return nil
}

// newInstruments returns the pending instruments that are new. The same instrument again is accepted, another one with its symbol
// isn't: clients have the quotes of the first.
func (x *Input) newInstruments() (added []quote.Instrument) {
	if len(x.pending) == 0 {
		return nil
	}
	s := x.source
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
	return added
}
