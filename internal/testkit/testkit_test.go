package testkit

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestEventuallyWaitsForTheCondition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, calls := time.Now(), 0
		if failed := failureOf(t, func(t testing.TB) {
			Eventually(t, func() bool { calls++; return calls == 4 })
		}); failed != "" {
			t.Error(failed)
		}
		if calls != 4 || time.Since(start) != 3*eventuallyInterval {
			t.Errorf("%d calls in %s, want 4 in %s", calls, time.Since(start), 3*eventuallyInterval)
		}
	})
}

func TestEventuallyFailsAtItsTimeout(t *testing.T) {
	for _, c := range []struct {
		what []any
		want string
	}{
		{nil, "condition: not met after 30s"},
		{[]any{"streams open: ", 3}, "streams open: 3: not met after 30s"},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			failed := failureOf(t, func(t testing.TB) { Eventually(t, func() bool { return false }, c.what...) })
			if failed != c.want {
				t.Errorf("%q, want %q", failed, c.want)
			}
			if d := time.Since(start); d < eventuallyTimeout || d > eventuallyTimeout+2*eventuallyInterval {
				t.Errorf("failed after %s", d)
			}
		})
	}
}

func TestRoundsFollowStress(t *testing.T) {
	for value, want := range map[string]int{"": 2, "0": 2, "1": 100} {
		t.Setenv("TICKLANE_STRESS", value)
		if got := Rounds(2, 100); got != want || Stress() != (want == 100) {
			t.Errorf("TICKLANE_STRESS=%q: %d rounds, stress %t", value, got, Stress())
		}
	}
}

// logRecorder keeps what a test logs.
type logRecorder struct {
	testing.TB
	logged string
}

func (r *logRecorder) Logf(format string, args ...any) { r.logged += fmt.Sprintf(format, args...) }

func TestRandRepeatsALoggedSeed(t *testing.T) {
	t.Setenv("TICKLANE_SEED", "")
	r := &logRecorder{TB: t}
	first := Rand(r).Uint64()
	_, rest, _ := strings.Cut(r.logged, "TICKLANE_SEED=")
	seed, _, _ := strings.Cut(rest, " ")
	if Rand(t).Uint64() == first {
		t.Error("two random seeds gave the same number")
	}
	t.Setenv("TICKLANE_SEED", seed)
	if got := Rand(t).Uint64(); got != first {
		t.Errorf("seed %s gave %d, then %d", seed, first, got)
	}
}

func TestRandRefusesASeedThatIsNoNumber(t *testing.T) {
	t.Setenv("TICKLANE_SEED", "x")
	if failed := failureOf(t, func(t testing.TB) { Rand(t) }); !strings.HasPrefix(failed, "TICKLANE_SEED: ") {
		t.Errorf("%q", failed)
	}
}
