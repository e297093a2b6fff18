package stream

// maxIdleOutbox is the capacity that an outbox keeps: enough for a heartbeat. What a snapshot needed is dropped.
const maxIdleOutbox = 512

// outbox holds bytes that Next has not returned yet: compressed ticks that exceed one write, then messages. The
// slices that take returns are valid until reset.
type outbox struct {
	ticks    []byte // shared with other subscribers
	messages []byte // framed
	taken    int    // bytes of messages already taken
}

// take returns the next bytes, at most limit; nil when there are none.
func (o *outbox) take(limit int) []byte {
	if n := len(o.ticks); n > 0 {
		b := o.ticks[:min(n, limit)]
		if o.ticks = o.ticks[len(b):]; len(o.ticks) == 0 {
			o.ticks = nil // so that the log's memory can be freed
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
func (o *outbox) empty() bool { return len(o.ticks) == 0 && o.taken == len(o.messages) }

// oversized reports whether reset would free memory.
func (o *outbox) oversized() bool { return cap(o.messages) > maxIdleOutbox }

// reset discards what the outbox holds.
func (o *outbox) reset() {
	if o.oversized() {
		o.messages = nil
	}
	o.ticks, o.messages, o.taken = nil, o.messages[:0], 0
}
