package share

import (
	"log/slog"
	"sync"
	"time"
)

// throttle limits how often something is logged.
type throttle struct {
	mu    sync.Mutex
	next  time.Time
	count int
}

// throttleTime is the time between two messages.
const throttleTime = 30 * time.Second

// warn logs a message with the number of times that it was called since the last one.
func (t *throttle) warn(logger *slog.Logger, message string, attrs ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
	if now := time.Now(); now.After(t.next) {
		logger.Warn(message, append(attrs, "count", t.count)...)
		t.next, t.count = now.Add(throttleTime), 0
	}
}
