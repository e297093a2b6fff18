package market

import (
	"math"
	"math/rand/v2"
)

// Volatility clusters over minutes, quarters of an hour and hours: the logarithm of its level is the sum of three
// Ornstein–Uhlenbeck terms. Cont (2001) lists the stylised facts that this reproduces.
const (
	volatilityTerms = 3
	termVariance    = 0.22
)

var relaxation = [volatilityTerms]float64{120, 900, 7200} // s

// volatility is the volatility of one price or factor, relative to its average: the mean square of level is 1.
type volatility struct {
	terms [volatilityTerms]float64
	level float64
}

// decay is the exact step of one term over some time: the share that remains, and the standard deviation of the noise that
// is added.
type decay struct{ keep, noise float64 }

func decayOver(seconds, tau float64) decay {
	a := math.Exp(-seconds / tau)
	return decay{keep: a, noise: math.Sqrt(termVariance * (1 - a*a))}
}

// decays holds the steps over 0 to 63 seconds, which are nearly all that occur.
var decays = func() (table [64][volatilityTerms]decay) {
	for s := range table {
		for k, tau := range relaxation {
			table[s][k] = decayOver(float64(s), tau)
		}
	}
	return table
}()

// start draws a level from the stationary distribution.
func (v *volatility) start(r *rand.Rand) {
	for k := range v.terms {
		v.terms[k] = math.Sqrt(termVariance) * r.NormFloat64()
	}
	v.measure()
}

// advance advances the level by seconds.
func (v *volatility) advance(seconds int, r *rand.Rand) {
	for k := range v.terms {
		var d decay
		if seconds < len(decays) {
			d = decays[seconds][k]
		} else {
			d = decayOver(float64(seconds), relaxation[k])
		}
		v.terms[k] = d.keep*v.terms[k] + d.noise*r.NormFloat64()
	}
	v.measure()
}

func (v *volatility) measure() {
	sum := 0.0
	for _, h := range v.terms {
		sum += h
	}
	v.level = math.Exp(sum - volatilityTerms*termVariance)
}
