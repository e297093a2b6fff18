package stream

import "testing"

func TestBlockContinues(t *testing.T) {
	chunk, other := make([]byte, 100), make([]byte, 100)
	prev := &block{chunk: chunk, start: 10, end: 20}
	for name, c := range map[string]*struct {
		b    *block
		want bool
	}{
		"adjacent":     {&block{chunk: chunk, start: 20, end: 30}, true},
		"not adjacent": {&block{chunk: chunk, start: 21, end: 30}, false},
		"other chunk":  {&block{chunk: other, start: 20, end: 30}, false},
		"uncompressed": {&block{chunk: chunk, start: 20, end: 30, uncompressed: true}, false},
		"lost":         {&block{lost: true}, false},
	} {
		if got := c.b.continues(prev); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestBlockRing(t *testing.T) {
	var r blockRing
	if b, gone := r.block(0); b != nil || gone {
		t.Errorf("an empty ring returns %v, gone %v", b, gone)
	}
	for n := range uint64(ringBlocks + 10) {
		r.add(&block{number: n})
		if b, gone := r.block(n); b == nil || b.number != n || gone {
			t.Fatalf("block %d is %v, gone %v", n, b, gone)
		}
		if b, gone := r.block(n + 1); b != nil || gone {
			t.Fatalf("block %d, not yet added, is %v, gone %v", n+1, b, gone)
		}
	}
	for n, want := range map[uint64]bool{0: true, 9: true, 10: false, ringBlocks: false} {
		if b, gone := r.block(n); gone != want || (b == nil) != want {
			t.Errorf("block %d of %d: %v, gone %v", n, ringBlocks+10, b, gone)
		}
	}
}

// TestBlockRingBytes: blocks are dropped when they hold more than ringBytes, but never the newest one.
func TestBlockRingBytes(t *testing.T) {
	var r blockRing
	const size = ringBytes / 4
	for n := range uint64(5) {
		r.add(&block{number: n, end: size})
	}
	for n := range uint64(5) {
		if b, gone := r.block(n); gone != (n == 0) || (b == nil) != gone {
			t.Errorf("block %d: gone %v", n, gone)
		}
	}
	if r.held != ringBytes {
		t.Errorf("%d bytes held", r.held)
	}
	r.add(&block{number: 5, end: 2 * ringBytes})
	if b, _ := r.block(5); b == nil || r.held != 2*ringBytes || r.oldest != 5 {
		t.Errorf("a large block: %v, %d bytes held, oldest %d", b, r.held, r.oldest)
	}
}
