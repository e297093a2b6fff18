package wire

import (
	"bytes"
	"testing"

	"github.com/gobwas/ws"
)

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
