package generator

import (
	"encoding/binary"
	"errors"
)

// Fields of docs/ticklane.v1.proto.
const (
	quoteField = 1 // in Message
	dueField   = 8 // in Quote
	seqField   = 10
)

var errProto = errors.New("bad protobuf")

// field reads one field: a number in v, or bytes in b.
func field(m []byte) (num int, v uint64, b, rest []byte, ok bool) {
	tag, n := binary.Uvarint(m)
	if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29 {
		return
	}
	m = m[n:]
	num = int(tag >> 3)
	switch tag & 7 {
	case 0:
		if v, n = binary.Uvarint(m); n <= 0 {
			return
		}
		return num, v, nil, m[n:], true
	case 1:
		if len(m) < 8 {
			return
		}
		return num, binary.LittleEndian.Uint64(m), nil, m[8:], true
	case 2:
		size, n := binary.Uvarint(m)
		if n <= 0 || size > uint64(len(m)-n) {
			return
		}
		return num, 0, m[n : n+int(size)], m[n+int(size):], true
	case 5:
		if len(m) < 4 {
			return
		}
		return num, uint64(binary.LittleEndian.Uint32(m)), nil, m[4:], true
	}
	return
}

// protobuf reads one message; only a quote is a tick.
func protobuf(m []byte, s sink) error {
	for len(m) > 0 {
		num, _, q, rest, ok := field(m)
		if !ok {
			return errProto
		}
		m = rest
		if num != quoteField {
			continue
		}
		var seq, due uint64
		for len(q) > 0 {
			num, v, _, rest, ok := field(q)
			if !ok {
				return errProto
			}
			switch num {
			case seqField:
				seq = v
			case dueField:
				due = v
			}
			q = rest
		}
		if seq == 0 || due == 0 {
			return errTick
		}
		s.tick(seq, int64(due))
	}
	return nil
}
