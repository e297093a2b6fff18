package history

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Interval is the length of a bar, one of Intervals.
type Interval string

// The intervals.
const (
	TenSeconds     Interval = "10s"
	Minute         Interval = "1m"
	FiveMinutes    Interval = "5m"
	FifteenMinutes Interval = "15m"
	Hour           Interval = "1h"
	Day            Interval = "1d" // of UTC
)

// Intervals returns all intervals, the shortest first.
func Intervals() []Interval {
	return []Interval{TenSeconds, Minute, FiveMinutes, FifteenMinutes, Hour, Day}
}

// ParseInterval parses an interval. The error lists all of them.
func ParseInterval(s string) (Interval, error) {
	all := Intervals()
	if i := Interval(s); slices.Contains(all, i) {
		return i, nil
	}
	names := make([]string, len(all))
	for k, i := range all {
		names[k] = string(i)
	}
	return "", fmt.Errorf("interval: %q: want one of %s", s, strings.Join(names, ", "))
}

// Duration returns the length of a bar, 0 for an invalid interval.
func (i Interval) Duration() time.Duration {
	switch {
	case i == Day:
		return 24 * time.Hour
	case !slices.Contains(Intervals(), i):
		return 0
	}
	d, _ := time.ParseDuration(string(i)) // all others have this form
	return d
}

// base returns the index of the span that an interval's bars are merged from, the longest that divides it.
func base(i Interval) int {
	length := i.Duration().Microseconds()
	k := len(spans) - 1
	for length%spans[k] != 0 {
		k--
	}
	return k
}
