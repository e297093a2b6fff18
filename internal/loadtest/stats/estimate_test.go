package stats

import (
	"math"
	"testing"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-3*max(1, math.Abs(b)) }

func TestRange(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   Range
	}{
		{nil, Range{}},
		{[]float64{3}, Range{3, 3, 3, 1}},
		{[]float64{3, 1, 2}, Range{2, 1, 3, 3}},
		{[]float64{4, 1, 3, 2}, Range{2.5, 1, 4, 4}},
	} {
		if got := RangeOf(c.values); got != c.want {
			t.Errorf("%v: %+v", c.values, got)
		}
	}
}

// TestInterval compares with a published interval: the ten differences of extra sleep in Student's paper (Biometrika
// 6, 1908; R's data set sleep): mean 1.58, 95 % from 0.70 to 2.46.
func TestInterval(t *testing.T) {
	got := PairedInterval([]float64{1.2, 2.4, 1.3, 1.3, 0, 1.0, 1.8, 0.8, 4.6, 1.4})
	if !near(got.Mean, 1.58) || !near(got.Low, 0.7001142) || !near(got.High, 2.4598858) || got.Pairs != 10 {
		t.Errorf("%+v", got)
	}
	if got := PairedInterval([]float64{5}); got.Pairs != 1 || got.Mean != 5 {
		t.Errorf("one pair: %+v", got)
	}
	if got := PairedInterval([]float64{2, 2, 2}); got != (Interval{2, 2, 2, 3}) {
		t.Errorf("equal differences: %+v", got)
	}
	if got := PairedInterval(nil); got != (Interval{}) {
		t.Errorf("none: %+v", got)
	}
}

// TestWelchInterval compares with R: t.test(extra ~ group, data = sleep), 95 % from −3.3654832 to 0.2054832.
func TestWelchInterval(t *testing.T) {
	a := []float64{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2}
	b := []float64{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4}
	if got := WelchInterval(a, b); !near(got.Mean, -1.58) || !near(got.Low, -3.3654832) || !near(got.High, 0.2054832) || got.Pairs != 10 {
		t.Errorf("%+v", got)
	}
	if got := WelchInterval([]float64{3, 3}, []float64{2, 2, 2}); got != (Interval{1, 1, 1, 2}) {
		t.Errorf("without variance: %+v", got)
	}
	if got := WelchInterval([]float64{3}, []float64{2, 2}); got != (Interval{1, 1, 1, 1}) {
		t.Errorf("one value: %+v", got)
	}
	if got := WelchInterval(nil, b); got != (Interval{}) {
		t.Errorf("none: %+v", got)
	}
}

func TestJudge(t *testing.T) {
	noise := Range{Median: 0.1, Min: 0.05, Max: 0.3, Count: 4}
	for _, c := range []struct {
		d     Interval
		noise Range
		want  Verdict
	}{
		{Interval{0.1, -0.2, 0.4, 5}, noise, NoDifference},
		{Interval{0.2, 0.1, 0.3, 5}, noise, NoDifference}, // excludes zero, but within the noise
		{Interval{2.0, 1.5, 2.5, 5}, noise, Higher},
		{Interval{-2.0, -2.5, -1.5, 5}, noise, Lower},
		{Interval{2.0, -0.5, 4.5, 5}, noise, NoDifference}, // large, but contains zero
		{Interval{2.0, 2.0, 2.0, 1}, noise, Unknown},
		{Interval{2.0, 1.5, 2.5, 5}, Range{}, Unknown}, // no neighbouring windows
		{Interval{0, 0, 0, 5}, Range{Count: 4}, NoDifference},
	} {
		if got := Judge(c.d, c.noise); got != c.want {
			t.Errorf("%+v: %s, want %s", c.d, got, c.want)
		}
	}
}
