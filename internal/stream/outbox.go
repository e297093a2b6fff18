package stream

// maxIdleOutbox is the capacity that an outbox keeps: enough for a heartbeat. What a snapshot needed is dropped.
const maxIdleOutbox = 512

// outbox holds bytes that Next has not returned yet: the ticks or snapshot part of poll, then messages. The slices that take
// returns are valid until reset.
type outbox struct {
	shared   []byte // ticks, or part of a snapshot; not copied
	messages []byte // framed
	taken    int    // bytes of messages already taken
}

// take returns the next bytes, at most limit; nil when there are none.
func (o *outbox) take(limit int) []byte {
	if n := len(o.shared); n > 0 {
		b := o.shared[:min(n, limit)]
		if o.shared = o.shared[len(b):]; len(o.shared) == 0 {
			o.shared = nil // so that the log's memory can be freed
		}
		return b
	}
	if o.taken == len(o.messages) {
		return nil
	}
	b := o.messages[o.taken:min(len(o.messages), o.taken+limit)]
	o.taken += len(b)
	return b
}

// empty reports whether everything was taken.
func (o *outbox) empty() bool { return len(o.shared) == 0 && o.taken == len(o.messages) }

// oversized reports whether reset would free memory.
func (o *outbox) oversized() bool { return cap(o.messages) > maxIdleOutbox }

// reset discards what the outbox holds.
func (o *outbox) reset() {
	if o.oversized() {
		o.messages = nil
	}
	o.shared, o.messages, o.taken = nil, o.messages[:0], 0
}
