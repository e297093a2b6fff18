package websocket

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/gobwas/ws"

	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// recorder records what a client's frames lead to, and ends the input after limit of them.
type recorder struct {
	calls []string
	limit int
}

func (r *recorder) record(what string, payload []byte) Close {
	r.calls = append(r.calls, fmt.Sprintf("%s %q", what, payload))
	if len(r.calls) == r.limit {
		return Close{wire.ClosePolicy, "enough"}
	}
	return Close{}
}

func (r *recorder) HandleText(b []byte) Close  { return r.record("text", b) }
func (r *recorder) HandlePing(b []byte) Close  { return r.record("ping", b) }
func (r *recorder) HandleEmptyFragment() Close { return r.record("empty", nil) }

const maxMessage = 300

// feed feeds a copy of sent in pieces whose sizes next returns.
func feed(sent []byte, next func(left int) int) (*Input, []string) {
	r := &recorder{limit: 10}
	in := &Input{Handler: r, MaxMessage: maxMessage, Deflate: true}
	for len(sent) > 0 {
		n := next(len(sent))
		in.Feed(slices.Clone(sent[:n]))
		sent = sent[n:]
	}
	return in, r.calls
}

func whole(left int) int { return left }

// frames returns the bytes of frames as a client sends them.
func frames(all ...ws.Frame) []byte {
	var b bytes.Buffer
	for _, f := range all {
		ws.WriteFrame(&b, ws.MaskFrame(f))
	}
	return b.Bytes()
}

func text(s string) ws.Frame { return ws.NewTextFrame([]byte(s)) }

// fragment returns a frame of a fragmented message.
func fragment(op ws.OpCode, fin bool, s string) ws.Frame { return ws.NewFrame(op, fin, []byte(s)) }

// compressed returns a frame with RSV1.
func compressed(op ws.OpCode, fin bool, payload []byte) ws.Frame {
	f := ws.NewFrame(op, fin, payload)
	f.Header.Rsv = ws.Rsv(true, false, false)
	return f
}

// deflated returns a message as a client compresses it.
func deflated(text string) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 9)
	io.WriteString(w, text)
	w.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xff, 0xff})
}

// final returns text compressed in a final block.
func final(text string) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 9)
	io.WriteString(w, text)
	w.Close()
	return b.Bytes()
}

