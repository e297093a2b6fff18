package wire

import "encoding/binary"

// Opcodes of RFC 6455 §5.2.
const (
	OpContinuation = 0x0
	OpText         = 0x1
	OpBinary       = 0x2
	OpClose        = 0x8
	OpPing         = 0x9
	OpPong         = 0xA
)

// Close codes: RFC 6455 §7.4.1, 1013 of the IANA registry, and the private range.
const (
	CloseNormal       = 1000 // limit or duration reached
	CloseGoingAway    = 1001 // shutdown
	CloseProtocol     = 1002
	CloseUnsupported  = 1003 // a binary message from the client
	CloseInvalidData  = 1007 // a text message that is not UTF-8
	ClosePolicy       = 1008 // too many messages
	CloseTooBig       = 1009
	CloseOverload     = 1013
	CloseUnauthorized = 4001 // no credential in time, or an expired one: the client may reconnect with another
	CloseRevoked      = 4003 // the client must not reconnect with its credential
	CloseSlow         = 4008
)

const (
	finBit  = 0x80
	maskBit = 0x80

	// RSV1 is the reserved bit that marks a compressed message (RFC 7692 §6).
	RSV1 = 0x40

	// maxFrameHeader is the maximum size of a frame header of the server, which has no mask.
	maxFrameHeader = 10

	maxCloseReason = 123 // bytes: a control frame has at most 125, two of them the code
)

// AppendFrameHeader appends the header of one final, unmasked frame with n bytes of payload.
func AppendFrameHeader(b []byte, op byte, n int) []byte {
	b = append(b, finBit|op)
	switch {
	case n < 126:
		return append(b, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
}

// AppendClose appends a close frame. It truncates reason, between two characters, to the 123 bytes that fit.
func AppendClose(b []byte, code uint16, reason string) []byte {
	reason = truncate(reason, maxCloseReason)
	b = AppendFrameHeader(b, OpClose, 2+len(reason))
	b = binary.BigEndian.AppendUint16(b, code)
	return append(b, reason...)
}

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
// of bytes that b needs before another attempt can get further. ParseFrameHeader validates nothing: the caller checks
// reserved bits, opcodes, masking and lengths.
func ParseFrameHeader(b []byte) (h FrameHeader, ok bool) {
	if len(b) < 2 {
		return FrameHeader{Size: 2}, false
	}
	h = FrameHeader{Final: b[0]&finBit != 0, Reserved: b[0] & 0x70, Op: b[0] & 0x0f, Masked: b[1]&maskBit != 0, Length: uint64(b[1] &^ maskBit), Size: 2}
	mask := 2 // offset of the mask
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

// cutFrame splits the first of this package's own frames off b. first is its first byte without FIN: the opcode and RSV1.
func cutFrame(b []byte) (first byte, payload, rest []byte) {
	h, _ := ParseFrameHeader(b)
	end := h.Size + int(h.Length)
	return h.Reserved | h.Op, b[h.Size:end], b[end:]
}
