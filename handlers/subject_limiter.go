package handlers

import (
	"fmt"
	"sync"

	"ticklane/internal/auth"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// subjectLimiter bounds the open streams of a subject, on both lanes and engines, if its rights set a limit. It is safe for concurrent
// use.
type subjectLimiter struct {
	mu   sync.Mutex
	open map[string]int // by subject; also those without a limit, which their next token may have
}

func newSubjectLimiter() *subjectLimiter { return &subjectLimiter{open: map[string]int{}} }

// acquire takes a slot for a principal and reports whether there was one. It must be released.
func (l *subjectLimiter) acquire(p *auth.Principal) bool {
	if !p.Authenticated() {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reached(p) {
		return false
	}
	l.open[p.Subject]++
	return true
}

// free reports whether acquire would take a slot. It takes none.
func (l *subjectLimiter) free(p *auth.Principal) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.reached(p)
}

// reached reports whether the subject has no slot left. It is called with mu held.
func (l *subjectLimiter) reached(p *auth.Principal) bool {
	limit := p.Rights.Streams()
	return limit > 0 && l.open[p.Subject] >= limit
}

// release frees a slot.
func (l *subjectLimiter) release(p *auth.Principal) {
	if !p.Authenticated() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[p.Subject]--; l.open[p.Subject] == 0 {
		delete(l.open, p.Subject)
	}
}

// refusal returns the refusal of a principal without a free slot.
func (l *subjectLimiter) refusal(p *auth.Principal) *refusal {
	return &refusal{wire.ByeOverload, fmt.Sprintf("streams is reached, a limit of the token's rights: %d open streams of its subject", p.Rights.Streams()),
		stream.ByeRetry(wire.ByeOverload, overloadRetry, 0)}
}
