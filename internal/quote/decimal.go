package quote

import "math/bits"

const pairs = "0001020304050607080910111213141516171819" +
	"2021222324252627282930313233343536373839" +
	"4041424344454647484950515253545556575859" +
	"6061626364656667686970717273747576777879" +
	"8081828384858687888990919293949596979899"

// powers are the powers of ten, to find the number of digits.
var powers = [20]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

// AppendDecimal appends v as strconv.AppendUint does with base 10, in half the time: it writes the digits in place instead of
// copying them from a buffer. Rendering a tick mostly consists of appending ten numbers.
func AppendDecimal(b []byte, v uint64) []byte {
	n := bits.Len64(v|1) * 1233 >> 12 // log2(v) × log10(2): exact or one too small
	if v >= powers[n] {
		n++
	}
	n = max(n, 1)
	b = append(b, "00000000000000000000"[:n]...)
	i := len(b)
	for v >= 100 {
		p := v % 100 * 2
		v /= 100
		i -= 2
		b[i], b[i+1] = pairs[p], pairs[p+1]
	}
	if v >= 10 {
		b[i-2], b[i-1] = pairs[2*v], pairs[2*v+1]
	} else {
		b[i-1] = byte('0' + v)
	}
	return b
}
