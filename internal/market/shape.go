package market

import "math"

const daySeconds = 86400

// shape is the U shape of activity over the UTC day, relative to its average: high at the open, low at noon, and higher again
// at the close. The zero value is flat.
type shape struct {
	on    bool
	start float64 // second of the UTC day at model time 0
}

// at returns U at a model time, in seconds; its mean over a day is 1.
func (s shape) at(t float64) float64 {
	if !s.on {
		return 1
	}
	return uShape(s.of(t) / daySeconds)
}

// maximum returns the maximum of U from t to t+until. until is ahead, or shorter at the end of the day, where U jumps. U is
// convex within a day, so its maximum is at one of the ends.
func (s shape) maximum(t, ahead float64) (u, until float64) {
	if !s.on {
		return 1, ahead
	}
	now := s.of(t)
	until = max(min(ahead, daySeconds-now), 1e-3) // positive, so that rounding can't stop time at midnight
	return max(uShape(now/daySeconds), uShape((now+until)/daySeconds)), until
}

// of returns the second of the UTC day at model time t.
func (s shape) of(t float64) float64 { return math.Mod(s.start+t, daySeconds) }

// uShape is U as a function of the share of the day that has passed, 0 to 1.
func uShape(tau float64) float64 {
	return (0.62 + 2.6*math.Exp(-tau/0.07) + 1.5*math.Exp(-(1-tau)/0.07)) / 0.907
}
