package shard

import (
	"io"
	"strings"
	"testing"

	"ticklane/internal/stream"
	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

// TestAnswerBeforeLastBytes: a client that answers the last bytes before it has got all of them need not answer again.
func TestAnswerBeforeLastBytes(t *testing.T) {
	h := newFixture(t, Options{Writers: 1})
	// More than the socket accepts.
	p := &fakeProtocol{final: strings.Repeat("x", 1<<20), action: WaitInput, secondAction: CloseNow, handleInput: func([]byte) bool { return false }}
	nc := h.connect(Handoff{Options: stream.Options{Format: wire.WSJSON, Limit: 1}}, p, true)
	h.publish(1)
	testkit.Eventually(t, func() bool { return p.sub.Reason() != "" }, "the bye")
	io.WriteString(nc, "the answer")
	testkit.Eventually(t, func() bool { return p.inputs.Load() > 0 }, "the answer to be read")
	if _, err := io.Copy(io.Discard, nc); err != nil {
		t.Error(err)
	}
	p.awaitClose(t)
}
