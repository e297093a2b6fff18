package testkit

import (
	"fmt"
	"testing"
	"time"
)

const (
	eventuallyTimeout  = 30 * time.Second
	eventuallyInterval = 5 * time.Millisecond
)

// Eventually polls cond every 5 ms until it reports true. It fails the test at once when cond is still false after 30
// seconds, a limit that no healthy test comes near on a busy machine. what, if given, describes the condition for the
// failure message, in the manner of fmt.Sprint.
//
// cond runs in the calling goroutine, which must be the test's. In a synctest bubble the time is the bubble's.
func Eventually(t testing.TB, cond func() bool, what ...any) {
	t.Helper()
	for end := time.Now().Add(eventuallyTimeout); !cond(); time.Sleep(eventuallyInterval) {
		if time.Now().After(end) {
			if len(what) == 0 {
				what = []any{"condition"}
			}
			t.Fatalf("%s: not met after %s", fmt.Sprint(what...), eventuallyTimeout)
		}
	}
}
