package shard

import (
	"io"
	"strings"
	"testing"
	"time"

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

// TestCloseAction: what the client sees after the last bytes, and when the connection is closed.
func TestCloseAction(t *testing.T) {
	const closeWait = 100 * time.Millisecond
	for _, c := range []struct {
		name     string
		action   CloseAction
		answer   string // sent by the client after the last bytes; "" for none
		leave    bool   // the client closes
		fin      bool   // the client gets FIN although it does nothing
		byWait   bool   // the connection is closed when CloseWait is over, not before
		endFirst bool   // OnEnd is called before that
	}{
		{name: "CloseNow", action: CloseNow, fin: true},
		{name: "WaitInput, no answer", action: WaitInput, fin: true, byWait: true},
		{name: "WaitInput, incomplete answer", action: WaitInput, answer: "incomplete", fin: true, byWait: true},
		{name: "WaitInput, answer", action: WaitInput, answer: "answer.", fin: true},
		{name: "WaitInput, client closes", action: WaitInput, leave: true},
		{name: "WaitEOF", action: WaitEOF, fin: true, byWait: true, endFirst: true},
		{name: "WaitEOF, input is discarded", action: WaitEOF, answer: "answer.", fin: true, byWait: true, endFirst: true},
		{name: "WaitEOF, client closes", action: WaitEOF, leave: true, endFirst: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			opt := Options{Writers: 1, CloseWait: timeout}
			if c.byWait {
				opt.CloseWait = closeWait
			}
			h := newFixture(t, opt)
			p := &fakeProtocol{final: "last", action: c.action, secondAction: CloseNow, handleInput: func(b []byte) bool {
				return !strings.HasSuffix(string(b), ".")
			}}
			nc := h.connect(Handoff{Options: stream.Options{Format: wire.WSJSON, Limit: 1}}, p, false)
			ended := time.Now()
			h.publish(1)
			var got []byte
			for !strings.HasSuffix(string(got), "last") {
				b := make([]byte, 4096)
				n, err := nc.Read(b)
				if got = append(got, b[:n]...); err != nil {
					t.Fatalf("%q, %v", got, err)
				}
			}
			if c.endFirst {
				testkit.Eventually(t, p.ended.Load, "OnEnd")
			}
			io.WriteString(nc, c.answer)
			if c.leave {
				nc.Close()
			} else if rest, err := io.ReadAll(nc); c.fin && (err != nil || len(rest) > 0) {
				t.Errorf("then %q, %v", rest, err)
			}
			p.awaitClose(t)
			if took := time.Since(ended); c.byWait && took < closeWait {
				t.Errorf("closed after %v", took)
			}
			if inputs := p.inputs.Load(); c.action == WaitEOF && inputs != 0 {
				t.Errorf("HandleInput called %d times after FIN", inputs)
			}
		})
	}
}
