package market

import "math"

const daySeconds = 86400

// shape is U: how much more the market moves and trades at a time of the UTC day than over the day on
// average; high at the open, low at noon, higher again at the close. The zero value is flat.
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

// most returns the highest U between t and t + ahead, and shortens ahead to the end of the day, where U
// jumps. U is convex within a day, so one of the ends is the highest.
func (s shape) most(t, ahead float64) (u, until float64) {
	if !s.on {
		return 1, ahead
	}
	now := s.of(t)
	until = max(min(ahead, daySeconds-now), 1e-3) // rounding must not stop the time at midnight
	return max(uShape(now/daySeconds), uShape((now+until)/daySeconds)), until
}

func (s shape) of(t float64) float64 { return math.Mod(s.start+t, daySeconds) }

// uShape is U over the day, tau from 0 to 1.
func uShape(tau float64) float64 {
	return (0.62 + 2.6*math.Exp(-tau/0.07) + 1.5*math.Exp(-(1-tau)/0.07)) / 0.907
}
