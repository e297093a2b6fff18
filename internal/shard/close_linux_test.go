package shard

import (
	"io"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// TestAnswerBeforeTheEnd: a client that answers an end which is still on its way has nothing more to wait for.
func TestAnswerBeforeTheEnd(t *testing.T) {
	h := open(t, Options{Writers: 1})
	// So much that the socket is full: the end stays on its way.
	p := &peer{bye: strings.Repeat("x", 1<<20), after: WaitInput, answered: CloseNow, feed: func([]byte) bool { return false }}
	nc := h.join(Handoff{Options: stream.Options{Format: wire.WSJSON, Limit: 1}}, p, true)
	h.publish(1)
	until(t, "the bye", func() bool { return p.sub.Reason() != "" })
	io.WriteString(nc, "the answer")
	until(t, "the answer to be read", func() bool { return p.fed.Load() > 0 })
	if _, err := io.Copy(io.Discard, nc); err != nil {
		t.Error(err)
	}
	p.gone(t)
}

// TestWritesAreThoseThatWrote: a socket that took nothing of a write wasn't written to.
func TestWritesAreThoseThatWrote(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[1])
	defer unix.Close(fds[0])
	c := &conn{fd: fds[0], meter: new(stream.Meter)}
	w := &writer{pool: &Pool{}}
	b := make([]byte, 10_000)
	whole := 0
	for w.put(c, [3][]byte{nil, b}, b) {
		whole++
	}
	had, sent := c.meter.Writes.Load(), c.meter.Bytes.Load()
	for range 5 {
		if w.goOn(c) {
			t.Fatal("there was room")
		}
	}
	if got := c.meter.Writes.Load(); got != had || had > uint64(whole)+1 || sent > uint64(whole+1)*uint64(len(b)) {
		t.Errorf("%d writes after %d whole ones, then %d; %d bytes", had, whole, got, sent)
	}
	full := make([]byte, len(b))
	c.tail = nil
	if w.put(c, [3][]byte{nil, full}, full) || c.meter.Writes.Load() != had || c.meter.Bytes.Load() != sent {
		t.Errorf("a write of nothing counts: %d writes, %d bytes", c.meter.Writes.Load()-had, c.meter.Bytes.Load()-sent)
	}
}
