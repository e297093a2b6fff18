package market

import (
	"math"
	"math/rand/v2"
)

// Arrivals excite themselves: each raises the intensity of the next by two exponential kernels, a fast and a
// slow one. Of all arrivals a share of branching is such offspring (arXiv 1302.1405, 1406.3967).
const (
	kernels         = 2
	kernelBranching = 0.35
	branching       = kernels * kernelBranching
)

var kernelDecay = [kernels]float64{5, 0.1} // 1/s

// lookAhead bounds, in seconds, for how long one bound of the intensity is used under a day's shape.
const lookAhead = 30

// hawkes is the arrival process of one symbol. excited is what past arrivals add to the intensity just
// after the last one, by kernel.
type hawkes struct {
	base    float64 // arrivals/s without any excitement
	excited [kernels]float64
}

// start gives the process a mean rate, in arrivals/s, and the excitement that it has on average.
func (h *hawkes) start(rate float64) {
	h.base = rate * (1 - branching)
	for k := range h.excited {
		h.excited[k] = kernelBranching * rate
	}
}

// next returns the time of the first arrival after t, in seconds, by Ogata's thinning: candidates come at
// the highest intensity that is still possible, and each is taken with the share that the intensity then has.
func (h *hawkes) next(t float64, day shape, r *rand.Rand) float64 {
	for {
		u, until := day.most(t, lookAhead)
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

// fade lets the excitement decay. One exponential serves both kernels, since one decays 50 times as fast.
func (h *hawkes) fade(seconds float64) {
	slow := math.Exp(-kernelDecay[1] * seconds)
	p2 := slow * slow
	p4 := p2 * p2
	p16 := p4 * p4 * p4 * p4
	h.excited[0] *= p16 * p16 * p16 * p2
	h.excited[1] *= slow
}
