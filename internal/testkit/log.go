package testkit

import (
	"strings"
	"sync"
)

// Log keeps what is written to it. Its methods may be called while a server writes.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write adds p.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all that was written.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Count returns how often a text was written.
func (l *Log) Count(text string) int { return strings.Count(l.String(), text) }
