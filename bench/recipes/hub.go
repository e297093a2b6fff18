package recipes

import "sync"

// queue is what a subscriber may be behind, in ticks: as in gorilla's chat example.
const queue = 256

// hub is the usual hub: a channel for each subscriber. It never waits for a full one, which loses that tick; the
// generator counts it.
type hub[T any] struct {
	mu   sync.Mutex
	subs map[chan T]struct{}
}

func newHub[T any]() *hub[T] { return &hub[T]{subs: map[chan T]struct{}{}} }

func (h *hub[T]) join() chan T {
	c := make(chan T, queue)
	h.mu.Lock()
	h.subs[c] = struct{}{}
	h.mu.Unlock()
	return c
}

func (h *hub[T]) leave(c chan T) {
	h.mu.Lock()
	delete(h.subs, c)
	h.mu.Unlock()
}

func (h *hub[T]) publish(t T) {
	h.mu.Lock()
	for c := range h.subs {
		select {
		case c <- t:
		default:
		}
	}
	h.mu.Unlock()
}
