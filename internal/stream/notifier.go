package stream

import (
	"cmp"
	"iter"
	"slices"
	"sync"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// Group is some of the log's subscribers, and what wakes them: the appender nudges it, and it looks at what was
// appended since its last round. While its goroutine is busy, more is appended: batches form by themselves under load, and
// an idle log adds no delay.
//
// The log's own group has a goroutine here, which rings the bell of each parked subscriber. Any other belongs to a
// writer that serves its subscribers itself: see NewGroup.
type Group struct {
	log   *Log
	bell  chan struct{} // capacity 1: a nudge while one is pending is the same nudge
	quit  chan struct{} // of the log's own group
	ended chan struct{}

	mu       sync.Mutex
	every    park   // subscribers of all symbols
	bySymbol []park // the others, under each symbol they want
	turn     turn   // in which order this round goes
	number   uint64 // of this round

	done  uint64 // looked at up to here
	swept uint64 // when quiet subscribers were last looked at
	touch []bool // symbols of this round, by ID
	round []quote.ID

	written bool      // it belongs to a writer
	after   time.Time // the writer's next round isn't due before

	rings sync.Mutex // never held with mu
	rung  []*Subscriber
}

// park is the subscribers of one topic, for each lane.
type park [wire.Lanes][]*Subscriber

// place is where a subscriber stands in a park, so that it can leave without a search.
type place struct {
	id    quote.ID // of the park's symbol; everySymbol for the one of all
	index int
}

const everySymbol quote.ID = -1

func (w *Group) park(id quote.ID) *park {
	if id == everySymbol {
		return &w.every
	}
	return &w.bySymbol[id]
}

func newGroup(l *Log) *Group {
	head := l.head.Load()
	return &Group{
		log: l, bell: make(chan struct{}, 1), done: head, swept: head,
		bySymbol: make([]park, l.cfg.Universe.Len()), touch: make([]bool, l.cfg.Universe.Len()),
	}
}

func (w *Group) start() {
	w.quit = make(chan struct{})
	w.ended = make(chan struct{})
	go w.run()
}

func (w *Group) close() {
	close(w.quit)
	<-w.ended
}

func (w *Group) nudge() {
	select {
	case w.bell <- struct{}{}:
	default:
	}
}

func (w *Group) run() {
	defer close(w.ended)
	for {
		select {
		case <-w.quit:
			return
		case <-w.bell:
		}
		w.wake(w.log.head.Load())
		if pause := w.log.cfg.FlushInterval; pause > 0 {
			t := time.NewTimer(pause)
			select {
			case <-w.quit:
				t.Stop()
				return
			case <-t.C:
			}
		}
	}
}

// wake tells everybody who wants a tick up to head.
func (w *Group) wake(head uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn = w.turn.next()
	w.every.wake(w.turn)
	for _, id := range w.touched(head) {
		w.bySymbol[id].wake(w.turn)
	}
	w.sweep(head, (*Subscriber).wake)
}

// touched returns the symbols of the ticks that came since the last round, valid until the next.
func (w *Group) touched(head uint64) []quote.ID {
	w.round = w.round[:0]
	if head-w.done > w.log.size {
		w.done = head - w.log.size
	}
	for seq := w.done + 1; seq <= head; seq++ {
		if e := w.log.entry(seq); e != nil && !w.touch[e.tick.Symbol] {
			w.touch[e.tick.Symbol] = true
			w.round = append(w.round, e.tick.Symbol)
		}
	}
	w.done = head
	for _, id := range w.round {
		w.touch[id] = false
	}
	return w.round
}

// sweep wakes subscribers whose client holds an id that is a quarter of the log old: no tick of theirs came, and
// a heartbeat must carry their position on, or it would leave the log.
func (w *Group) sweep(head uint64, wake func(*Subscriber)) {
	quarter := w.log.size / 4
	if head-w.swept < max(1, quarter/8) {
		return
	}
	w.swept = head
	w.log.subs.each(func(s *Subscriber) {
		if s.group == w && head-min(head, s.told.Load()) >= quarter {
			wake(s)
		}
	})
}

// turn is one of four orders of a round: which lane goes first, and from which end of its list. A fixed order would
// give a lane, or the stream that was opened first, the earlier wake-up of every tick, and bias a comparison.
type turn uint8

func (t turn) next() turn      { return (t + 1) % 4 }
func (t turn) swapped() bool   { return t%2 == 1 }
func (t turn) backwards() bool { return t >= 2 }

func (p *park) wake(t turn) {
	for s := range p.inTurn(t) {
		s.wake()
	}
}

// inTurn goes through the lanes by turns.
func (p *park) inTurn(t turn) iter.Seq[*Subscriber] {
	first, second := p[wire.SSE], p[wire.WS]
	if t.swapped() {
		first, second = second, first
	}
	at := func(list []*Subscriber, i int) *Subscriber {
		if t.backwards() {
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

// enlist puts a subscriber under its topics, after taking it from where it stood.
func (w *Group) enlist(s *Subscriber, topics quote.Topics) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.remove(s)
	if topics.Every() {
		s.places = []place{w.add(s, everySymbol)}
		return
	}
	s.places = make([]place, 0, len(topics.IDs()))
	for _, id := range topics.IDs() { // ascending, as remove needs them
		s.places = append(s.places, w.add(s, id))
	}
}

func (w *Group) delist(s *Subscriber) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.remove(s)
}

func (w *Group) add(s *Subscriber, id quote.ID) place {
	list := &w.park(id)[s.Lane()]
	*list = append(*list, s)
	return place{id: id, index: len(*list) - 1}
}

// remove takes a subscriber out of its parks; the last one there takes its place.
func (w *Group) remove(s *Subscriber) {
	for _, at := range s.places {
		list := &w.park(at.id)[s.Lane()]
		last := len(*list) - 1
		if other := (*list)[last]; other != s {
			(*list)[at.index] = other
			k, _ := slices.BinarySearchFunc(other.places, at.id, func(p place, id quote.ID) int { return cmp.Compare(p.id, id) })
			other.places[k].index = at.index
		}
		(*list)[last] = nil
		*list = (*list)[:last]
	}
	s.places = nil
}
