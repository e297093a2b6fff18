package loadtest

import (
	"testing"
	"time"

	"ticklane/internal/testkit"
)

// patiently runs a test of what is seen within some time, with more and more of it until it is seen: on a machine that is busy
// with something else nothing may come for a while. What never comes isn't seen in any time, and what must never come isn't
// forgiven: see hard.
func patiently(t *testing.T, f func(t testing.TB)) {
	t.Helper()
	for times := time.Duration(1); ; times *= 4 {
		failed := testkit.Try(t, func(try testing.TB) { f(&attempt{TB: try, unit: times * time.Millisecond, test: t}) })
		if failed == "" {
			return
		}
		if times >= 64 {
			t.Fatal(failed)
		}
		t.Logf("in %d times the time: %s", times, failed)
	}
}

// stretched is a millisecond, or more in a later attempt.
func stretched(t testing.TB) time.Duration {
	if a, ok := t.(*attempt); ok {
		return a.unit
	}
	return time.Millisecond
}

// hard is where something is told that no busy machine excuses.
func hard(t testing.TB) testing.TB {
	if a, ok := t.(*attempt); ok {
		return a.test
	}
	return t
}

// attempt is one go at a test.
type attempt struct {
	testing.TB
	unit time.Duration
	test testing.TB // the test itself
}
