package loadtest

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Confidence is that of every interval.
const Confidence = 0.95

// Range is the median of some slots with the smallest and the largest.
type Range struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Count  int     `json:"count"` // 0: nothing was measured, and the rest means nothing
}

// rangeOf returns the zero Range for no values.
func rangeOf(values []float64) Range {
	if len(values) == 0 {
		return Range{}
	}
	v := slices.Sorted(slices.Values(values))
	mid := v[len(v)/2]
	if len(v)%2 == 0 {
		mid = (mid + v[len(v)/2-1]) / 2
	}
	return Range{Median: mid, Min: v[0], Max: v[len(v)-1], Count: len(v)}
}

// Interval is the mean of the rounds' differences A − B and where the true one lies with probability Confidence.
type Interval struct {
	Mean  float64 `json:"mean"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Pairs int     `json:"pairs"` // below 2 there is no interval: Low and High mean nothing
}

// pairedInterval is Student's interval for paired samples: mean ± t·s/√n with n − 1 degrees of freedom (Student, "The
// Probable Error of a Mean", Biometrika 6, 1908). It fits few rounds: with five, t is 2.78, not 1.96. It takes the
// rounds as independent and their differences as about normal; heavier tails make it wider than it need be, not narrower.
func pairedInterval(differences []float64) Interval {
	n := len(differences)
	if n == 0 {
		return Interval{}
	}
	mean, sd := stat.MeanStdDev(differences, nil)
	i := Interval{Mean: mean, Low: mean, High: mean, Pairs: n}
	if n < 2 {
		return i
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(n - 1)}.Quantile(1 - (1-Confidence)/2)
	half := t * sd / math.Sqrt(float64(n))
	i.Low, i.High = mean-half, mean+half
	return i
}

// Verdict is what may be said of a difference.
type Verdict string

// Verdicts.
const (
	NoDifference Verdict = "no difference" // the interval holds zero, or the difference is inside the noise
	Higher       Verdict = "A higher"
	Lower        Verdict = "A lower"
	Unknown      Verdict = "too few rounds"
	Withheld     Verdict = "server failed" // in some slot, so that the others don't stand for it
)

// judge says more than NoDifference only of a difference that is both: away from zero by its interval, and larger than
// any between two neighbouring slots of the same side. noise holds those A/A differences.
func judge(d Interval, noise Range) Verdict {
	switch {
	case d.Pairs < 2 || noise.Count == 0:
		return Unknown
	case d.Low <= 0 && d.High >= 0, math.Abs(d.Mean) <= noise.Max:
		return NoDifference
	case d.Mean > 0:
		return Higher
	}
	return Lower
}
