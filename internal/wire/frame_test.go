package wire

import (
	"bytes"
	"io"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

func TestAppendFrameHeader(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 127, 65535, 65536, 1 << 20} {
		for _, op := range []byte{OpText, OpBinary, OpClose, OpPing, OpPong} {
			b := AppendFrameHeader([]byte("before"), op, n)
			h, err := ws.ReadHeader(bytes.NewReader(b[len("before"):]))
			if err != nil {
				t.Fatalf("%d bytes: %v", n, err)
			}
			if want := (ws.Header{Fin: true, OpCode: ws.OpCode(op), Length: int64(n)}); h != want {
				t.Errorf("op %d with %d bytes was read as %+v", op, n, h)
			}
			if got := len(b) - len("before"); got != ws.HeaderSize(h) || got > maxFrameHeader {
				t.Errorf("the header for %d bytes of payload has %d bytes, want the minimum %d", n, got, ws.HeaderSize(h))
			}
		}
	}
}

func TestFramesFollowEachOther(t *testing.T) {
	var b []byte
	var want []string
	for n := range 200 {
		s := strings.Repeat("x", n*n)
		want = append(want, s)
		b, _ = WSJSON.Append(b, Message{Name: "m", ID: "1-1", Retry: 1, body: textBody(s)})
	}
	r := bytes.NewReader(b)
	for i, w := range want {
		f, err := readFrame(r)
		if err != nil || string(f.Payload) != w || f.Header.OpCode != ws.OpText {
			t.Fatalf("frame %d: %v, %d bytes", i, err, len(f.Payload))
		}
	}
	if r.Len() != 0 {
		t.Errorf("%d bytes left", r.Len())
	}
}

// TestCloseFits: a control frame has at most 125 bytes, and the reason of a close is UTF-8 (RFC 6455 §5.5.1).
func TestCloseFits(t *testing.T) {
	for _, reason := range []string{"", "shutdown", strings.Repeat("x", 123), strings.Repeat("x", 124), strings.Repeat("é", 100), strings.Repeat("😀", 50)} {
		b := AppendClose(nil, CloseSlow, reason)
		f, err := readFrame(bytes.NewReader(b))
		if err != nil || f.Header.OpCode != ws.OpClose || !f.Header.Fin || f.Header.Length > 125 {
			t.Fatalf("%q: %+v, %v", reason, f.Header, err)
		}
		code, text := ws.ParseCloseFrameData(f.Payload)
		if code != CloseSlow || !strings.HasPrefix(reason, text) || len(text) < min(len(reason), 120) {
			t.Errorf("%q was read as %d %q", reason, code, text)
		}
		if !utf8.ValidString(text) {
			t.Errorf("%q was truncated within a character: %q", reason, text)
		}
	}
}

// textBody is the body of a message that consists of a text.
type textBody string

func (s textBody) appendJSON(b []byte) []byte  { return append(b, s...) }
func (s textBody) appendProto(b []byte) []byte { return append(b, s...) }

// readFrame reads one frame.
func readFrame(r io.Reader) (f ws.Frame, err error) {
	if f.Header, err = ws.ReadHeader(r); err != nil {
		return f, err
	}
	f.Payload = make([]byte, f.Header.Length)
	_, err = io.ReadFull(r, f.Payload)
	return f, err
}

// TestParseFrameHeader compares every combination of first bytes with another implementation, whole and cut short.
func TestParseFrameHeader(t *testing.T) {
	rest := []byte{0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 1, 2, 3, 4}
	for first := range 256 {
		for _, second := range []byte{0, 1, 125, 126, 127, 0x80, 0x81, 0xfd, 0xfe, 0xff} {
			b := append([]byte{byte(first), second}, rest...)
			want, err := ws.ReadHeader(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			h, ok := ParseFrameHeader(b)
			if !ok || h.Final != want.Fin || h.Reserved != want.Rsv<<4 || h.Op != byte(want.OpCode) || h.Masked != want.Masked || h.Mask != want.Mask ||
				h.Length != uint64(want.Length) || h.Size != headerSize(second) {
				t.Errorf("%#x %#x: %+v, want %+v", first, second, h, want)
			}
			for n := range h.Size {
				if short, ok := ParseFrameHeader(b[:n]); ok || short.Size <= n || short.Size > h.Size {
					t.Errorf("%#x %#x cut to %d bytes: %+v, %v", first, second, n, short, ok)
				}
			}
		}
	}
}

func headerSize(second byte) int {
	n := map[byte]int{126: 4, 127: 10}[second&0x7f]
	if n == 0 {
		n = 2
	}
	if second&0x80 != 0 {
		n += 4
	}
	return n
}

// TestParseFrameHeaderKeepsLongLengths: a length above 2^63 is invalid, which the caller must be able to see.
func TestParseFrameHeaderKeepsLongLengths(t *testing.T) {
	if h, ok := ParseFrameHeader([]byte{0x82, 127, 0xff, 0, 0, 0, 0, 0, 0, 1}); !ok || h.Length != 0xff00000000000001 {
		t.Errorf("%+v, %v", h, ok)
	}
}

func FuzzParseFrameHeader(f *testing.F) {
	f.Add([]byte{0x81, 0xfe, 1, 0, 1, 2, 3, 4})
	f.Add([]byte{0xc2, 127, 0, 0, 0, 0, 0, 1, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, ok := ParseFrameHeader(b)
		if ok != (len(b) >= h.Size) {
			t.Fatalf("%x: complete %v, but the header has %d bytes", b, ok, h.Size)
		}
		want, err := ws.ReadHeader(bytes.NewReader(b))
		if !ok || h.Length > math.MaxInt64 {
			if err == nil {
				t.Fatalf("%x: %+v, %v, want %+v", b, h, ok, want)
			}
			return
		}
		got := ws.Header{Fin: h.Final, Rsv: h.Reserved >> 4, OpCode: ws.OpCode(h.Op), Masked: h.Masked, Mask: h.Mask, Length: int64(h.Length)}
		if err != nil || got != want {
			t.Fatalf("%x: %+v, want %+v, %v", b, got, want, err)
		}
	})
}

func TestParsersAllocateNothing(t *testing.T) {
	header, chunks := AppendFrameHeader(nil, OpText, 70_000), []byte("5\r\nhello\r\n")
	var d Dechunker
	body := func([]byte) error { return nil }
	if n := testing.AllocsPerRun(100, func() { ParseFrameHeader(header); d.Feed(chunks, body) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