func TestInput(t *testing.T) {
	long := strings.Repeat("x", 1000)
	command := deflated("command")
	var (
		cont, ping, closing = ws.OpContinuation, ws.NewPingFrame, ws.NewCloseFrame
		body                = ws.NewCloseFrameBody
	)
	unmasked := ws.MustCompileFrame
	for _, c := range []struct {
		name  string
		sent  []byte
		calls []string
		code  uint16
	}{
		{"messages and pings", frames(text("a"), ping([]byte("x")), text("b"), ws.NewPongFrame([]byte("y")), text("")), []string{`text "a"`, `ping "x"`, `text "b"`, `text ""`}, 0},
		{"fragments with a ping between", frames(fragment(ws.OpText, false, "a"), ping(nil), fragment(cont, false, ""), fragment(cont, true, "b"), text("c")),
			[]string{`ping ""`, `empty ""`, `text "ab"`, `text "c"`}, 0},
		{"an empty message in fragments", frames(fragment(ws.OpText, false, ""), fragment(cont, true, ""), text("c")), []string{`empty ""`, `text ""`, `text "c"`}, 0},
		{"the handler ends it", frames(slices.Repeat([]ws.Frame{text("")}, 14)...), slices.Repeat([]string{`text ""`}, 10), wire.ClosePolicy},

		{"largest message", frames(text(long[:maxMessage])), []string{fmt.Sprintf("text %q", long[:maxMessage])}, 0},
		{"too large by one", frames(text(long[:maxMessage+1])), nil, wire.CloseTooBig},
		{"largest in fragments", frames(fragment(ws.OpText, false, long[:299]), fragment(cont, true, "x")), []string{fmt.Sprintf("text %q", long[:maxMessage])}, 0},
		{"too large in fragments", frames(fragment(ws.OpText, false, long[:299]), fragment(cont, true, "xx")), nil, wire.CloseTooBig},
		{"the limit is of each message", frames(text(long[:maxMessage]), text(long[:maxMessage])), slices.Repeat([]string{fmt.Sprintf("text %q", long[:maxMessage])}, 2), 0},
		{"binary", frames(ws.NewBinaryFrame([]byte("x")), ping(nil)), nil, wire.CloseUnsupported},
		{"not UTF-8", frames(text("\xff\xfe")), nil, wire.CloseInvalidData},
		{"UTF-8 split between fragments", frames(fragment(ws.OpText, false, "\xc3"), fragment(cont, true, "\xa9")), []string{`text "é"`}, 0},
		{"not UTF-8 in fragments", frames(fragment(ws.OpText, false, "\xc3"), fragment(cont, true, "x")), nil, wire.CloseInvalidData},

		{"not masked", unmasked(text("{}")), nil, wire.CloseProtocol},
		{"continuation of nothing", frames(fragment(cont, true, "")), nil, wire.CloseProtocol},
		{"message within a message", frames(fragment(ws.OpText, false, "a"), text("b")), nil, wire.CloseProtocol},
		{"unknown opcode", frames(ws.NewFrame(3, true, nil)), nil, wire.CloseProtocol},
		{"unknown control opcode", frames(ws.NewFrame(0xB, true, nil)), nil, wire.CloseProtocol},
		{"ping in fragments", frames(ws.NewFrame(ws.OpPing, false, nil)), nil, wire.CloseProtocol},
		{"largest ping", frames(ping([]byte(long[:125]))), []string{fmt.Sprintf("ping %q", long[:125])}, 0},
		{"ping too large", frames(ping([]byte(long[:126]))), nil, wire.CloseProtocol},
		{"highest bit of the length", []byte("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00"), nil, wire.CloseProtocol},
		{"largest length", []byte("\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00"), nil, wire.CloseTooBig},
		{"length of 16 bits for 125 bytes", append([]byte("\x81\xfe\x00\x7d\x00\x00\x00\x00"), long[:125]...), nil, wire.CloseProtocol},
		{"length of 64 bits for a byte", []byte("\x81\xff\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00x"), nil, wire.CloseProtocol},
		{"length of 64 bits for 65,535 bytes", []byte("\x81\xff\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x00\x00"), nil, wire.CloseProtocol},
		{"length of 64 bits for 65,536 bytes", []byte("\x81\xff\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"), nil, wire.CloseTooBig},
		{"length of 16 bits for 126 bytes", append([]byte("\x81\xfe\x00\x7e\x00\x00\x00\x00"), long[:126]...), []string{fmt.Sprintf("text %q", long[:126])}, 0},
		{"ping with a length of 16 bits", []byte("\x89\xfe\x00\x01\x00\x00\x00\x00x"), nil, wire.CloseProtocol},
		{"second reserved bit", append([]byte{0xA1}, frames(text(""))[1:]...), nil, wire.CloseProtocol},

		{"close without code", frames(closing(nil), ping(nil)), nil, wire.CloseNormal},
		{"close", frames(closing(body(1000, "bye"))), nil, wire.CloseNormal},
		{"close going away", frames(closing(body(1001, ""))), nil, wire.CloseGoingAway},
		{"close with the first private code", frames(closing(body(4000, ""))), nil, 4000},
		{"close with the last private code", frames(closing(body(4999, "mine"))), nil, 4999},
		{"close with code 5000", frames(closing(body(5000, ""))), nil, wire.CloseProtocol},
		{"close with code 65535", frames(closing(body(65535, ""))), nil, wire.CloseProtocol},
		{"close with code 999", frames(closing(body(999, ""))), nil, wire.CloseProtocol},
		{"close with code 0", frames(closing([]byte{0, 0})), nil, wire.CloseProtocol},
		{"close with a code that is never sent", frames(closing(body(1005, ""))), nil, wire.CloseProtocol},
		{"close of one byte", frames(closing([]byte{3})), nil, wire.CloseProtocol},
		{"close with a reason that is not UTF-8", frames(closing(body(1000, "\xff"))), nil, wire.CloseProtocol},

		{"compressed", frames(compressed(ws.OpText, true, command), compressed(ws.OpText, true, command)), []string{`text "command"`, `text "command"`}, 0},
		{"compressed in fragments", frames(compressed(ws.OpText, false, command[:5]), ping(nil), ws.NewFrame(cont, true, command[5:])), []string{`ping ""`, `text "command"`}, 0},
		{"compressed and not", frames(compressed(ws.OpText, true, command), text("b"), compressed(ws.OpText, true, command)), []string{`text "command"`, `text "b"`, `text "command"`}, 0},
		{"largest inflated message", frames(compressed(ws.OpText, true, deflated(long[:maxMessage]))), []string{fmt.Sprintf("text %q", long[:maxMessage])}, 0},
		{"too large when inflated", frames(compressed(ws.OpText, true, deflated(long[:maxMessage+1]))), nil, wire.CloseTooBig},
		{"much too large when inflated", frames(compressed(ws.OpText, true, deflated(strings.Repeat("x", 200_000)))), nil, wire.CloseTooBig},
		{"not deflate", frames(compressed(ws.OpText, true, []byte("\xff\xff\xff"))), nil, wire.CloseInvalidData},
		{"cut", frames(compressed(ws.OpText, true, command[:5])), nil, wire.CloseInvalidData},
		{"after a final block", frames(compressed(ws.OpText, true, append([]byte{3, 0}, command...))), []string{`text "command"`}, 0},
		{"RFC 7692 §7.2.3.4", frames(compressed(ws.OpText, true, []byte("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"))), []string{`text "Hello"`}, 0},
		{"cut after a final block", frames(compressed(ws.OpText, true, append([]byte{3, 0}, command[:5]...))), nil, wire.CloseInvalidData},
		{"most final blocks", frames(compressed(ws.OpText, true, bytes.Repeat([]byte{3, 0}, 128))), []string{`text ""`}, 0},
		{"too many final blocks", frames(compressed(ws.OpText, true, bytes.Repeat([]byte{3, 0}, 129))), nil, wire.CloseInvalidData},
		{"too large in two final blocks", frames(compressed(ws.OpText, true, append(final(long[:200]), final(long[:200])...))), nil, wire.CloseTooBig},
		{"inflated, not UTF-8", frames(compressed(ws.OpText, true, deflated("\xff"))), nil, wire.CloseInvalidData},
		{"compressed ping", frames(compressed(ws.OpPing, true, nil)), nil, wire.CloseProtocol},
		{"compressed continuation", frames(compressed(ws.OpText, false, command[:5]), compressed(cont, true, command[5:])), nil, wire.CloseProtocol},
		{"compressed binary", frames(compressed(ws.OpBinary, true, command)), nil, wire.CloseUnsupported},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, calls := feed(c.sent, whole)
			end, received := in.End()
			if end.Code != c.code || !slices.Equal(calls, c.calls) {
				t.Errorf("code %d %q, calls %q; want %d, %q", end.Code, end.Reason, calls, c.code, c.calls)
			}
			if received != strings.HasPrefix(c.name, "close") {
				t.Errorf("close frame received: %v", received)
			}
			if in.partial != nil || in.message != nil && end.Code == 0 {
				t.Errorf("%d and %d bytes kept", len(in.partial), len(in.message))
			}
			if end.Code != 0 && in.Feed(frames(text("more"))) || len(calls) != len(c.calls) {
				t.Error("input after its end was handled")
			}
		})
	}
}

