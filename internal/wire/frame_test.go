package wire

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

func TestFrameHeader(t *testing.T) {
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
			if got := len(b) - len("before"); got != ws.HeaderSize(h) || got > MaxFrameHeader {
				t.Errorf("header of %d bytes of payload takes %d bytes, want the shortest, %d", n, got, ws.HeaderSize(h))
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
		b, _ = WSJSON.Append(b, Message{Name: "m", ID: "1-1", Retry: 1, body: said(s)})
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

// TestClose: a close frame is a control frame, so at most 125 bytes, and its reason is UTF-8 (RFC 6455 §5.5.1).
func TestClose(t *testing.T) {
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
			t.Errorf("%q was cut within a character: %q", reason, text)
		}
	}
}

// said is a body that is only a text.
type said string

func (s said) appendJSON(b []byte) []byte  { return append(b, s...) }
func (s said) appendProto(b []byte) []byte { return append(b, s...) }

// readFrame reads one whole frame, of whatever length.
func readFrame(r io.Reader) (f ws.Frame, err error) {
	if f.Header, err = ws.ReadHeader(r); err != nil {
		return f, err
	}
	f.Payload = make([]byte, f.Header.Length)
	_, err = io.ReadFull(r, f.Payload)
	return f, err
}
