package loadtest

import (
	"encoding/binary"
	"fmt"
)

// Kinds of message in docs/ticklane.v1.proto: the fields of Message. A decoder of our own, since the server's encoder must
// not vouch for itself; only what is looked at is read.
const (
	protoQuote = 1 + iota
	protoHello
	protoSnapshot
	protoGap
	protoHeartbeat
	protoBye
	protoSubscription
	protoTime
	protoError
)

// field is one of a protobuf message: a number, or bytes.
type field struct {
	number int
	v      uint64
	bytes  []byte // part of the message; nil for a number
}

// nextField takes the field that b starts with; rest is what follows. ok is false when b starts with none.
func nextField(b []byte) (f field, rest []byte, ok bool) {
	tag, n := binary.Uvarint(b)
	if n <= 0 || tag>>3 == 0 || tag>>3 >= 1<<29 {
		return f, nil, false
	}
	f.number, b = int(tag>>3), b[n:]
	switch tag & 7 {
	case 0:
		if f.v, n = binary.Uvarint(b); n <= 0 {
			return f, nil, false
		}
	case 1:
		if n = 8; len(b) < n {
			return f, nil, false
		}
		f.v = binary.LittleEndian.Uint64(b)
	case 2:
		size, m := binary.Uvarint(b)
		if m <= 0 || size > uint64(len(b)-m) {
			return f, nil, false
		}
		n = m + int(size)
		f.bytes = b[m:n:n]
	case 5:
		if n = 4; len(b) < n {
			return f, nil, false
		}
		f.v = uint64(binary.LittleEndian.Uint32(b))
	default:
		return f, nil, false // groups are of an older protobuf
	}
	return f, b[n:], true
}

// eachField calls do for every field of a message; false where it isn't one.
func eachField(b []byte, do func(field)) bool {
	for len(b) > 0 {
		f, rest, ok := nextField(b)
		if !ok {
			return false
		}
		do(f)
		b = rest
	}
	return true
}

// scanKind finds what kind of message b is. Kinds of a later version are 0.
func scanKind(b []byte) (kind int, body []byte, ok bool) {
	for len(b) > 0 {
		f, rest, good := nextField(b)
		if !good {
			return 0, nil, false
		}
		if f.number >= protoQuote && f.number <= protoError {
			if f.bytes == nil {
				return 0, nil, false
			}
			kind, body = f.number, f.bytes // the last one counts
		}
		b = rest
	}
	return kind, body, true
}

// scanProto reads one Quote. ok is false when it isn't one, or a part that each tick has is missing.
func (t *tick) scanProto(b []byte) (ok bool) {
	*t = tick{}
	for len(b) > 0 {
		f, rest, good := nextField(b)
		if !good {
			return false
		}
		switch f.number {
		case 1:
			t.symbol = f.bytes
		case 8:
			t.due = int64(f.v)
		case 9:
			t.n = f.v
		case 10:
			t.i = f.v
		}
		b = rest
	}
	return len(t.symbol) > 0 && t.due > 0 && t.n > 0 && t.i > 0
}

// scanProtoSnapshot calls each for every quote of a Snapshot and returns the seq that it holds for. A quote of a symbol
// that had no tick yet has a sequence of 0.
func scanProtoSnapshot(b []byte, each func(t *tick)) (i uint64, ok bool) {
	var t tick
	whole := true
	good := eachField(b, func(f field) {
		switch f.number {
		case 1:
			i = f.v
		case 2:
			t = tick{}
			whole = whole && eachField(f.bytes, func(q field) {
				switch q.number {
				case 1:
					t.symbol = q.bytes
				case 9:
					t.n = q.v
				case 10:
					t.i = q.v
				}
			}) && len(t.symbol) > 0
			if whole {
				each(&t)
			}
		}
	})
	return i, good && whole
}

// scanNote reads any other message, as the text of its JSON twin would be read.
func scanNote(kind int, b []byte) (n note, h hello, err error) {
	number := func(m map[int]*uint64) func(field) {
		return func(f field) {
			if at := m[f.number]; at != nil {
				*at = f.v
			}
		}
	}
	var t, heartbeat, retry uint64
	ok := true
	switch kind {
	case protoHello:
		n.T, h.T = "hello", "hello"
		numbers := number(map[int]*uint64{5: &h.Head, 6: &h.Oldest, 10: &heartbeat, 11: &t})
		texts := map[int]*string{2: &h.Lane, 3: &h.Engine, 4: &h.Epoch, 7: &h.Resume, 8: &h.Mode}
		ok = eachField(b, func(f field) {
			if at := texts[f.number]; at != nil {
				*at = string(f.bytes)
			}
			if f.number == 9 {
				h.Topics = append(h.Topics, string(f.bytes))
			}
			numbers(f)
		})
		h.Heartbeat, h.Time = int64(heartbeat), int64(t)
	case protoGap:
		n.T = "gap"
		numbers := number(map[int]*uint64{1: &n.From, 2: &n.To, 3: &n.Missed})
		ok = eachField(b, func(f field) {
			if numbers(f); f.number == 4 {
				n.Reason = string(f.bytes)
			}
		})
	case protoHeartbeat:
		n.T = "hb"
		ok = eachField(b, number(map[int]*uint64{1: &t, 2: &n.Head}))
	case protoBye:
		n.T = "bye"
		numbers := number(map[int]*uint64{2: &retry})
		ok = eachField(b, func(f field) {
			if numbers(f); f.number == 1 {
				n.Reason = string(f.bytes)
			}
		})
	case protoError:
		n.T = "error"
		ok = eachField(b, func(f field) {
			switch f.number {
			case 1:
				n.Code = string(f.bytes)
			case 2:
				n.Msg = string(f.bytes)
			}
		})
	case protoSubscription:
		n.T = "subscription"
	case protoTime:
		n.T = "time"
	}
	n.Time, n.Retry = int64(t), int64(retry)
	if !ok {
		return n, h, fmt.Errorf("protobuf %s: %w", n.T, errMalformed)
	}
	return n, h, nil
}
