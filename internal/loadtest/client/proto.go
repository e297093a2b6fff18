package client

import (
	"google.golang.org/protobuf/encoding/protowire"
)

// The fields of Message in docs/ticklane.v1.proto: what kind of message it is. kindUnknown is a kind of a later version.
const (
	kindUnknown = iota
	kindQuote
	kindHello
	kindSnapshot
	kindGap
	kindHeartbeat
	kindBye
	kindSubscription
	kindTime
	kindError
)

// field is one field of a protobuf message.
type field struct {
	number  int
	value   uint64 // of a varint or fixed field
	bytes   []byte // of a length-delimited field, part of the message; nil otherwise
	encoded int    // bytes of the whole field
}

// parseField parses the field at the start of b.
func parseField(b []byte) (f field, ok bool) {
	number, kind, n := protowire.ConsumeTag(b)
	if n < 0 {
		return f, false
	}
	f.number, b = int(number), b[n:]
	size := 0
	switch kind {
	case protowire.VarintType:
		f.value, size = protowire.ConsumeVarint(b)
	case protowire.Fixed32Type:
		var v uint32
		v, size = protowire.ConsumeFixed32(b)
		f.value = uint64(v)
	case protowire.Fixed64Type:
		f.value, size = protowire.ConsumeFixed64(b)
	case protowire.BytesType:
		f.bytes, size = protowire.ConsumeBytes(b)
	default:
		return f, false // groups, which proto3 doesn't have
	}
	f.encoded = n + size
	return f, size >= 0
}

// eachField calls do for every field of b and reports whether b is a valid message.
func eachField(b []byte, do func(field)) bool {
	for len(b) > 0 {
		f, ok := parseField(b)
		if !ok {
			return false
		}
		do(f)
		b = b[f.encoded:]
	}
	return true
}

// parseKind returns the kind of the message b and the body of that kind.
func parseKind(b []byte) (kind int, body []byte, ok bool) {
	for len(b) > 0 {
		f, valid := parseField(b)
		if !valid {
			return 0, nil, false
		}
		if f.number >= kindQuote && f.number <= kindError {
			if f.bytes == nil {
				return 0, nil, false
			}
			kind, body = f.number, f.bytes // of a oneof the last field counts
		}
		b = b[f.encoded:]
	}
	return kind, body, true
}

// parseProto parses one Quote. It reports whether b is valid and has everything that a tick must have.
func (t *Tick) parseProto(b []byte) bool {
	*t = Tick{}
	received, live := int64(0), false
	for len(b) > 0 {
		f, ok := parseField(b)
		if !ok {
			return false
		}
		switch f.number {
		case 1:
			t.Symbol = f.bytes
		case 8:
			t.Due = int64(f.value)
		case 9:
			t.N = f.value
		case 10:
			t.Seq = f.value
		case 17:
			received, live = protowire.DecodeZigZag(f.value), true
		}
		b = b[f.encoded:]
	}
	if live {
		t.Received = t.Due + received
	}
	return len(t.Symbol) > 0 && t.Due > 0 && t.N > 0 && t.Seq > 0
}

// parseProtoSnapshot calls each for every quote of a Snapshot and returns the other fields. A quote of a symbol without
// ticks has N 0.
func parseProtoSnapshot(b []byte, each func(t *Tick)) (head snapshotHead, ok bool) {
	valid := true
	ok = eachField(b, func(f field) {
		switch f.number {
		case 1:
			head.seq = f.value
		case 3:
			head.part = f.value
		case 4:
			head.parts = f.value
		case 2:
			var t Tick
			valid = valid && eachField(f.bytes, func(q field) {
				switch q.number {
				case 1:
					t.Symbol = q.bytes
				case 9:
					t.N = q.value
				case 10:
					t.Seq = q.value
				}
			}) && len(t.Symbol) > 0
			if valid {
				each(&t)
			}
		}
	})
	return head, ok && valid
}

// parseProtoNote parses any message other than a quote or a snapshot.
func parseProtoNote(kind int, b []byte) (note, error) {
	var n note
	// Where each numbered field of the kind goes.
	var texts map[int]*string
	var numbers map[int]*uint64
	var heartbeat, snapshot, delay, narrowed uint64
	switch kind {
	case kindHello:
		n.T = "hello"
		texts = map[int]*string{2: &n.hello.Lane, 3: &n.hello.Engine, 4: &n.hello.Epoch, 7: &n.hello.Resume, 8: &n.hello.Mode}
		numbers = map[int]*uint64{5: &n.hello.Head, 6: &n.hello.Oldest, 10: &heartbeat, 12: &snapshot, 14: &delay, 15: &narrowed}
	case kindGap:
		n.T = "gap"
		texts = map[int]*string{4: &n.Reason}
		numbers = map[int]*uint64{2: &n.To, 5: &snapshot}
	case kindHeartbeat:
		n.T = "hb"
		numbers = map[int]*uint64{2: &n.Head}
	case kindBye:
		n.T = "bye"
		texts = map[int]*string{1: &n.Reason}
	case kindError:
		n.T = "error"
	case kindSubscription:
		n.T = "subscription"
		numbers = map[int]*uint64{4: &snapshot}
	case kindTime:
		n.T = "time"
	}
	ok := eachField(b, func(f field) {
		if at := texts[f.number]; at != nil {
			*at = string(f.bytes)
		}
		if at := numbers[f.number]; at != nil {
			*at = f.value
		}
		if kind == kindHello && f.number == 9 {
			n.hello.Topics = append(n.hello.Topics, string(f.bytes))
		}
	})
	n.hello.Heartbeat, n.hello.Snapshot, n.Snapshot = int64(heartbeat), snapshot != 0, snapshot != 0
	n.hello.Delay, n.hello.Narrowed = int64(delay), narrowed != 0
	if !ok {
		return n, malformed("protobuf " + n.T)
	}
	return n, nil
}
