package shard

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestDues compares the heap with a list that is searched, under random changes.
func TestDues(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var d dues
	var all []*conn
	for range 50 {
		all = append(all, &conn{place: -1, due: -1})
	}
	for now := time.Duration(0); now < 20_000; now++ {
		c := all[r.IntN(len(all))]
		if r.IntN(5) == 0 {
			d.remove(c)
			c.due = -1
		} else {
			d.set(c, now+time.Duration(r.IntN(300)))
		}
		for {
			c, next := d.next(now)
			if c == nil {
				least := time.Duration(-1)
				for _, c := range all {
					if c.due >= 0 && (least < 0 || c.due < least) {
						least = c.due
					}
				}
				if (least < 0) != (next < 0) || next > least || least >= 0 && next <= now {
					t.Fatalf("at %d next is %d, want %d or before", now, next, least)
				}
				break
			}
			if c.due > now || !slices.Contains(d, c) {
				t.Fatalf("at %d it gave one due %d", now, c.due)
			}
			d.remove(c)
			c.due = -1
		}
	}
}
