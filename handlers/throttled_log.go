package handlers

import (
	"log/slog"
	"sync"
	"time"
)

// logInterval is the least time between two records of a throttledLog.
const logInterval = time.Minute

// throttledLog logs something that may happen very often: at most once in logInterval, with how often it happened since
// the record before. It is safe for concurrent use.
type throttledLog struct {
	log     *slog.Logger
	message string

	mu    sync.Mutex
	last  time.Time
	times uint64 // since last
}

// warn counts an event, and logs it unless the last record is too recent. args are those of this event.
func (t *throttledLog) warn(args ...any) {
	t.mu.Lock()
	t.times++
	now := time.Now()
	if !t.last.IsZero() && now.Sub(t.last) < logInterval {
		t.mu.Unlock()
		return
	}
	times := t.times
	t.last, t.times = now, 0
	t.mu.Unlock()
	t.log.Warn(t.message, append([]any{"times", times}, args...)...)
}