func TestCompressedWithoutNegotiation(t *testing.T) {
	r := new(recorder)
	in := &Input{Handler: r, MaxMessage: maxMessage}
	if in.Feed(frames(compressed(ws.OpText, true, deflated("command")))) || in.end.Code != wire.CloseProtocol || len(r.calls) != 0 {
		t.Errorf("%+v, %q", in.end, r.calls)
	}
}

// TestTooLargeIsKnownByTheHeader checks that nothing is kept of a message that is too large.
func TestTooLargeIsKnownByTheHeader(t *testing.T) {
	in, _ := feed(frames(text(strings.Repeat("x", maxMessage+1)))[:8], whole)
	if in.end.Code != wire.CloseTooBig || in.partial != nil {
		t.Errorf("%+v, %d bytes kept", in.end, len(in.partial))
	}
}

// ignoring ignores what a client sends.
type ignoring struct{}

func (ignoring) HandleText([]byte) Close    { return Close{} }
func (ignoring) HandlePing([]byte) Close    { return Close{} }
func (ignoring) HandleEmptyFragment() Close { return Close{} }

func TestWholeFramesAreNotCopied(t *testing.T) {
	in := &Input{Handler: ignoring{}, MaxMessage: maxMessage}
	sent := frames(text("command"), ws.NewPingFrame(nil))
	b := make([]byte, len(sent))
	if n := testing.AllocsPerRun(100, func() { in.Feed(b[:copy(b, sent)]) }); n != 0 {
		t.Errorf("%v allocations for whole frames, want none", n)
	}
}

