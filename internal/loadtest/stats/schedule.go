package stats

// Turn is one window of a schedule.
type Turn struct {
	Round   int // from 1
	Variant int // index
}

// Schedule returns the order in which variants are measured: A B, B A, A B, … or A B C, C A B, B C A, …. Each round starts
// with the variant that ended the last one, and in as many rounds as there are variants each has each place once. A
// steady drift of the machine then affects all variants alike, and where two rounds meet, two windows of one variant are
// neighbours, which shows the noise.
func Schedule(variants, rounds int) []Turn {
	var all []Turn
	for r := range rounds {
		for k := range variants {
			all = append(all, Turn{r + 1, (k + variants - r%variants) % variants})
		}
	}
	return all
}
