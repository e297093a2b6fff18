package handlers

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"golang.org/x/time/rate"

	"ticklane/internal/wire"
)

// minutes is what a client's messages led to, in order.
type minutes []string

func (m *minutes) EnqueueCommand(c wire.Command, _ time.Time) error {
	*m = append(*m, fmt.Sprintf("ask %s %q", c.Action, c.Topics))
	return nil
}

func (m *minutes) EnqueueMessage(msg wire.Message) error {
	*m = append(*m, fmt.Sprintf("tell %s", msg.JSON()))
	return nil
}

func (m *minutes) EnqueueFrame(b []byte) error {
	*m = append(*m, fmt.Sprintf("frame %x", b))
	return nil
}

// heard feeds a copy of sent, cut by next, and tells what it led to and how it ended.
func heard(sent []byte, next func(left int) int) (*inbound, minutes) {
	var m minutes
	in := &inbound{sub: &m, deflate: true, most: 300, state: ws.StateServerSide, limiter: rate.NewLimiter(0, 5)} // no refill: time plays no part
	for len(sent) > 0 {
		n := next(len(sent))
		in.feed(slices.Clone(sent[:n]))
		sent = sent[n:]
	}
	return in, m
}

func frames(all ...ws.Frame) []byte {
	var b bytes.Buffer
	for _, f := range all {
		ws.WriteFrame(&b, ws.MaskFrame(f))
	}
	return b.Bytes()
}

// talks are what clients send: lawful, and not.
var talks = [][]byte{
	frames(ws.NewTextFrame([]byte(`{"action":"subscribe","topics":["S1"]}`)), ws.NewPingFrame([]byte("x")), ws.NewTextFrame([]byte(`{"action":"time"}`))),
	frames(ws.NewFrame(ws.OpText, false, []byte(`{"action":`)), ws.NewPingFrame(nil), ws.NewFrame(ws.OpContinuation, false, nil),
		ws.NewFrame(ws.OpContinuation, true, []byte(`"time"}`)), ws.NewTextFrame([]byte("{}"))),
	frames(ws.NewTextFrame([]byte(strings.Repeat("x", 300))), ws.NewTextFrame([]byte(strings.Repeat("x", 301)))),
	frames(ws.NewBinaryFrame([]byte("x")), ws.NewPingFrame(nil)),
	frames(ws.NewCloseFrame(ws.NewCloseFrameBody(1001, "bye")), ws.NewPingFrame(nil)),
	frames(slices.Repeat([]ws.Frame{ws.NewTextFrame(nil)}, 14)...),
	[]byte("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00"),
	[]byte("\x81\x02{}"),
	frames(packedFrame(ws.OpText, true, deflated(`{"action":"time"}`)), packedFrame(ws.OpText, false, []byte("x")), ws.NewFrame(ws.OpContinuation, true, []byte("y"))),
}

// FuzzInboundInPieces: however the network cuts what a client sends, it means the same.
func FuzzInboundInPieces(f *testing.F) {
	for _, sent := range talks {
		f.Add(sent, uint64(1))
	}
	f.Fuzz(func(t *testing.T, sent []byte, seed uint64) {
		whole, want := heard(sent, func(left int) int { return left })
		random := rand.New(rand.NewPCG(seed, 0))
		for name, next := range map[string]func(int) int{
			"bytes":  func(int) int { return 1 },
			"pieces": func(left int) int { return 1 + random.IntN(left) },
		} {
			in, got := heard(sent, next)
			if !slices.Equal(got, want) {
				t.Errorf("in %s %q, whole %q", name, got, want)
			}
			if in.code != whole.code || in.reason != whole.reason || in.closed != whole.closed || !bytes.Equal(in.part, whole.part) {
				t.Errorf("in %s it ended with %d %q, whole with %d %q", name, in.code, in.reason, whole.code, whole.reason)
			}
			if len(in.part) > in.most+ws.MaxHeaderSize || len(in.message) > in.most {
				t.Errorf("in %s it keeps %d and %d bytes", name, len(in.part), len(in.message))
			}
		}
	})
}

// TestInboundRefusesByTheHeader: what is too big is known before its bytes come, and nothing is kept of it.
func TestInboundRefusesByTheHeader(t *testing.T) {
	sent := frames(ws.NewTextFrame(make([]byte, 301)))
	in, _ := heard(sent[:8], func(left int) int { return left })
	if in.code != wire.CloseTooBig || in.part != nil {
		t.Errorf("code %d, %d bytes kept", in.code, len(in.part))
	}
	in, got := heard(talks[1], func(int) int { return 1 })
	if in.code != 0 || in.part != nil || in.message != nil || len(got) != 3 {
		t.Errorf("after whole messages: code %d, %d and %d bytes kept, %q", in.code, len(in.part), len(in.message), got)
	}
}
