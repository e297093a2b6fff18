package market

import (
	"math"
	"math/rand/v2"
)

// stream returns the generator for one part of the model. Each part has its own, so that the number of draws of one part
// doesn't affect the others.
func stream(seed, part uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, part*0x9E3779B97F4A7C15+1))
}

// student draws from Student's t with four degrees of freedom, scaled to unit variance, by the polar method
// of Bailey, Mathematics of Computation 62 (1994): two square roots, no logarithm.
func student(r *rand.Rand) float64 {
	for {
		u, v := 2*r.Float64()-1, 2*r.Float64()-1
		w := u*u + v*v
		if w >= 1 || w == 0 {
			continue
		}
		return u * math.Sqrt(2*(1/math.Sqrt(w)-1)/w)
	}
}

// geometric draws the number of successes before the first failure. scale is 1/ln(1/p) for the probability p of a success,
// and 0 for p = 0.
func geometric(r *rand.Rand, scale float64) int64 {
	return int64(r.ExpFloat64() * scale)
}

// geometricScale returns the scale with which geometric has the given mean.
func geometricScale(mean float64) float64 {
	if mean <= 0 {
		return 0
	}
	return 1 / math.Log1p(1/mean)
}
