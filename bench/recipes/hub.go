package recipes

import "sync"

// queue is the length of a subscriber's channel, as in gorilla's chat example.
const queue = 256

// hub has a channel for each subscriber. It never waits for a full channel: that subscriber loses the tick, which the
// generator counts.
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
