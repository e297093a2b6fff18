package client

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"ticklane/internal/wire"
)

// parseFrames returns the frames of a stream that arrives in pieces cut at the given offsets, each as op:length:start.
func parseFrames(stream []byte, cuts ...int) (string, error) {
	var got []string
	parser := frameParser{emit: func(op byte, p []byte) error {
		got = append(got, fmt.Sprintf("%d:%d:%x", op, len(p), p[:min(len(p), 20)]))
		return nil
	}}
	from := 0
	for _, to := range append(cuts, len(stream)) {
		piece := bytes.Clone(stream[from:to])
		err := parser.feed(piece)
		if err != nil {
			return strings.Join(got, " "), err
		}
		for i := range piece {
			piece[i] = '#'
		}
		from = to
	}
	return strings.Join(got, " "), nil
}

// fragments returns a text message in three frames with a ping between them.
func fragments() []byte {
	b := []byte{0x01, 2, 'a', 'b', 0x89, 1, 'p', 0x00, 0, 0x80, 3}
	return append(b, "cde"...)
}

func frameStream() []byte {
	b := wire.WSJSON.AppendTick(nil, 1, 2, []byte(goldenTick))
	b = wire.AppendFrameHeader(b, wire.OpText, 0)
	b = append(wire.AppendFrameHeader(b, wire.OpText, 300), make([]byte, 300)...)
	b = append(b, fragments()...)
	b = append(wire.AppendFrameHeader(b, wire.OpBinary, 70000), make([]byte, 70000)...)
	return wire.AppendClose(b, wire.CloseNormal, "limit")
}

func TestFrames(t *testing.T) {
	stream := frameStream()
	want := fmt.Sprintf("1:%d:%x 1:0: 1:300:%s 9:1:70 1:5:6162636465 2:70000:%s 8:7:03e86c696d6974", len(goldenTick), goldenTick[:20],
		strings.Repeat("00", 20), strings.Repeat("00", 20))
	if got, err := parseFrames(stream); err != nil || got != want {
		t.Fatalf("%v\n%s\nwant\n%s", err, got, want)
	}
	for cut := 0; cut <= 600; cut++ {
		if got, err := parseFrames(stream, cut); err != nil || got != want {
			t.Fatalf("cut at %d: %v\n%s", cut, err, got)
		}
	}
	var every []int
	for k := range 600 {
		every = append(every, k)
	}
	if got, err := parseFrames(stream, every...); err != nil || got != want {
		t.Fatalf("byte by byte: %v\n%s", err, got)
	}
}

func TestFramesReject(t *testing.T) {
	for _, c := range []struct {
		name   string
		stream []byte
		want   error
	}{
		{"a reserved bit", []byte{0xc1, 0}, errReserved},
		{"a reserved opcode", []byte{0x83, 0}, errReserved},
		{"a masked frame", []byte{0x81, 0x80, 0, 0, 0, 0}, errMasked},
		{"a ping that is too long", append([]byte{0x89, 126, 0, 126}, make([]byte, 126)...), errControl},
		{"a fragmented ping", []byte{0x09, 0}, errControl},
		{"a continuation without a message", []byte{0x80, 0}, errFragment},
		{"a message in a message", []byte{0x01, 0, 0x81, 0}, errFragment},
		{"a huge frame", []byte{0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0}, errTooBig},
		{"a length above 2^63", []byte{0x81, 127, 0xff, 0, 0, 1, 0, 0, 0, 0}, errTooBig},
	} {
		for cut := range len(c.stream) {
			if _, err := parseFrames(c.stream, cut); !errors.Is(err, c.want) {
				t.Errorf("%s cut at %d: %v", c.name, cut, err)
			}
		}
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(frameStream()[:700], 5, 130)
	f.Add(fragments(), 1, 5)
	f.Fuzz(func(t *testing.T, stream []byte, a, b int) {
		whole, err := parseFrames(stream)
		if a < 0 || b < a || b > len(stream) {
			return
		}
		got, err2 := parseFrames(stream, a, b)
		if got != whole || !errors.Is(err2, err) {
			t.Errorf("%x cut at %d and %d: %s, %v; whole %s, %v", stream, a, b, got, err2, whole, err)
		}
		// What is accepted as the first frame, another implementation accepts too.
		h, e := ws.ReadHeader(bytes.NewReader(stream))
		if whole != "" && (e != nil || h.Masked) {
			t.Errorf("%x: parsed as %s, gobwas/ws: %+v, %v", stream, whole, h, e)
		}
	})
}

func TestAppendFrameMasks(t *testing.T) {
	var b bytes.Buffer
	if err := writeFrame(&b, wire.OpPong, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	h, err := ws.ReadHeader(&b)
	if err != nil || !h.Masked || h.OpCode != ws.OpPong || h.Length != 5 {
		t.Fatalf("%+v, %v", h, err)
	}
	text := b.Bytes()
	ws.Cipher(text, h.Mask, 0)
	if string(text) != "hello" {
		t.Errorf("payload %q", text)
	}
}

func TestFramesAllocateNothing(t *testing.T) {
	stream := bytes.Repeat(wire.WSJSON.AppendTick(nil, 1, 2, []byte(goldenTick)), 10)
	r := frameParser{emit: func(byte, []byte) error { return nil }}
	feed := func() { r.feed(stream[:300]); r.feed(stream[300:]) }
	feed()
	if n := testing.AllocsPerRun(100, feed); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkFrames(b *testing.B) {
	stream := bytes.Repeat(wire.WSJSON.AppendTick(nil, 1, 2, []byte(goldenTick)), 100)
	var q Tick
	r := frameParser{emit: func(_ byte, p []byte) error { q.parseJSON(p); return nil }}
	b.SetBytes(int64(len(stream)))
	for b.Loop() {
		r.feed(stream)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/tick")
}
