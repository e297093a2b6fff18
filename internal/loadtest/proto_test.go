package loadtest

import (
	"encoding/binary"
	"errors"
	"reflect"
	"testing"
)

// put builds messages by hand: pairs of a field's number and its value, a number, a text or a message.
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

func TestScanProtoTick(t *testing.T) {
	whole := put(1, "AAPL", 2, 18734, 3, 200, 4, 6, 7, 1<<40, 8, 1772000000000000, 9, 77, 10, 482913)
	kind, body, ok := scanKind(put(99, "a later field", protoQuote, whole))
	var q tick
	if !ok || kind != protoQuote || !q.scanProto(body) || string(q.symbol) != "AAPL" || q.due != 1772000000000000 || q.n != 77 || q.i != 482913 {
		t.Errorf("%d, %v: %+v", kind, ok, q)
	}
	// Any order, and fields of a later version of each wire type.
	if odd := put(10, 5, 200, "x", 9, 4, 201, 1.5, 8, 3, 202, float32(1), 1, "A"); !q.scanProto(odd) || q.i != 5 || q.n != 4 || q.due != 3 {
		t.Errorf("%+v", q)
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "no symbol": put(8, 1, 9, 1, 10, 1), "no time": put(1, "A", 9, 1, 10, 1), "no n": put(1, "A", 8, 1, 10, 1), "no i": put(1, "A", 8, 1, 9, 1),
		"cut": whole[:len(whole)-1], "a length beyond the end": {0x0a, 9, 'A'}, "a group": {0x0b}, "field 0": {0x00, 1}, "an endless number": {0x40, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01},
	} {
		if q.scanProto(b) {
			t.Errorf("%s: %+v", name, q)
		}
	}
}

func TestScanProtoSnapshot(t *testing.T) {
	b := put(1, 42, 2, put(1, "A", 9, 7, 10, 40), 2, put(1, "B"), 2, put(1, "C", 10, 42, 9, 1))
	var got []tick
	i, ok := scanProtoSnapshot(b, func(q *tick) { got = append(got, tick{n: q.n, i: q.i, symbol: append([]byte{}, q.symbol...)}) })
	want := []tick{{symbol: []byte("A"), n: 7, i: 40}, {symbol: []byte("B")}, {symbol: []byte("C"), n: 1, i: 42}}
	if !ok || i != 42 || !reflect.DeepEqual(got, want) {
		t.Errorf("%d, %v: %+v", i, ok, got)
	}
	for name, b := range map[string][]byte{"no symbol": put(1, 1, 2, put(9, 1)), "a cut quote": put(1, 1, 2, []byte{0x0a, 5, 'A'}), "cut": b[:len(b)-1]} {
		if _, ok := scanProtoSnapshot(b, func(*tick) {}); ok {
			t.Errorf("%s is read", name)
		}
	}
}

func TestScanNote(t *testing.T) {
	n, h, err := scanNote(protoHello, put(1, "secret", 2, "ws", 3, "shard", 4, "9f3c", 5, 900, 6, 100, 7, "complete", 8, "all", 9, "AAPL", 9, "MSFT", 10, 15000, 11, 1772))
	want := hello{T: "hello", Lane: "ws", Engine: "shard", Epoch: "9f3c", Head: 900, Oldest: 100, Resume: "complete", Mode: "all", Topics: []string{"AAPL", "MSFT"}, Heartbeat: 15000, Time: 1772}
	if err != nil || n.T != "hello" || !reflect.DeepEqual(h, want) {
		t.Errorf("%+v %+v %v", n, h, err)
	}
	for _, c := range []struct {
		kind int
		b    []byte
		want note
	}{
		{protoGap, put(1, 5, 2, 9, 3, 5, 4, "lag"), note{T: "gap", From: 5, To: 9, Missed: 5, Reason: "lag"}},
		{protoHeartbeat, put(1, 1772, 2, 9), note{T: "hb", Time: 1772, Head: 9}},
		{protoBye, put(1, "shutdown", 2, 1500), note{T: "bye", Reason: "shutdown", Retry: 1500}},
		{protoError, put(1, "rate", 2, "too many"), note{T: "error", Code: "rate", Msg: "too many"}},
		{protoSubscription, put(1, "A", 2, 7), note{T: "subscription"}},
		{protoTime, put(2, 1), note{T: "time"}},
		{0, nil, note{}},
	} {
		if n, _, err := scanNote(c.kind, c.b); err != nil || n != c.want {
			t.Errorf("%d: %+v, %v", c.kind, n, err)
		}
	}
	if _, _, err := scanNote(protoGap, []byte{0x08}); !errors.Is(err, errMalformed) {
		t.Errorf("a cut gap: %v", err)
	}
	for name, b := range map[string][]byte{"a kind that is a number": put(protoBye, 1), "cut": {0x0a}} {
		if _, _, ok := scanKind(b); ok {
			t.Errorf("%s is read", name)
		}
	}
	if kind, _, ok := scanKind(put(40, put(1, "a kind of a later version"))); kind != 0 || !ok {
		t.Errorf("%d, %v", kind, ok)
	}
}

// FuzzProto: whatever comes, it ends, and never reads beyond the message.
func FuzzProto(f *testing.F) {
	f.Add(put(protoQuote, put(1, "AAPL", 8, 1772000000000000, 9, 77, 10, 482913)))
	f.Add(put(protoSnapshot, put(1, 42, 2, put(1, "A", 9, 7, 10, 40))))
	f.Add(put(protoHello, put(2, "ws", 4, "9f3c", 9, "*")))
	f.Fuzz(func(t *testing.T, b []byte) {
		guarded := append(append([]byte{}, b...), "######"...)[:len(b)] // what lies beyond must not be looked at
		kind, body, ok := scanKind(guarded)
		if !ok {
			return
		}
		var q tick
		if q.scanProto(body) && (q.due <= 0 || q.n == 0 || q.i == 0 || len(q.symbol) == 0) {
			t.Errorf("%+v", q)
		}
		scanProtoSnapshot(body, func(q *tick) {
			if len(q.symbol) == 0 {
				t.Errorf("%+v", q)
			}
		})
		scanNote(kind, body)
	})
}

func TestScanProtoAllocatesNothing(t *testing.T) {
	b := put(protoQuote, put(1, "AAPL", 8, 1772000000000000, 9, 77, 10, 482913))
	var q tick
	if n := testing.AllocsPerRun(100, func() {
		if _, body, ok := scanKind(b); !ok || !q.scanProto(body) {
			t.Fail()
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
