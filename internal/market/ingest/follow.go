package ingest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"

	"ticklane/internal/quote"
	"ticklane/internal/quote/batch"
)

// follower is what a node knows of the feed from the batches that are stored, whichever node has published them. The node that
// publishes is ahead of it.
type follower struct {
	mu        sync.Mutex
	used      bool            // there are several nodes
	states    []followedState // by ID; as long as the newest instrument requires
	sequences sequences
}

type followedState struct {
	tick   quote.Tick // the newest; its N is 0 before the first
	detail batch.Detail
}

// Apply adds what a stored batch has to what this node knows: instruments, details, progress and ticks. Batches come in the order in
// which they are stored, also those that this node has published, from one goroutine. It must return before the batch is passed to
// parts that need the instruments. The error is of instruments that don't follow those that the node has.
func (s *Source) Apply(x *batch.Batch) error {
	if len(x.Instruments) > 0 {
		if err := s.grow(x.FirstID, x.Instruments); err != nil {
			return fmt.Errorf("instruments of another node: %w", err)
		}
	}
	f := &s.follower
	f.mu.Lock()
	defer f.mu.Unlock()
	f.used = true
	for _, d := range x.Details {
		f.state(d.Symbol).detail = d
	}
	for i := range x.Progress {
		f.sequences.apply(&x.Progress[i])
	}
	for i := range x.Ticks {
		f.state(x.Ticks[i].Symbol).tick = x.Ticks[i]
	}
	return nil
}

// Resume replaces what this node knows by a state: see State. Instruments that it has must be the first of the state's.
func (s *Source) Resume(x *batch.Batch) error {
	f := &s.follower
	f.mu.Lock()
	f.states, f.sequences = nil, newSequences()
	f.mu.Unlock()
	return s.Apply(x)
}

// State returns all that a node must know of the feed up to the newest batch of Apply, for batch.Encoder.AppendState.
func (s *Source) State() *batch.Batch {
	f := &s.follower
	f.mu.Lock()
	defer f.mu.Unlock()
	x := &batch.Batch{Instruments: s.universe.Instruments(), Progress: f.sequences.progress()}
	for i := range f.states {
		state := &f.states[i]
		if state.detail != (batch.Detail{}) {
			x.Details = append(x.Details, state.detail)
		}
		if state.tick.N > 0 {
			x.Ticks = append(x.Ticks, state.tick)
		}
	}
	return x
}

// progress sets that of a sequence. It returns false if there is only one node.
func (f *follower) progress(name string, r *Result) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if q := f.sequences.bySource[name]; q != nil {
		r.setProgress(&q.sequence)
	}
	return f.used
}

// foreign reports whether a sequence belongs to another subject. used is false if there is only one node.
func (f *follower) foreign(name, subject string) (foreign, used bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sequences.foreign(name, subject), f.used
}

func (f *follower) state(id quote.ID) *followedState {
	for int(id) >= len(f.states) {
		f.states = append(f.states, followedState{})
	}
	return &f.states[id]
}

// grow adds instruments of which the first has an ID, except for those that are known.
func (s *Source) grow(first quote.ID, instruments []quote.Instrument) error {
	s.growing.Lock()
	defer s.growing.Unlock()
	known := s.universe.Len() - int(first)
	if known < 0 {
		return fmt.Errorf("%s has ID %d: %w", instruments[0].Symbol, first, batch.ErrMissing)
	}
	for i := range instruments[:min(known, len(instruments))] {
		if have := s.universe.Instrument(first + quote.ID(i)); !sameInstrument(have, &instruments[i]) {
			return fmt.Errorf("%s has the ID %d of %s: their logs aren't the same; start this node anew", instruments[i].Symbol, int(first)+i, have.Symbol)
		}
	}
	if known >= len(instruments) {
		return nil
	}
	if err := s.universe.Grow(instruments[known:]); err != nil {
		return err
	}
	if s.observer != nil {
		s.observer.UniverseGrown()
	}
	return nil
}

func newSequences() sequences { return sequences{bySource: make(map[string]*sourceSequence)} }

// apply adds progress that is stored.
func (s *sequences) apply(p *batch.Progress) {
	if q := s.bySource[p.Source]; q != nil && (p.New || q.subject != p.Subject) {
		delete(s.bySource, p.Source)
	}
	q := s.open(p.Source, p.Subject)
	q.stored = true
	for _, r := range p.Ranges {
		q.takeRange(Range(r))
	}
}

// progress returns the progress of all sequences, those that were used longest ago first.
func (s *sequences) progress() (all []batch.Progress) {
	for _, name := range s.byAge() {
		q := s.bySource[name]
		p := batch.Progress{Source: name, Subject: q.subject, New: true}
		from := uint64(1)
		for _, h := range q.holes {
			if h.From > from {
				p.Ranges = append(p.Ranges, batch.Range{From: from, To: h.From - 1})
			}
			from = h.To + 1
		}
		if q.last >= from {
			p.Ranges = append(p.Ranges, batch.Range{From: from, To: q.last})
		}
		all = append(all, p)
	}
	return all
}

// byAge returns the names, those that were used longest ago first.
func (s *sequences) byAge() []string {
	return slices.SortedFunc(maps.Keys(s.bySource), func(a, b string) int {
		return cmp.Compare(s.bySource[a].opened, s.bySource[b].opened)
	})
}

// clone returns a copy without open inputs.
func (s *sequences) clone() sequences {
	c := sequences{bySource: make(map[string]*sourceSequence, len(s.bySource)), opened: s.opened}
	for name, q := range s.bySource {
		copied := *q
		copied.holes, copied.inputs = slices.Clone(q.holes), 0
		c.bySource[name] = &copied
	}
	return c
}

// resumed returns the states with which this node continues to publish.
func (f *follower) resumed(u *quote.Universe, limit int) []instrumentState {
	states := make([]instrumentState, limit)
	for i := range f.states {
		from, x := &f.states[i], &states[i]
		x.quoted, x.traded, x.sent = from.detail.Quoted, from.detail.Traded, from.detail
		if x.tick = from.tick; x.tick.N == 0 {
			x.tick.Halted = from.detail.Halted
			continue
		}
		x.newest = x.day.Resume(u.Instrument(quote.ID(i)).Session, &x.tick)
		x.tick.N, x.tick.Seq, x.tick.Event = 0, 0, 0
		x.started = true
	}
	return states
}
