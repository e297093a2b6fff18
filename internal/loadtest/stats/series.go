package stats

import "math"

// Sample is one figure of one window.
type Sample struct {
	Variant int // index
	Round   int
	Value   float64
	Valid   bool // false: the window doesn't count, or the figure wasn't measured in it
}

// Series are the values of one figure over a comparison.
type Series struct {
	values [][]float64       // by variant
	rounds []map[int]float64 // the value of each variant in each round
	noise  []float64         // differences between neighbouring windows of one variant
}

// NewSeries groups samples, which must be in the order of measuring, by variant and round.
func NewSeries(samples []Sample, variants int) Series {
	s := Series{values: make([][]float64, variants)}
	byRound := make(map[int]int) // index in s.rounds
	last, lastVariant := 0.0, -1
	for _, x := range samples {
		if !x.Valid {
			lastVariant = -1
			continue
		}
		s.values[x.Variant] = append(s.values[x.Variant], x.Value)
		if _, seen := byRound[x.Round]; !seen {
			byRound[x.Round] = len(s.rounds)
			s.rounds = append(s.rounds, make(map[int]float64))
		}
		s.rounds[byRound[x.Round]][x.Variant] = x.Value
		if lastVariant == x.Variant {
			s.noise = append(s.noise, math.Abs(x.Value-last))
		}
		last, lastVariant = x.Value, x.Variant
	}
	return s
}

// Range returns the range of a variant's values, the zero Range for an index without a variant.
func (s Series) Range(variant int) Range {
	if variant >= len(s.values) {
		return Range{}
	}
	return RangeOf(s.values[variant])
}

// Values returns a variant's values in the order of measuring, nil for an index without a variant.
func (s Series) Values(variant int) []float64 {
	if variant >= len(s.values) {
		return nil
	}
	return s.values[variant]
}

// Noise returns the range of the differences between neighbouring windows of one variant.
func (s Series) Noise() Range { return RangeOf(s.noise) }

// Difference returns the interval of a − b over the rounds in which both variants have a value.
func (s Series) Difference(a, b int) Interval {
	var differences []float64
	for _, r := range s.rounds {
		va, hasA := r[a]
		vb, hasB := r[b]
		if hasA && hasB {
			differences = append(differences, va-vb)
		}
	}
	return PairedInterval(differences)
}
