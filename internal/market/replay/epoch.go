package replay

import (
	"strconv"
	"strings"
)

// parseNumeric returns the time of a number in a unit, in µs since 1970.
func parseNumeric(s string, kind timeKind) (at int64, ok bool) {
	whole, fraction, hasPoint := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || hasPoint && fraction == "" || strings.Trim(fraction, "0123456789") != "" {
		return 0, false
	}
	part := scaledFraction(fraction, 6) // in millionths of the unit
	if strings.HasPrefix(whole, "-") {
		part = -part
	}
	const limit = 1 << 62 / 1_000_000
	size := magnitude(n)
	switch kind {
	case seconds:
		return n*1_000_000 + part, size < limit
	case millis:
		return n*1000 + part/1000, size < limit
	case micros:
		return n, size < 1<<62
	case nanos:
		return n / 1000, true
	case serial:
		// Excel stores a fraction of a day in binary floating point: rounded to milliseconds, it is the clock's.
		const day = 86_400_000_000
		clock := (scaledFraction(fraction, 10)*(day/1000) + 5_000_000_000) / 10_000_000_000 * 1000
		return (n-25569)*day + clock, size < 1_000_000
	}
	return 0, false
}

// scaledFraction returns a fraction in units of 10^-places; further digits are dropped.
func scaledFraction(fraction string, places int) int64 {
	if fraction == "" {
		return 0
	}
	n, _ := strconv.ParseInt((fraction + "0000000000")[:places], 10, 64)
	return n
}

// epoch returns what a number is as a time since 1970: its unit follows from its size. 1e11 s would be in the year 5138, 1e11 ms is
// in 1973.
func epoch(s string) (at int64, kind timeKind, ok bool) {
	whole, _, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return 0, 0, false
	}
	kind = unitOf(n)
	at, ok = parseNumeric(s, kind)
	return at, kind, ok
}

func unitOf(n int64) timeKind {
	switch size := magnitude(n); {
	case size < 1e11:
		return seconds
	case size < 1e14:
		return millis
	case size < 1e17:
		return micros
	}
	return nanos
}
