package market

import (
	"math"
	"math/rand/v2"
)

// Arrivals are self-exciting: each raises the intensity of the next by two exponential kernels, one fast and one slow. The
// share of arrivals that were excited in this way is branching (arXiv 1302.1405, 1406.3967).
const (
	kernels         = 2
	kernelBranching = 0.35
	branching       = kernels * kernelBranching
)

var kernelDecay = [kernels]float64{5, 0.1} // 1/s

// lookAhead is how long a bound of the intensity is used while the intensity changes over the day, in seconds.
const lookAhead = 30

// hawkes is the arrival process of one symbol. excited is what past arrivals add to the intensity, for each kernel, as of the
// last arrival.
type hawkes struct {
	base    float64 // arrivals/s without any excitement
	excited [kernels]float64
}

// start sets the mean rate, in arrivals/s, and the average excitement.
func (h *hawkes) start(rate float64) {
	h.base = rate * (1 - branching)
	for k := range h.excited {
		h.excited[k] = kernelBranching * rate
	}
}

// next returns the time of the first arrival after t, in seconds, by Ogata's thinning: it draws candidates at an
// upper bound of the intensity and accepts each with the probability intensity/bound.
func (h *hawkes) next(t float64, day shape, r *rand.Rand) float64 {
	for {
		u, until := day.maximum(t, lookAhead)
		bound := h.base*u + h.excited[0] + h.excited[1]
		wait := r.ExpFloat64() / bound
		if day.on && wait > until {
			h.fade(until)
			t += until
			continue
		}
		h.fade(wait)
		t += wait
		if r.Float64()*bound <= h.base*day.at(t)+h.excited[0]+h.excited[1] {
			for k := range h.excited {
				h.excited[k] += kernelBranching * kernelDecay[k]
			}
			return t
		}
	}
}

// fade decays the excitement. One exponential is enough for both kernels, since one decays 50 times as fast.
func (h *hawkes) fade(seconds float64) {
	slow := math.Exp(-kernelDecay[1] * seconds)
	p2 := slow * slow
	p4 := p2 * p2
	p16 := p4 * p4 * p4 * p4
	h.excited[0] *= p16 * p16 * p16 * p2
	h.excited[1] *= slow
}
