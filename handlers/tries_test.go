package handlers

import (
	"testing"
	"time"

	"ticklane/internal/testkit"
)

// tries runs a test whose server gives its clients little time, with more and more of it until the machine keeps up: what
// holds at any limit holds once, and what a server doesn't do it does at none.
func tries(t *testing.T, limit time.Duration, f func(t testing.TB, limit time.Duration)) {
	t.Helper()
	for ; ; limit *= 3 {
		failed := testkit.Try(t, func(t testing.TB) { f(t, limit) })
		if failed == "" {
			return
		}
		if limit > patience/4 {
			t.Fatal(failed)
		}
		t.Logf("at %s: %s", limit, failed)
	}
}
