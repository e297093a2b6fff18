package shard

import (
	"bytes"
	"io"
	"sync"
	"testing"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// TestReceivedBytes: bytes that came before the connection was handed over are handled first.
func TestReceivedBytes(t *testing.T) {
	h := newFixture(t, Options{Writers: 1})
	var mu sync.Mutex
	var input []byte
	p := &fakeProtocol{action: WaitEOF, final: "done", handleInput: func(b []byte) bool {
		mu.Lock()
		defer mu.Unlock()
		input = append(input, b...)
		return !bytes.HasSuffix(input, []byte("."))
	}}
	nc := h.connect(Handoff{Received: []byte("early "), Options: stream.Options{Format: wire.WSJSON}}, p, false)
	for _, piece := range []string{"in ", "pieces", "."} {
		io.WriteString(nc, piece)
	}
	all, err := io.ReadAll(nc)
	if err != nil || !bytes.HasSuffix(all, []byte("done")) {
		t.Errorf("%q, %v", all, err)
	}
	nc.Close()
	p.awaitClose(t)
	if string(input) != "early in pieces." {
		t.Errorf("handled %q", input)
	}
}
