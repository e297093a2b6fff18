package quote

import (
	"math"
	"math/bits"
	"strconv"
	"testing"
)

// TestAppendDecimal covers both sides of every power of two and of ten.
func TestAppendDecimal(t *testing.T) {
	values := []uint64{0, 1, 9, math.MaxUint64}
	for i := range bits.UintSize {
		values = append(values, 1<<i-1, 1<<i, 1<<i+1)
	}
	for p := uint64(10); p <= math.MaxUint64/10; p *= 10 {
		values = append(values, p-1, p, p+1)
	}
	values = append(values, 1e19-1, 1e19, 1e19+1)
	for _, v := range values {
		if got, want := string(AppendDecimal([]byte("x"), v)), "x"+strconv.FormatUint(v, 10); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func FuzzAppendDecimal(f *testing.F) {
	f.Add(uint64(0))
	f.Add(uint64(1790000000000000))
	f.Fuzz(func(t *testing.T, v uint64) {
		if got, want := string(AppendDecimal(nil, v)), strconv.FormatUint(v, 10); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}
