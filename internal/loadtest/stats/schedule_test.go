package stats

import (
	"slices"
	"testing"
)

func TestSchedule(t *testing.T) {
	var order string
	rounds := make(map[int]int)
	for _, turn := range Schedule(2, 5) {
		order += string(rune('A' + turn.Variant))
		rounds[turn.Round]++
	}
	if order != "ABBAABBAAB" {
		t.Errorf("order %s", order)
	}
	for r := 1; r <= 5; r++ {
		if rounds[r] != 2 {
			t.Errorf("round %d has %d windows", r, rounds[r])
		}
	}
	if got := Schedule(1, 3); !slices.Equal(got, []Turn{{1, 0}, {2, 0}, {3, 0}}) {
		t.Errorf("one variant: %v", got)
	}
}

// TestScheduleOfMany: each round starts with the variant that ended the last one, and in as many rounds as variants each has
// each place once.
func TestScheduleOfMany(t *testing.T) {
	for variants := 3; variants <= 12; variants++ {
		at := make(map[[2]int]int) // variant and place
		all := Schedule(variants, variants)
		for k, turn := range all {
			at[[2]int{turn.Variant, k % variants}]++
			if turn.Round != k/variants+1 {
				t.Errorf("%d variants: turn %d is in round %d", variants, k, turn.Round)
			}
			if k > 0 && k%variants == 0 && turn.Variant != all[k-1].Variant {
				t.Errorf("%d variants: round %d starts with %d after %d", variants, turn.Round, turn.Variant, all[k-1].Variant)
			}
		}
		if len(at) != variants*variants {
			t.Errorf("%d variants: %d of %d places used", variants, len(at), variants*variants)
		}
	}
}
