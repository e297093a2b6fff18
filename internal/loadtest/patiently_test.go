package loadtest

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"
)

// patiently runs a test of what is seen within some time, with more and more of it until it is seen: on a machine that is busy
// with something else nothing may come for a while. What never comes isn't seen in any time, and what must never come isn't
// forgiven: see hard.
func patiently(t *testing.T, f func(t testing.TB)) {
	t.Helper()
	for times := time.Duration(1); ; times *= 4 {
		a := &attempt{TB: t, unit: times * time.Millisecond}
		var ended sync.WaitGroup
		ended.Go(func() { f(a) })
		ended.Wait()
		if a.failed == "" {
			return
		}
		if times >= 64 {
			t.Fatal(a.failed)
		}
		t.Logf("in %d times the time: %s", times, a.failed)
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
		return a.TB
	}
	return t
}

// attempt keeps what went wrong to itself.
type attempt struct {
	testing.TB
	unit   time.Duration
	mu     sync.Mutex
	failed string // the first
}

func (a *attempt) fail(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failed == "" {
		a.failed = text
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
