package report

import "testing"

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		v      float64
		digits int
		want   string
	}{
		{0, 2, "0.00"}, {1234567.5, 0, "1,234,568"}, {-1234.56, 1, "−1,234.6"}, {-0.001, 2, "0.00"}, {999.999, 2, "1,000.00"}, {100, 0, "100"},
	} {
		if got := number(c.v, c.digits); got != c.want {
			t.Errorf("%v: %s, want %s", c.v, got, c.want)
		}
	}
	if got := signed(0.001, 2) + " " + signed(1, 1) + " " + signed(-1, 1); got != "0.00 +1.0 −1.0" {
		t.Errorf("%s", got)
	}
}
