package client

import (
	"encoding/binary"
	"errors"
	"reflect"
	"slices"
	"testing"
)

// put encodes a message: pairs of a field number and its value, which is a number, a text or a message.
func put(pairs ...any) (b []byte) {
	for k := 0; k < len(pairs); k += 2 {
		number := uint64(pairs[k].(int))
		switch v := pairs[k+1].(type) {
		case int:
			b = binary.AppendUvarint(binary.AppendUvarint(b, number<<3), uint64(v))
		case string:
			b = append(binary.AppendUvarint(binary.AppendUvarint(b, number<<3|2), uint64(len(v))), v...)
		case []byte:
			b = append(binary.AppendUvarint(binary.AppendUvarint(b, number<<3|2), uint64(len(v))), v...)
		case float32: // 32 bits
			b = append(binary.AppendUvarint(b, number<<3|5), 1, 2, 3, 4)
		case float64: // 64 bits
			b = append(binary.AppendUvarint(b, number<<3|1), 1, 2, 3, 4, 5, 6, 7, 8)
		}
	}
	return b
}

func TestParseProtoTick(t *testing.T) {
	whole := put(1, "AAPL", 2, 18734, 3, 200, 4, 6, 7, 1<<40, 8, 1772000000000000, 9, 77, 10, 482913)
	kind, body, ok := parseKind(put(99, "a later field", kindQuote, whole))
	var q Tick
	if !ok || kind != kindQuote || !q.parseProto(body) || string(q.Symbol) != "AAPL" || q.Due != 1772000000000000 || q.N != 77 || q.Seq != 482913 {
		t.Errorf("%d, %v: %+v", kind, ok, q)
	}
	if q.Received != 0 || q.latencyStart() != q.Due {
		t.Errorf("received %d, latency from %d", q.Received, q.latencyStart())
	}
	late := append(slices.Clone(whole), put(17, 2*1500)...) // 1,500 µs after it was due
	if !q.parseProto(late) || q.Received != 1772000000001500 || q.latencyStart() != q.Received {
		t.Errorf("%+v", q)
	}
	// Any order, and unknown fields of each wire type.
	if odd := put(10, 5, 200, "x", 9, 4, 201, 1.5, 8, 3, 202, float32(1), 1, "A"); !q.parseProto(odd) || q.Seq != 5 || q.N != 4 || q.Due != 3 {
		t.Errorf("%+v", q)
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "no symbol": put(8, 1, 9, 1, 10, 1), "no time": put(1, "A", 9, 1, 10, 1), "no n": put(1, "A", 8, 1, 10, 1), "no i": put(1, "A", 8, 1, 9, 1),
		"truncated": whole[:len(whole)-1], "a length beyond the end": {0x0a, 9, 'A'}, "a group": {0x0b}, "field 0": {0x00, 1}, "an endless number": {0x40, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01},
	} {
		if q.parseProto(b) {
			t.Errorf("%s: %+v", name, q)
		}
	}
}

