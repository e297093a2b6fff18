package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"ticklane/handlers"
	"ticklane/internal/bus/natsbus"
	"ticklane/internal/config"
)

const (
	startDelay = time.Second     // after which the responder answers: until then clients wait for the real server
	startWait  = 5 * time.Second // for a request, and for its client to read the answer
	startConns = 512             // open connections of each listener; further clients wait in the kernel's queue
	startRate  = 1000            // connections that each listener accepts per second, so that they don't slow down the start
)

// stage is the current stage of the start. It is safe for concurrent use.
type stage struct {
	anew  bool          // the server starts again with a new log; set before use
	pause time.Duration // before the start: another node may not have begun the new epoch yet
	now   atomic.Pointer[func() handlers.Stage]
}

// enter begins a stage.
func (s *stage) enter(doing string) { s.enterWith(doing, "") }

// enterWith begins a stage with what only probes report.
func (s *stage) enterWith(doing, detail string) {
	s.follow(func() handlers.Stage { return handlers.Stage{Doing: doing, Detail: detail} })
}

// follow begins a stage that changes.
func (s *stage) follow(current func() handlers.Stage) { s.now.Store(&current) }

// awaitNATS begins the stage of waiting for NATS, and returns a function that adds an error to it. urls are the addresses of the NATS
// servers, empty for the one within this process.
func (s *stage) awaitNATS(urls string) func(error) {
	const doing = "waiting for NATS"
	server := "the embedded server"
	if urls != "" {
		server = natsbus.Addresses(urls)
	}
	s.enterWith(doing, server)
	return func(err error) { s.enterWith(doing, fmt.Sprintf("%s: %v", server, err)) }
}

// readLog begins the stage of reading the log from NATS.
func (s *stage) readLog(n *natsBus) {
	s.follow(func() handlers.Stage {
		read, all := n.Progress()
		if all == 0 {
			return handlers.Stage{Doing: "reading the log"}
		}
		return handlers.Stage{Doing: fmt.Sprintf("reading the log, %d of %d messages", read, all)}
	})
}

// current returns the stage as it is now.
func (s *stage) current() handlers.Stage {
	now := handlers.Stage{Doing: "loading"}
	if f := s.now.Load(); f != nil {
		now = (*f)()
	}
	if s.anew {
		now.Doing = "the log couldn't be continued, serving anew: " + now.Doing
	}
	return now
}

// responder answers requests while the server starts, on the listeners that the server uses afterwards. The caller must call close.
type responder struct {
	cancel    context.CancelFunc
	listeners []*net.TCPListener
	servers   []*http.Server
	serving   sync.WaitGroup
}

// answerWhileStarting begins to answer after startDelay, until handOver or close. admin may be nil.
func answerWhileStarting(cfg config.Config, secure *tls.Config, ln, admin net.Listener, at *stage, logger *slog.Logger) *responder {
	ctx, cancel := context.WithCancel(context.Background())
	r := &responder{cancel: cancel, listeners: []*net.TCPListener{ln.(*net.TCPListener)}}
	if admin != nil {
		r.listeners = append(r.listeners, admin.(*net.TCPListener))
	}
	for i := range r.listeners {
		r.servers = append(r.servers, &http.Server{
			ReadTimeout: min(startWait, cfg.Server.ReadTimeout), WriteTimeout: startWait, MaxHeaderBytes: cfg.Limits.HeaderSize,
			ErrorLog: log.New(io.Discard, "", 0), // of TLS handshakes
		})
		r.servers[i].SetKeepAlivesEnabled(false)
	}
	r.serving.Go(func() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(startDelay):
		}
		logger.Info("the start takes longer than a second; requests are answered with its progress", "doing", at.current())
		var both sync.WaitGroup
		for i, ln := range r.listeners {
			h, err := handlers.NewStarting(settings(cfg, secure), files, at.current, i > 0)
			if err != nil {
				logger.Error("requests aren't answered during the start", "err", err)
				break
			}
			r.servers[i].Handler = h
			encryption := secure
			if i > 0 && ln.Addr().(*net.TCPAddr).IP.IsLoopback() {
				encryption = nil
			}
			both.Go(func() { serveStarting(ctx, r.servers[i], ln, encryption) })
		}
		both.Wait()
	})
	return r
}

// serveStarting serves until Accept fails because ctx is done or the listener's deadline is exceeded: handOver does both. Without TLS
// secure is nil.
func serveStarting(ctx context.Context, s *http.Server, tcp *net.TCPListener, secure *tls.Config) {
	bounded := &startListener{TCPListener: tcp, ctx: ctx, slots: make(chan struct{}, startConns), rate: rate.NewLimiter(startRate, startConns)}
	s.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			<-bounded.slots
		}
	}
	var ln net.Listener = bounded
	if secure != nil {
		ln = tls.NewListener(ln, secure)
	}
	_ = s.Serve(ln) // the error is that of the end
}

// handOver ends the accepting of connections. Those that were accepted are still answered, within startWait.
func (r *responder) handOver() {
	r.cancel()
	for _, ln := range r.listeners {
		_ = ln.SetDeadline(time.Unix(1, 0)) // it fails if the listener is closed
	}
	r.serving.Wait()
	for _, ln := range r.listeners {
		_ = ln.SetDeadline(time.Time{})
	}
}

// close ends the answering and closes what is open, except for the listeners.
func (r *responder) close() {
	r.handOver()
	for _, s := range r.servers {
		_ = s.Close()
	}
}

// startListener bounds the connections that are served during the start. Its Close doesn't close the listener, which the server uses
// afterwards.
type startListener struct {
	*net.TCPListener
	ctx   context.Context
	slots chan struct{} // one for each open connection
	rate  *rate.Limiter
}

// errHandedOver is the error of Accept when the server takes over.
var errHandedOver = errors.New("the start has ended")

func (l *startListener) Accept() (net.Conn, error) {
	if l.rate.Wait(l.ctx) != nil {
		return nil, errHandedOver
	}
	select {
	case l.slots <- struct{}{}:
	case <-l.ctx.Done():
		return nil, errHandedOver
	}
	conn, err := l.TCPListener.Accept()
	if err != nil {
		<-l.slots
	}
	if errors.Is(err, os.ErrDeadlineExceeded) { // http.Server would try again
		err = errHandedOver
	}
	return conn, err
}

func (l *startListener) Close() error { return nil }
