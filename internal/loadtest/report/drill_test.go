package report

import "testing"

func TestRecovery(t *testing.T) {
	if RecoveryOf(nil) != nil {
		t.Error("a distribution of no times")
	}
	r := RecoveryOf(times(1, 1000))
	if r.P50 != 500 || r.P90 != 900 || r.P99 != 990 || r.Max != 1000 || len(r.Curve) > 200 {
		t.Errorf("%v %v %v %v, %d points", r.P50, r.P90, r.P99, r.Max, len(r.Curve))
	}
	if last := r.Curve[len(r.Curve)-1]; last != (Point{1000, 1000}) {
		t.Errorf("the curve ends at %+v", last)
	}
	if r := RecoveryOf(times(1, 1)); r.P50 != 1 || r.P99 != 1 || len(r.Curve) != 1 {
		t.Errorf("one time: %+v", r)
	}
}
