package stream

import (
	"cmp"
	"iter"
	"slices"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// waitlist is the subscribers of one symbol, or of all symbols, by lane.
type waitlist [wire.Lanes][]*Subscriber

// slot is where a subscriber is in a waitlist, so that it can be removed without a search.
type slot struct {
	id    quote.ID // of the waitlist's symbol, or everySymbol
	index int
}

const everySymbol quote.ID = -1

func (g *Group) waitlist(id quote.ID) *waitlist {
	if id == everySymbol {
		return &g.every
	}
	return &g.bySymbol[id]
}

// join puts a subscriber into the waitlists of its topics, and removes it from those where it was.
func (g *Group) join(s *Subscriber, topics quote.Topics) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.remove(s)
	if topics.Every() {
		s.slots = []slot{g.add(s, everySymbol)}
		return
	}
	s.slots = make([]slot, 0, len(topics.IDs()))
	for _, id := range topics.IDs() { // ascending, as remove needs them
		s.slots = append(s.slots, g.add(s, id))
	}
}

// leave removes a subscriber from all waitlists.
func (g *Group) leave(s *Subscriber) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.remove(s)
}

func (g *Group) add(s *Subscriber, id quote.ID) slot {
	list := &g.waitlist(id)[s.Lane()]
	*list = append(*list, s)
	return slot{id: id, index: len(*list) - 1}
}

// remove removes a subscriber from its waitlists. The last one of each list moves to its index.
func (g *Group) remove(s *Subscriber) {
	for _, at := range s.slots {
		list := &g.waitlist(at.id)[s.Lane()]
		last := len(*list) - 1
		if other := (*list)[last]; other != s {
			(*list)[at.index] = other
			k, _ := slices.BinarySearchFunc(other.slots, at.id, func(p slot, id quote.ID) int { return cmp.Compare(p.id, id) })
			other.slots[k].index = at.index
		}
		(*list)[last] = nil
		*list = (*list)[:last]
	}
	s.slots = nil
}

// rotation is one of four orders in which a pass visits a waitlist: which lane goes first, and from which end of its list.
// A fixed order would notify one lane, or the oldest streams, first on every tick, and bias a comparison of the lanes.
type rotation uint8

func (r rotation) next() rotation  { return (r + 1) % 4 }
func (r rotation) wsFirst() bool   { return r%2 == 1 }
func (r rotation) backwards() bool { return r >= 2 }

// rotated yields the subscribers, lanes alternating, in the order of a rotation.
func (w *waitlist) rotated(r rotation) iter.Seq[*Subscriber] {
	first, second := w[wire.SSE], w[wire.WS]
	if r.wsFirst() {
		first, second = second, first
	}
	at := func(list []*Subscriber, i int) *Subscriber {
		if r.backwards() {
			i = len(list) - 1 - i
		}
		return list[i]
	}
	return func(yield func(*Subscriber) bool) {
		for i := range max(len(first), len(second)) {
			if i < len(first) && !yield(at(first, i)) || i < len(second) && !yield(at(second, i)) {
				return
			}
		}
	}
}
