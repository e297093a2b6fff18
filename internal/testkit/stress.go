package testkit

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// Stress reports whether this is a stress run, TICKLANE_STRESS=1. Tests whose subject is the machine's speed run only
// then.
func Stress() bool { return os.Getenv("TICKLANE_STRESS") == "1" }

// Rounds returns stress in a stress run and quick otherwise: the number of rounds of a random search.
func Rounds(quick, stress int) int {
	if Stress() {
		return stress
	}
	return quick
}

// Rand returns a generator with the seed TICKLANE_SEED, or with a random seed if that is unset. It logs the seed, so the
// output of a failed test, and of every test under -v, has what is needed to run it again with the same numbers. A test
// calls Rand once. The generator isn't safe for concurrent use.
func Rand(t testing.TB) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if s := os.Getenv("TICKLANE_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("TICKLANE_SEED: %v", err)
		}
	}
	t.Logf("random numbers: TICKLANE_SEED=%d repeats them", seed)
	return rand.New(rand.NewPCG(seed, 0))
}
