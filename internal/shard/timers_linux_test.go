package shard

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestTimers compares the heap with a search of all connections, under random changes.
func TestTimers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var d timers
	var all []*conn
	for range 50 {
		all = append(all, &conn{timer: timer{index: -1, deadline: -1}})
	}
	for now := time.Duration(0); now < 20_000; now++ {
		c := all[r.IntN(len(all))]
		if r.IntN(5) == 0 {
			d.remove(c)
			c.deadline = -1
		} else {
			d.set(c, now+time.Duration(r.IntN(300)))
		}
		for {
			c, next := d.expired(now)
			if c == nil {
				earliest := time.Duration(-1)
				for _, c := range all {
					if c.deadline >= 0 && (earliest < 0 || c.deadline < earliest) {
						earliest = c.deadline
					}
				}
				if (earliest < 0) != (next < 0) || next > earliest || earliest >= 0 && next <= now {
					t.Fatalf("at %d next is %d, want %d or before", now, next, earliest)
				}
				break
			}
			if c.deadline > now || !slices.Contains(d, c) {
				t.Fatalf("at %d: expired returned a connection with deadline %d", now, c.deadline)
			}
			d.remove(c)
			c.deadline = -1
		}
	}
}
