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

// Close codes: of RFC 6455 §7.4.1, of the IANA registry (1013), and one of the private range.
const (
	CloseNormal      = 1000 // limit or duration reached
	CloseGoingAway   = 1001 // shutdown
	CloseProtocol    = 1002
	CloseUnsupported = 1003 // a binary message from the client
	CloseInvalidData = 1007 // text that is not UTF-8
	ClosePolicy      = 1008 // too many messages
	CloseTooBig      = 1009
	CloseOverload    = 1013
	CloseSlow        = 4008
)

// MaxFrameHeader is the longest header of a server's frame, which has no mask.
const MaxFrameHeader = 10

const finBit = 0x80

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

// AppendClose appends a close frame. reason is cut, between two characters, to the 123 bytes that a control frame
// leaves.
func AppendClose(b []byte, code uint16, reason string) []byte {
	reason = cut(reason, 123)
	b = AppendFrameHeader(b, OpClose, 2+len(reason))
	b = binary.BigEndian.AppendUint16(b, code)
	return append(b, reason...)
}
