// Package audit writes the audit log: who signed in, opened which stream, was refused and changed the server. Each event is
// one line of JSON in a separate file. It contains no credentials.
package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Values of Event.Kind.
const (
	SignIn      = "sign_in"
	SignOut     = "sign_out"
	StreamOpen  = "stream_opened"
	StreamEnd   = "stream_ended"
	Request     = "request" // that was refused
	Command     = "command" // of an open stream, that was refused
	Action      = "action"  // on the server: revocations, experiments
	lostRecords = "records_lost"
)

// Values of Event.Decision.
const (
	Allowed = "allowed"
	Denied  = "denied"
)

// Event is one record. Empty fields are left out.
type Event struct {
	Kind     string
	Subject  string // who
	Token    string // the id of the token, never the token
	Address  string // of the client
	Route    string // "POST /api/lab/rate"
	Decision string
	Reason   string
	More     []slog.Attr
}

// queue is how many records may wait for the disk.
const queue = 4096

// Log is an audit log. It is safe for concurrent use. Records are written in the order of Record, by a goroutine: a slow disk doesn't
// delay streams. Methods of a nil Log do nothing.
type Log struct {
	name   string
	logger *slog.Logger // of failures
	format *slog.Logger
	lost   atomic.Uint64 // records

	mu     sync.RWMutex // guards closed
	closed bool
	lines  chan []byte
	done   chan struct{}

	fileMu sync.Mutex
	file   *os.File
}

// Open opens an audit log, which it creates if it is missing. The caller must Close it.
func Open(name string, logger *slog.Logger) (*Log, error) {
	f, err := open(name)
	if err != nil {
		return nil, err
	}
	l := &Log{name: name, logger: logger, file: f, lines: make(chan []byte, queue), done: make(chan struct{})}
	l.format = slog.New(slog.NewJSONHandler(enqueue{l}, &slog.HandlerOptions{ReplaceAttr: rename}))
	go l.write()
	return l, nil
}

// open opens a file to append to. Only its owner may read it.
func open(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
}

// rename leaves out the level and calls the message event.
func rename(groups []string, a slog.Attr) slog.Attr {
	switch {
	case len(groups) > 0:
	case a.Key == slog.LevelKey:
		return slog.Attr{}
	case a.Key == slog.MessageKey:
		a.Key = "event"
	case a.Key == slog.TimeKey:
		a.Value = slog.TimeValue(a.Value.Time().UTC())
	}
	return a
}

// Record writes an event. It doesn't wait: if the disk is too slow, the event is lost, and their number is recorded later.
func (l *Log) Record(e Event) {
	if l == nil {
		return
	}
	attrs := make([]slog.Attr, 0, 6+len(e.More))
	for _, a := range []slog.Attr{
		slog.String("subject", e.Subject), slog.String("token", e.Token), slog.String("address", e.Address),
		slog.String("route", e.Route), slog.String("decision", e.Decision), slog.String("reason", e.Reason),
	} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	l.format.LogAttrs(context.Background(), slog.LevelInfo, e.Kind, append(attrs, e.More...)...)
}

// enqueue is the writer of the JSON handler, which calls it once for each record.
type enqueue struct{ *Log }

func (l enqueue) Write(line []byte) (int, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		l.lost.Add(1)
		return 0, os.ErrClosed
	}
	select {
	case l.lines <- append([]byte(nil), line...):
	default:
		l.lost.Add(1)
	}
	return len(line), nil
}

// write writes records until Close.
func (l *Log) write() {
	defer close(l.done)
	var reported uint64 // of lost
	var warned time.Time
	for line := range l.lines {
		if lost := l.lost.Load(); lost > reported {
			record := fmt.Sprintf("{\"time\":%q,\"event\":%q,\"records\":%d}\n", time.Now().UTC().Format(time.RFC3339Nano), lostRecords, lost-reported)
			line = append([]byte(record), line...)
			reported = lost
		}
		l.fileMu.Lock()
		_, err := l.file.Write(line)
		l.fileMu.Unlock()
		if err == nil {
			continue
		}
		l.lost.Add(1)
		if now := time.Now(); now.Sub(warned) >= time.Minute {
			warned = now
			l.logger.Error("audit records can't be written", "err", err, "lost", l.lost.Load())
		}
	}
}

// Reopen opens the file by its name again, after another program has renamed it. If that fails, the old file stays in use.
func (l *Log) Reopen() error {
	if l == nil {
		return nil
	}
	f, err := open(l.name)
	if err != nil {
		return err
	}
	l.fileMu.Lock()
	defer l.fileMu.Unlock()
	old := l.file
	l.file = f
	return old.Close()
}

// Lost returns how many records could not be written.
func (l *Log) Lost() uint64 {
	if l == nil {
		return 0
	}
	return l.lost.Load()
}

// Close writes what waits and closes the file.
func (l *Log) Close() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	close(l.lines)
	l.mu.Unlock()
	<-l.done
	l.fileMu.Lock()
	defer l.fileMu.Unlock()
	return errors.Join(l.file.Sync(), l.file.Close())
}
