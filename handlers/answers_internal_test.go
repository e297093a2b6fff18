package handlers

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestAnswers checks that concurrent requests share one rendering, for how long an answer is kept, and that the memory is
// bounded.
func TestAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var version, renderings atomic.Uint64
		a := newAnswers(version.Load)
		render := func() (*content, error) {
			renderings.Add(1)
			time.Sleep(100 * time.Millisecond)
			return newContent("text/plain", make([]byte, maxAnswerBytes/4)), nil
		}
		want := func(n uint64) {
			t.Helper()
			if got := renderings.Load(); got != n {
				t.Fatalf("%d renderings, want %d", got, n)
			}
		}
		var wait sync.WaitGroup
		for range 50 {
			wait.Go(func() { _, _ = a.get("x", render) })
		}
		wait.Wait()
		want(1)
		time.Sleep(time.Hour)
		_, _ = a.get("x", render) // nothing has changed
		want(1)
		version.Store(1)
		_, _ = a.get("x", render)
		want(2)
		version.Store(2)
		time.Sleep(maxAnswerAge - 100*time.Millisecond - time.Nanosecond)
		_, _ = a.get("x", render)
		want(2)
		time.Sleep(time.Nanosecond)
		_, _ = a.get("x", render)
		want(3)
		for _, key := range []string{"a", "b", "c", "d", "e", "f"} {
			_, _ = a.get(key, render)
			if a.bytes > maxAnswerBytes || a.bytes != len(a.byKey)*maxAnswerBytes/4 {
				t.Fatalf("%d bytes of %d answers", a.bytes, len(a.byKey))
			}
		}
		failed := errors.New("failed")
		if _, err := a.get("y", func() (*content, error) { return nil, failed }); !errors.Is(err, failed) {
			t.Errorf("got %v", err)
		}
	})
}
