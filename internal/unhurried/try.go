package unhurried

import (
	"cmp"
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// Try runs a part of a test that may be run again, and returns what failed first in it, "" when nothing did. What f's TB
// logs or cleans up is t's; what it fails stays with it.
func Try(t testing.TB, f func(t testing.TB)) (failed string) {
	t.Helper()
	a := &attempt{TB: t}
	var ended sync.WaitGroup
	ended.Go(func() { f(a) }) // of its own, for Fatal to end
	ended.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failed
}

// attempt keeps what went wrong to itself.
type attempt struct {
	testing.TB
	mu     sync.Mutex
	failed string // the first
}

func (a *attempt) fail(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failed == "" {
		a.failed = cmp.Or(text, "failed")
	}
}

func (a *attempt) Error(args ...any)                 { a.fail(fmt.Sprint(args...)) }
func (a *attempt) Errorf(format string, args ...any) { a.fail(fmt.Sprintf(format, args...)) }

func (a *attempt) Fatal(args ...any) {
	a.fail(fmt.Sprint(args...))
	runtime.Goexit()
}

func (a *attempt) Fatalf(format string, args ...any) {
	a.fail(fmt.Sprintf(format, args...))
	runtime.Goexit()
}
