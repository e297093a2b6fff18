package auth

import (
	"encoding/binary"
	"testing"
)

func TestCacheIsBounded(t *testing.T) {
	hash := func(i int) (h [32]byte) {
		binary.BigEndian.PutUint64(h[:], uint64(i))
		return h
	}
	var c cache
	p := &Principal{Subject: "ann"}
	for i := range 10 * cacheSize {
		c.put(hash(i), 0, p)
		if c.get(hash(0), 0) != p {
			t.Fatalf("what is in use was dropped after %d others", i)
		}
		if n := len(c.fresh) + len(c.old); n > 2*cacheSize {
			t.Fatalf("%d entries", n)
		}
	}
	if c.get(hash(1), 0) != nil {
		t.Error("what isn't in use was kept")
	}
	if c.get(hash(0), 1) != nil {
		t.Error("verified by other keys")
	}
	c.put(hash(5), 1, p)
	if len(c.fresh)+len(c.old) != 1 {
		t.Error("entries of other keys are kept")
	}
	c.remove(hash(5))
	if c.get(hash(5), 1) != nil {
		t.Error("removed")
	}
}
