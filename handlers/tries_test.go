package handlers

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"
)

// tries runs a test whose server gives its clients little time, with more and more of it until the machine keeps up: what
// holds at any limit holds once, and what a server doesn't do it does at none.
func tries(t *testing.T, limit time.Duration, f func(t testing.TB, limit time.Duration)) {
	t.Helper()
	for ; ; limit *= 3 {
		a := &attempt{TB: t}
		var ended sync.WaitGroup
		ended.Go(func() { f(a, limit) })
		ended.Wait()
		if a.failed == "" {
			return
		}
		if limit > patience/4 {
			t.Fatal(a.failed)
		}
		t.Logf("at %s: %s", limit, a.failed)
	}
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