func TestParseProtoSnapshot(t *testing.T) {
	b := put(1, 42, 2, put(1, "A", 9, 7, 10, 40), 2, put(1, "B"), 2, put(1, "C", 10, 42, 9, 1), 3, 2, 4, 5)
	var got []Tick
	head, ok := parseProtoSnapshot(b, func(q *Tick) { got = append(got, Tick{N: q.N, Seq: q.Seq, Symbol: append([]byte{}, q.Symbol...)}) })
	want := []Tick{{Symbol: []byte("A"), N: 7, Seq: 40}, {Symbol: []byte("B")}, {Symbol: []byte("C"), N: 1, Seq: 42}}
	if !ok || head != (snapshotHead{42, 2, 5}) || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v: %+v", head, ok, got)
	}
	for name, b := range map[string][]byte{"no symbol": put(1, 1, 2, put(9, 1)), "a truncated quote": put(1, 1, 2, []byte{0x0a, 5, 'A'}), "truncated": b[:len(b)-1]} {
		if _, ok := parseProtoSnapshot(b, func(*Tick) {}); ok {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestParseProtoNote(t *testing.T) {
	n, err := parseProtoNote(kindHello, put(1, "secret", 2, "ws", 3, "shard", 4, "9f3c", 5, 900, 6, 100, 7, "complete", 8, "all", 9, "AAPL", 9, "MSFT", 10, 15000, 11, 1772))
	want := Hello{Lane: "ws", Engine: "shard", Epoch: "9f3c", Head: 900, Oldest: 100, Resume: "complete", Mode: "all", Topics: []string{"AAPL", "MSFT"}, Heartbeat: 15000}
	if err != nil || n.T != "hello" || !reflect.DeepEqual(n.hello, want) {
		t.Errorf("%+v %v", n, err)
	}
	for _, c := range []struct {
		kind int
		b    []byte
		want note
	}{
		{kindGap, put(1, 5, 2, 9, 3, 5, 4, "lag"), note{T: "gap", To: 9, Reason: "lag"}},
		{kindHeartbeat, put(1, 1772, 2, 9), note{T: "hb", Head: 9}},
		{kindBye, put(1, "shutdown", 2, 1500), note{T: "bye", Reason: "shutdown"}},
		{kindError, put(1, "rate", 2, "too many"), note{T: "error"}},
		{kindSubscription, put(1, "A", 2, 7), note{T: "subscription"}},
		{kindTime, put(2, 1), note{T: "time"}},
		{kindUnknown, nil, note{}},
	} {
		if n, err := parseProtoNote(c.kind, c.b); err != nil || !reflect.DeepEqual(n, c.want) {
			t.Errorf("%d: %+v, %v", c.kind, n, err)
		}
	}
	if _, err := parseProtoNote(kindGap, []byte{0x08}); !errors.Is(err, ErrMalformed) {
		t.Errorf("a truncated gap: %v", err)
	}
	for name, b := range map[string][]byte{"a kind that is a number": put(kindBye, 1), "truncated": {0x0a}} {
		if _, _, ok := parseKind(b); ok {
			t.Errorf("%s is accepted", name)
		}
	}
	if kind, _, ok := parseKind(put(40, put(1, "a kind of a later version"))); kind != kindUnknown || !ok {
		t.Errorf("%d, %v", kind, ok)
	}
}

// FuzzProto: every input is parsed to an end, and nothing beyond it is read.
func FuzzProto(f *testing.F) {
	f.Add(put(kindQuote, put(1, "AAPL", 8, 1772000000000000, 9, 77, 10, 482913)))
	f.Add(put(kindSnapshot, put(1, 42, 2, put(1, "A", 9, 7, 10, 40))))
	f.Add(put(kindHello, put(2, "ws", 4, "9f3c", 9, "*")))
	f.Fuzz(func(t *testing.T, b []byte) {
		guarded := append(append([]byte{}, b...), "######"...)[:len(b)] // bytes after the message must not be read
		kind, body, ok := parseKind(guarded)
		if !ok {
			return
		}
		var q Tick
		if q.parseProto(body) && (q.Due <= 0 || q.N == 0 || q.Seq == 0 || len(q.Symbol) == 0) {
			t.Errorf("%+v", q)
		}
		parseProtoSnapshot(body, func(q *Tick) {
			if len(q.Symbol) == 0 {
				t.Errorf("%+v", q)
			}
		})
		parseProtoNote(kind, body)
	})
}

func TestParseProtoAllocatesNothing(t *testing.T) {
	b := put(kindQuote, put(1, "AAPL", 8, 1772000000000000, 9, 77, 10, 482913))
	var q Tick
	if n := testing.AllocsPerRun(100, func() {
		if _, body, ok := parseKind(b); !ok || !q.parseProto(body) {
			t.Fail()
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
