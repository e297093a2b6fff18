package stream

import (
	"strings"
	"testing"
)

func TestOutboxTake(t *testing.T) {
	for _, c := range []struct {
		ticks, messages string
		limit           int
		want            string // the writes
	}{
		{"", "", 10, ""},
		{"", "abc", 10, "abc"},
		{"", "abc", 3, "abc"},
		{"", "abc", 2, "ab c"},
		{"", "abcdef", 2, "ab cd ef"},
		{"tick", "", 10, "tick"},
		{"tick", "", 4, "tick"},
		{"tick", "", 3, "tic k"},
		{"tick", "abc", 3, "tic k abc"}, // messages don't share a write with ticks
		{"tick", "abc", 10, "tick abc"},
	} {
		o := outbox{shared: []byte(c.ticks), messages: []byte(c.messages)}
		var writes []string
		for !o.empty() {
			b := o.take(c.limit)
			if len(b) == 0 || len(b) > c.limit {
				t.Fatalf("%+v: a write of %d bytes", c, len(b))
			}
			writes = append(writes, string(b))
		}
		if got := strings.Join(writes, " "); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
		if b := o.take(c.limit); b != nil || c.ticks != "" && o.shared != nil {
			t.Errorf("%+v: an empty outbox returns %q and holds %q", c, b, o.shared)
		}
	}
}

func TestOutboxReset(t *testing.T) {
	for capacity, dropped := range map[int]bool{0: false, maxIdleOutbox: false, maxIdleOutbox + 1: true} {
		o := outbox{shared: []byte("tick"), messages: make([]byte, capacity), taken: capacity / 2}
		if o.oversized() != dropped {
			t.Errorf("capacity %d: oversized %v", capacity, o.oversized())
		}
		o.reset()
		if !o.empty() || o.oversized() || (cap(o.messages) == 0) != (dropped || capacity == 0) {
			t.Errorf("capacity %d: kept %d", capacity, cap(o.messages))
		}
	}
}
