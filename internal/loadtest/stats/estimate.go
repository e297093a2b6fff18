package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Confidence is that of every interval.
const Confidence = 0.95

// Range is the median of some values with the smallest and the largest.
type Range struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Count  int     `json:"count"` // 0: nothing was measured, and the rest is 0
}

// RangeOf returns the range of values, the zero Range if there are none.
func RangeOf(values []float64) Range {
	if len(values) == 0 {
		return Range{}
	}
	v := slices.Sorted(slices.Values(values))
	median := v[len(v)/2]
	if len(v)%2 == 0 {
		median = (median + v[len(v)/2-1]) / 2
	}
	return Range{Median: median, Min: v[0], Max: v[len(v)-1], Count: len(v)}
}

// Interval is a mean difference and the bounds of the true one with probability Confidence.
type Interval struct {
	Mean  float64 `json:"mean"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Pairs int     `json:"pairs"` // below 2 there is no interval, and Low and High equal Mean
}

// PairedInterval returns Student's interval for paired samples: mean ± t·s/√n with n − 1 degrees of freedom (Student, "The
// Probable Error of a Mean", Biometrika 6, 1908). It suits few pairs: with five, t is 2.78 and not 1.96. It assumes that
// the pairs are independent and their differences about normal; heavier tails make it wider than necessary, not
// narrower.
func PairedInterval(differences []float64) Interval {
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

// WelchInterval returns Welch's interval for the difference of the means of two independent samples, a − b, whose variances
// may differ (Welch, "The Generalization of Student's Problem", Biometrika 34, 1947). Pairs is the size of the smaller one.
func WelchInterval(a, b []float64) Interval {
	n := min(len(a), len(b))
	if n == 0 {
		return Interval{}
	}
	mean := stat.Mean(a, nil) - stat.Mean(b, nil)
	i := Interval{Mean: mean, Low: mean, High: mean, Pairs: n}
	if n < 2 {
		return i
	}
	na, nb := float64(len(a)), float64(len(b))
	ea, eb := stat.Variance(a, nil)/na, stat.Variance(b, nil)/nb
	if ea+eb == 0 {
		return i
	}
	freedom := (ea + eb) * (ea + eb) / (ea*ea/(na-1) + eb*eb/(nb-1))
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: freedom}.Quantile(1 - (1-Confidence)/2)
	half := t * math.Sqrt(ea+eb)
	i.Low, i.High = mean-half, mean+half
	return i
}

// Verdict is what a difference between A and B allows to conclude.
type Verdict string

// Verdicts.
const (
	NoDifference Verdict = "no difference" // the interval contains zero, or the difference is within the noise
	Higher       Verdict = "A higher"
	Lower        Verdict = "A lower"
	Unknown      Verdict = "too few rounds"
	Suppressed   Verdict = "server failed" // in some window, so that the others don't represent it
)

// Judge returns the verdict on a difference. noise is the range of the differences between neighbouring windows of one
// variant. A difference counts only if its interval excludes zero and it is larger than all of the noise.
func Judge(d Interval, noise Range) Verdict {
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
