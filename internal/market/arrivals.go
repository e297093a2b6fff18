package market

import "ticklane/internal/quote"

// arrival is the next tick of a symbol.
type arrival struct {
	at float64 // model time, s
	id quote.ID
}

// arrivals is a binary heap of each symbol's next arrival, the earliest first. The ID breaks ties, so that the order doesn't
// depend on how the heap was built.
type arrivals []arrival

func (a arrival) before(b arrival) bool { return a.at < b.at || a.at == b.at && a.id < b.id }

// order establishes the heap's order.
func (q arrivals) order() {
	for i := len(q)/2 - 1; i >= 0; i-- {
		q.down(i)
	}
}

// replace replaces the earliest arrival.
func (q arrivals) replace(next arrival) {
	q[0] = next
	q.down(0)
}

func (q arrivals) down(i int) {
	moved := q[i]
	for {
		child := 2*i + 1
		if child >= len(q) {
			break
		}
		if right := child + 1; right < len(q) && q[right].before(q[child]) {
			child = right
		}
		if !q[child].before(moved) {
			break
		}
		q[i] = q[child]
		i = child
	}
	q[i] = moved
}
