package testkit

import (
	"cmp"
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// failureOf runs f and returns its first failure, or "" if f passed. A failure of f's TB does not fail t; logs and cleanups are
// t's.
func failureOf(t testing.TB, f func(t testing.TB)) (failed string) {
	t.Helper()
	a := &attempt{TB: t}
	var ended sync.WaitGroup
	ended.Go(func() { f(a) }) // Fatal ends this goroutine
	ended.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failed
}

// attempt is a TB that keeps its first failure.
type attempt struct {
	testing.TB
	mu     sync.Mutex
	failed string
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
