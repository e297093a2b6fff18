package main

import (
	"io"
	"sync"
	"time"

	"ticklane/internal/config"
)

// logWriter writes records to the log, one in each Write. It counts those that it can't write, for instance because the
// disk is full, and logs their number once writing works again, at most once a minute. It is safe for concurrent use.
type logWriter struct {
	out    io.Writer
	format string // log.format

	mu       sync.Mutex
	failed   uint64 // since the start
	reported uint64 // of failed
	last     time.Time
	partial  bool // the last write failed within a line
}

func (w *logWriter) Write(record []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.partial {
		record = append([]byte("\n"), record...)
	}
	n, err := w.out.Write(record)
	if err != nil {
		w.failed++
		w.partial = w.partial && n == 0 || n > 0
		return n, err
	}
	w.partial = false
	if now := time.Now(); w.failed > w.reported && (w.last.IsZero() || now.Sub(w.last) >= time.Minute) {
		w.last = now
		newLogger(config.Log{Format: w.format}, w.out).Warn("log records lost because writing the log failed", "records", w.failed-w.reported)
		w.reported = w.failed
	}
	return n, nil
}

// Failed returns the number of lost records.
func (w *logWriter) Failed() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}
