package loadtest

// turn is one slot of the schedule.
type turn struct {
	round int // from 1
	side  int // 0 is A, 1 is B, …
}

// schedule interleaves the sides so that each round begins with the side that the last one ended with, and each side
// has each place equally often in as many rounds as there are sides: A B, B A, A B, … or A B C, C A B, B C A, …
// A steady drift then hits all sides alike, and where rounds meet, two slots of the same side stand next to each other.
func schedule(sides, rounds int) []turn {
	var all []turn
	for r := range rounds {
		for k := range sides {
			all = append(all, turn{r + 1, (k + sides - r%sides) % sides})
		}
	}
	return all
}
