package stream

import (
	"slices"
	"time"
)

// NewGroup makes a group for a writer: one goroutine that serves all subscribers which name the group in their Options,
// without a goroutine, a channel or a queue for each. It waits for Notified and Deadline, and serves whom Collect returns.
// The writer must Close the group, after its last subscriber.
func (l *Log) NewGroup() *Group {
	w := newGroup(l)
	w.written = true
	l.grouping.Lock()
	defer l.grouping.Unlock()
	all := append(slices.Clone(*l.groups.Load()), w)
	l.groups.Store(&all)
	return w
}

// Close takes a writer's group out of the log.
func (w *Group) Close() {
	l := w.log
	l.grouping.Lock()
	defer l.grouping.Unlock()
	all := slices.DeleteFunc(slices.Clone(*l.groups.Load()), func(other *Group) bool { return other == w })
	l.groups.Store(&all)
}

// Notified receives when Collect may have somebody.
func (w *Group) Notified() <-chan struct{} { return w.bell }

// Deadline is when Collect must be called at the latest, besides Bell: ticks wait for Config.FlushInterval. Zero for never.
func (w *Group) Deadline() time.Time { return w.after }

// Collect appends the subscribers that there may be something for: those whom the ticks up to head concern, in turn, then
// those who were rung. One may be there twice. Only the writer calls it; it may then serve them outside of any lock.
func (w *Group) Collect(into []*Subscriber, now time.Time) (all []*Subscriber, head uint64) {
	if pause := w.log.cfg.FlushInterval; pause <= 0 || !now.Before(w.after) {
		into = w.concerned(into)
		w.after = time.Time{}
		if len(into) > 0 && pause > 0 {
			w.after = now.Add(pause)
		}
	}
	w.rings.Lock()
	defer w.rings.Unlock()
	for _, s := range w.rung {
		s.rung = false
	}
	into = append(into, w.rung...)
	clear(w.rung)
	w.rung = w.rung[:0]
	return into, w.done
}

// concerned appends whom the new ticks concern. Nobody stands both under every symbol and under one.
func (w *Group) concerned(into []*Subscriber) []*Subscriber {
	w.mu.Lock()
	defer w.mu.Unlock()
	head := w.log.head.Load()
	if head == w.done {
		return into
	}
	w.number++
	w.turn = w.turn.next()
	for s := range w.every.inTurn(w.turn) {
		into = append(into, s)
	}
	once := func(s *Subscriber) {
		if s.round != w.number {
			s.round = w.number
			into = append(into, s)
		}
	}
	for _, id := range w.touched(head) {
		for s := range w.bySymbol[id].inTurn(w.turn) {
			once(s)
		}
	}
	w.sweep(head, once)
	return into
}

// ring makes the next Collect return a subscriber.
func (w *Group) ring(s *Subscriber) {
	w.rings.Lock()
	if !s.rung {
		s.rung = true
		w.rung = append(w.rung, s)
	}
	w.rings.Unlock()
	w.nudge()
}