func TestRead(t *testing.T) {
	broken := errors.New("reset")
	hello := frames(text("hello"))
	for _, c := range []struct {
		name  string
		in    io.Reader
		err   error
		code  uint16
		calls int
	}{
		{"EOF between frames", bytes.NewReader(slices.Concat(hello, hello)), nil, 0, 2},
		{"EOF within a frame", bytes.NewReader(slices.Concat(hello, hello[:4])), io.EOF, 0, 1},
		{"EOF with the last bytes", iotest.DataErrReader(bytes.NewReader(hello)), nil, 0, 1},
		{"another error", io.MultiReader(bytes.NewReader(hello), iotest.ErrReader(broken)), broken, 0, 1},
		{"a close frame", io.MultiReader(bytes.NewReader(frames(ws.NewCloseFrame(nil))), iotest.ErrReader(broken)), nil, wire.CloseNormal, 0},
	} {
		r := new(recorder)
		in := &Input{Handler: r, MaxMessage: maxMessage}
		if err := in.Read(c.in); err != c.err || in.end.Code != c.code || len(r.calls) != c.calls {
			t.Errorf("%s: %v, %+v, %q", c.name, err, in.end, r.calls)
		}
	}
}

// FuzzInputInPieces checks that frames mean the same however the network cuts them.
func FuzzInputInPieces(f *testing.F) {
	for _, sent := range [][]byte{
		frames(text(`{"action":"subscribe","topics":["S1"]}`), ws.NewPingFrame([]byte("x")), text(`{"action":"time"}`)),
		frames(fragment(ws.OpText, false, "a"), ws.NewPingFrame(nil), fragment(ws.OpContinuation, false, ""), fragment(ws.OpContinuation, true, "b"), text("c")),
		frames(text(strings.Repeat("x", 300)), text(strings.Repeat("x", 301))),
		frames(ws.NewBinaryFrame([]byte("x")), ws.NewPingFrame(nil)),
		frames(ws.NewCloseFrame(ws.NewCloseFrameBody(1001, "bye")), ws.NewPingFrame(nil)),
		frames(slices.Repeat([]ws.Frame{text("")}, 14)...),
		[]byte("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00"),
		[]byte("\x81\x02{}"),
		frames(compressed(ws.OpText, true, deflated("command")), compressed(ws.OpText, false, []byte("x")), fragment(ws.OpContinuation, true, "y")),
	} {
		f.Add(sent, uint64(1))
	}
	f.Fuzz(func(t *testing.T, sent []byte, seed uint64) {
		want, wantCalls := feed(sent, whole)
		rng := rand.New(rand.NewPCG(seed, 0))
		for name, next := range map[string]func(int) int{
			"single bytes": func(int) int { return 1 },
			"pieces":       func(left int) int { return 1 + rng.IntN(left) },
		} {
			in, calls := feed(sent, next)
			if !slices.Equal(calls, wantCalls) {
				t.Errorf("in %s: %q; whole: %q", name, calls, wantCalls)
			}
			if in.end != want.end || in.closeReceived != want.closeReceived || !bytes.Equal(in.partial, want.partial) {
				t.Errorf("in %s it ended with %+v, whole with %+v", name, in.end, want.end)
			}
			if len(in.partial) > in.MaxMessage+ws.MaxHeaderSize || len(in.message) > in.MaxMessage {
				t.Errorf("in %s it keeps %d and %d bytes", name, len(in.partial), len(in.message))
			}
		}
	})
}
