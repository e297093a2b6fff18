package natsbus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// maxMessage is the largest message that a server must accept, the default of a NATS server.
const maxMessage = 1 << 20

// otherStores is how much the embedded server may store besides the stream: the buckets, and what it deletes late.
const otherStores = 256 << 20

// stopTimeout bounds each wait for what was sent to the server before it stops.
const stopTimeout = 5 * time.Second

// embedded is a NATS server in this process. Nothing but this process can connect to it.
type embedded struct {
	*server.Server
	lock    *os.File // of the directory
	dir     string
	failed  atomic.Bool            // the store has failed: the server stores nothing more until it starts again
	fatal   atomic.Pointer[string] // the reason why the server can't start
	unclean atomic.Bool            // it was logged that the store is checked
}

// newEmbedded starts a server with its store in o.Dir.
func newEmbedded(ctx context.Context, o *Options) (_ *embedded, err error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("embedded NATS server: data.dir: %w", err)
	}
	// A second server in the same directory would damage the store: nats-server doesn't lock it.
	lock, err := lockFile(filepath.Join(o.Dir, "lock"))
	if errors.Is(err, errLocked) {
		return nil, fmt.Errorf("embedded NATS server: data.dir: %s is in use by another process: stop it, or choose another directory", o.Dir)
	}
	if err != nil {
		return nil, fmt.Errorf("embedded NATS server: data.dir: %w", err)
	}
	defer func() {
		if err != nil {
			_ = lock.Close()
		}
	}()
	if _, err := readMark(filepath.Join(o.Dir, markFile)); err != nil {
		return nil, err
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "ticklane-embedded",
		DontListen: true,
		NoSigs:     true, // or it ends the process at a signal (nats-io/nats-server#5360)
		JetStream:  true,
		StoreDir:   o.Dir,
		SyncAlways: o.SyncAlways,
		// The defaults are three quarters of the memory and of the disk.
		JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: o.MaxBytes + o.MaxBytes/4 + otherStores,
		MaxPayload: maxMessage, DisableJetStreamBanner: true,
	})
	if err != nil {
		return nil, fmt.Errorf("embedded NATS server: data.dir: %w", err)
	}
	e := &embedded{Server: s, lock: lock, dir: o.Dir}
	s.SetLoggerV2(serverLog{o.Logger, e}, false, false, false)
	s.Start()
	start := time.Now()
	for !s.ReadyForConnections(time.Second) {
		if reason := e.fatal.Load(); reason != nil {
			e.stop()
			return nil, fmt.Errorf("embedded NATS server in data.dir, %s: %s", o.Dir, *reason)
		}
		if !s.Running() {
			e.stop()
			return nil, fmt.Errorf("embedded NATS server: it has stopped: is data.dir, %s, writable, and the disk not full?", o.Dir)
		}
		if ctx.Err() != nil {
			e.stop()
			return nil, ctx.Err()
		}
		o.Logger.Info("embedded NATS server recovers its store", "dir", o.Dir, "took", time.Since(start).Round(time.Second))
	}
	if !s.JetStreamEnabled() {
		e.stop()
		return nil, fmt.Errorf("embedded NATS server: no store in data.dir, %s: is it writable, and the disk not full?", o.Dir)
	}
	return e, nil
}

// stop ends the server once its store is written. No connection may send requests any more.
func (e *embedded) stop() {
	// Shutdown closes the streams that exist. One that a request creates meanwhile would stay open, and write to the directory later
	// (Account.addStreamWithAssignmentAndMode of nats-server registers a stream last).
	for end := time.Now().Add(stopTimeout); time.Now().Before(end) && e.requests() > 0; {
		time.Sleep(time.Millisecond)
	}
	e.Shutdown()
	e.WaitForShutdown()
	_ = e.lock.Close()
}

// requests returns how many requests of the JetStream API the server has received but not handled.
func (e *embedded) requests() uint64 {
	info, err := e.Jsz(nil)
	if err != nil {
		return 0
	}
	return info.API.Inflight
}

// writable tries to write as much as a message may have to the directory.
func (e *embedded) writable() error {
	name := filepath.Join(e.dir, "probe")
	defer func() { _ = os.Remove(name) }()
	return writeSynced(name, make([]byte, maxMessage))
}

// serverLog passes what the server logs to a slog.Logger. What it notes of its start and its end isn't of interest.
type serverLog struct {
	logger *slog.Logger
	server *embedded
}

func (l serverLog) Noticef(format string, v ...any) { l.log(slog.LevelDebug, format, v) }
func (l serverLog) Debugf(string, ...any)           {}
func (l serverLog) Tracef(string, ...any)           {}

// Warnf logs one record of level info for all streams whose index is older than their messages, as after kill -9: the server then reads
// the messages.
func (l serverLog) Warnf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	if !strings.Contains(text, "] Stream state outdated, ") && !strings.HasSuffix(text, " from index errored: prior state file") {
		l.log(slog.LevelWarn, format, v)
		return
	}
	l.log(slog.LevelDebug, format, v)
	if !l.server.unclean.Swap(true) {
		l.logger.Info("the store of the embedded NATS server is checked after an unclean stop", "dir", l.server.dir)
	}
}

// Fatalf stores the reason why the server can't start.
func (l serverLog) Fatalf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.server.fatal.Store(&text)
}

// Errorf also notes that the store has failed, which the server reports nowhere else.
func (l serverLog) Errorf(format string, v ...any) {
	if strings.Contains(fmt.Sprintf(format, v...), "ritical write error") {
		l.server.failed.Store(true)
	}
	l.log(slog.LevelError, format, v)
}

func (l serverLog) log(level slog.Level, format string, v []any) {
	if l.logger.Enabled(context.Background(), level) {
		l.logger.Log(context.Background(), level, "embedded NATS server: "+fmt.Sprintf(format, v...))
	}
}
