package handlers

import (
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"ticklane/internal/quote"
	"ticklane/internal/stream"
)

const (
	maxAnswerAge   = 250 * time.Millisecond
	maxAnswerBytes = 8 << 20 // of all bodies in memory, before compression
)

// answers keeps rendered answers for as long as nothing has changed, and otherwise for 250 ms. Concurrent requests for the
// same answer share one rendering. It is safe for concurrent use.
type answers struct {
	version func() uint64 // changes with the data

	flights singleflight.Group
	mu      sync.Mutex
	byKey   map[string]answer
	bytes   int
}

type answer struct {
	*content
	version uint64
	made    time.Time // when its rendering began
}

// constant is the version of answers that never change.
func constant() uint64 { return 0 }

// headOf returns the version of answers made from a log.
func headOf(log *stream.Log) func() uint64 { return func() uint64 { return log.Head().Seq } }

// sizeOf returns the version of answers made from a universe.
func sizeOf(u *quote.Universe) func() uint64 { return func() uint64 { return uint64(u.Len()) } }

func newAnswers(version func() uint64) *answers {
	return &answers{version: version, byKey: make(map[string]answer)}
}

// get returns the answer for a key, rendered by render unless it is in memory. The key must not refer to fasthttp's memory.
func (a *answers) get(key string, render func() (*content, error)) (*content, error) {
	if x, ok := a.fresh(key); ok {
		return x, nil
	}
	x, err, _ := a.flights.Do(key, func() (any, error) {
		if x, ok := a.fresh(key); ok { // another rendering has just ended
			return x, nil
		}
		made := answer{version: a.version(), made: time.Now()}
		x, err := render()
		if err != nil {
			return nil, err
		}
		made.content = x
		a.keep(key, made)
		return x, nil
	})
	if err != nil {
		return nil, err
	}
	return x.(*content), nil
}

func (a *answers) fresh(key string) (*content, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	x, ok := a.byKey[key]
	return x.content, ok && a.isFresh(x)
}

func (a *answers) isFresh(x answer) bool {
	return x.version == a.version() || time.Since(x.made) < maxAnswerAge
}

// keep adds an answer and removes outdated ones, or all others when memory is full.
func (a *answers) keep(key string, x answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for k, old := range a.byKey {
		if k == key || !a.isFresh(old) || a.bytes+len(x.body) > maxAnswerBytes {
			delete(a.byKey, k)
			a.bytes -= len(old.body)
		}
	}
	a.byKey[key] = x
	a.bytes += len(x.body)
}
