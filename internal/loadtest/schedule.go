package loadtest

// turn is one slot of the schedule.
type turn struct {
	round int // from 1
	side  int // 0 is A, 1 is B
}

// schedule interleaves the sides: A B, B A, A B, … One side alone has one turn in each round.
func schedule(sides, rounds int) []turn {
	var all []turn
	for r := 1; r <= rounds; r++ {
		for k := range sides {
			side := k
			if r%2 == 0 {
				side = sides - 1 - k
			}
			all = append(all, turn{r, side})
		}
	}
	return all
}
