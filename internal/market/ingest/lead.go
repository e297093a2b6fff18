package ingest

import (
	"context"
	"fmt"

	"ticklane/internal/quote"
	"ticklane/internal/quote/batch"
)

// Publish passes a batch on, in the order of calls, which don't overlap, and must not keep it. confirm waits until the batch is stored.
// Its error means that the batch may not be stored; then all later batches of the term fail, too. It may be called more than once, by
// any goroutine; nil means that there is nothing to wait for. It must not wait for Apply.
type Publish func(*batch.Batch) (confirm func(context.Context) error)

// Lead is Run for the one node of several that publishes, from what it has received by Apply: all that is stored. Lines are accepted,
// and counted, once the batch that has them is stored. Call it each time the node becomes that one. Whether the feed is stale is the
// bus's to report.
func (s *Source) Lead(ctx context.Context, publish Publish) error {
	s.mu.Lock()
	s.follower.mu.Lock()
	s.follower.used = true
	s.states = s.follower.resumed(s.universe, s.options.MaxInstruments)
	s.sequences = s.follower.sequences.clone()
	s.follower.mu.Unlock()
	s.term++
	s.publish, s.confirm, s.leading = publish, nil, ctx
	s.mu.Unlock()
	<-ctx.Done()
	s.stop()
	return nil
}

// stop ends the publishing.
func (s *Source) stop() {
	s.mu.Lock()
	s.publish = nil
	s.mu.Unlock()
}

// unattached is the term of an input that was opened while another node published.
const unattached = -1

// attach opens the sequence of an input again if the node has become the publishing one since.
func (x *Input) attach() error {
	if x.term == x.source.term {
		return nil
	}
	if x.name != "" {
		if x.sequence = x.source.sequences.open(x.name, x.subject); x.sequence == nil {
			x.term = unattached
			return ErrForeignSource
		}
		x.sequence.inputs++
	}
	x.term = x.source.term
	return nil
}

// take notes the number of a new line for other nodes.
func (x *Input) take(n uint64) {
	if last := len(x.taken) - 1; last >= 0 && x.taken[last].To+1 == n {
		x.taken[last].To = n
		return
	}
	x.taken = append(x.taken, batch.Range{From: n, To: n})
}

// note adds a change of what other nodes must know of an instrument.
func (s *Source) note(id quote.ID, state *instrumentState) {
	d := batch.Detail{Symbol: id, Quoted: state.quoted, Traded: state.traded, Halted: !state.started && state.tick.Halted}
	if d != state.sent {
		state.sent = d
		s.batch.Details = append(s.batch.Details, d)
	}
}

// send publishes the batch, with the progress of an input, and returns what waits until that is stored, and all before.
func (s *Source) send(x *Input) {
	b := &s.batch
	if b.Ticks = s.ticks; len(x.taken) > 0 {
		b.Progress = append(b.Progress, batch.Progress{Source: x.name, Subject: x.subject, New: !x.sequence.stored, Ranges: x.taken})
		x.sequence.stored, x.taken = true, nil
	}
	if !b.Empty() {
		s.confirm = s.publish(b)
	}
	*b = batch.Batch{Details: b.Details[:0], Progress: b.Progress[:0]}
}

// confirmed waits for a batch, nil for none.
func confirmed(ctx context.Context, confirm func(context.Context) error) error {
	if confirm == nil {
		return nil
	}
	err := confirm(ctx)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: %w", ErrStopped, err)
	}
	return err
}
