package share

import (
	"log/slog"
	"sync"
	"time"
)

// logInterval is the least time between two records of a throttledLog.
const logInterval = 30 * time.Second

// throttledLog logs a warning at most once in logInterval, with how often it occurred since the record before. It is safe for
// concurrent use.
type throttledLog struct {
	mu    sync.Mutex
	next  time.Time
	times int
}

// warn counts a warning, and logs it unless the last record is too recent.
func (t *throttledLog) warn(logger *slog.Logger, message string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.times++
	if now := time.Now(); now.After(t.next) {
		logger.Warn(message, append(args, "times", t.times)...)
		t.next, t.times = now.Add(logInterval), 0
	}
}
