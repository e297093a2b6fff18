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
	others OtherStreams // nil for none

	mu      sync.Mutex
	open    map[string]int  // by subject; also those without a limit, which their next token may have
	limited map[string]bool // open subjects that have had a limit since their first stream: others must know of them
}

// OtherStreams counts the streams of subjects on other servers. Its methods don't block.
type OtherStreams interface {
	// Others returns how many streams of a subject are open on other servers.
	Others(subject string) int
	// Set reports how many streams of a subject are open on this server.
	Set(subject string, open int)
}

// newSubjectLimiter returns a limiter of the streams on this server and on others. others is nil for none.
func newSubjectLimiter(others OtherStreams) *subjectLimiter {
	return &subjectLimiter{others: others, open: map[string]int{}, limited: map[string]bool{}}
}

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
	if l.others != nil && (p.Rights.Streams() > 0 || l.limited[p.Subject]) {
		l.limited[p.Subject] = true
		l.others.Set(p.Subject, l.open[p.Subject])
	}
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
	if limit == 0 {
		return false
	}
	open := l.open[p.Subject]
	if l.others != nil && open < limit {
		open += l.others.Others(p.Subject)
	}
	return open >= limit
}

// release frees a slot.
func (l *subjectLimiter) release(p *auth.Principal) {
	if !p.Authenticated() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[p.Subject]--
	left := l.open[p.Subject]
	if l.limited[p.Subject] {
		l.others.Set(p.Subject, left)
	}
	if left == 0 {
		delete(l.open, p.Subject)
		delete(l.limited, p.Subject)
	}
}

// refusal returns the refusal of a principal without a free slot.
func (l *subjectLimiter) refusal(p *auth.Principal) *refusal {
	where := ""
	if l.others != nil {
		where = " on all servers"
	}
	return &refusal{wire.ByeOverload, fmt.Sprintf("streams is reached, a limit of the token's rights: %d open streams of its subject%s", p.Rights.Streams(), where),
		stream.ByeRetry(wire.ByeOverload, overloadRetry, 0)}
}
