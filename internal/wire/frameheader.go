package wire

import "encoding/binary"

// RSV1 is the reserved bit that marks a compressed message (RFC 7692 §6).
const RSV1 = 0x40

// FrameHeader is the header of one WebSocket frame (RFC 6455 §5.2), in either direction.
type FrameHeader struct {
	Final    bool
	Reserved byte // the bits RSV1 (0x40), RSV2 (0x20) and RSV3 (0x10)
	Op       byte
	Masked   bool
	Mask     [4]byte // if Masked
	Length   uint64  // of the payload
	Size     int     // of the header itself
}

// ParseFrameHeader parses the frame header at the start of b. While b is too short, ok is false and h.Size is the number
// of bytes that b needs before another attempt can get further. ParseFrameHeader judges nothing: the caller checks
// reserved bits, opcodes, masking and lengths.
func ParseFrameHeader(b []byte) (h FrameHeader, ok bool) {
	if len(b) < 2 {
		return FrameHeader{Size: 2}, false
	}
	h = FrameHeader{Final: b[0]&finBit != 0, Reserved: b[0] & 0x70, Op: b[0] & 0x0f, Masked: b[1]&0x80 != 0, Length: uint64(b[1] & 0x7f), Size: 2}
	mask := 2
	switch h.Length {
	case 126:
		mask = 4
	case 127:
		mask = 10
	}
	h.Size = mask
	if h.Masked {
		h.Size += len(h.Mask)
	}
	if len(b) < h.Size {
		return FrameHeader{Size: h.Size}, false
	}
	switch mask {
	case 4:
		h.Length = uint64(binary.BigEndian.Uint16(b[2:]))
	case 10:
		h.Length = binary.BigEndian.Uint64(b[2:])
	}
	if h.Masked {
		copy(h.Mask[:], b[mask:])
	}
	return h, true
}
