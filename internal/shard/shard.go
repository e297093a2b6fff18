// Package shard writes the log's bytes to sockets with a few goroutines for all connections. A connection is passed to it
// as a descriptor. One of several writers then owns it, and never blocks; a poller passes the kernel's events to the
// writers. HTTP and WebSocket are the Protocol's part.
package shard

import (
	"errors"
	"time"

	"ticklane/internal/stream"
)

// Options configures a Pool.
type Options struct {
	Log          *stream.Log
	Writers      int           // number of writer goroutines; 0 for GOMAXPROCS/2, at least 1
	WriteTimeout time.Duration // a connection whose socket accepts nothing for this long is closed
	CloseWait    time.Duration // time a client has to answer the last bytes of its stream
	// OnPanic is called with the value of each recovered panic. The connection concerned is closed afterwards.
	OnPanic func(where string, value any)
	// OnFailure is called at most once, when the poller fails. The pool then closes its connections and refuses
	// new ones. May be nil.
	OnFailure func(error)
}

// ErrClosed is returned by Pool.Add after the pool was closed or has failed.
var ErrClosed = errors.New("the shard engine has stopped")

// ErrUnavailable is returned by New on systems other than Linux.
var ErrUnavailable = errors.New("the shard engine needs Linux")

// ErrPanicked is returned by Pool.Add, or passed to Options.OnFailure, after a panic in Handoff.ResponseHead,
// Handoff.Protocol or the poller. Options.OnPanic was called with its value.
var ErrPanicked = errors.New("a panic")

// Handoff is a connection passed to Pool.Add, with the options of its stream.
type Handoff struct {
	FD      int // connected, non-blocking; owned by the pool once Add returned nil
	Options stream.Options
	Chunked bool // frames each write of the stream as one chunk (RFC 9112 §7.1)
	// ResponseHead returns the bytes sent before the stream's first bytes. May be nil.
	ResponseHead func(sub *stream.Subscriber) []byte
	Received     []byte // bytes that the client has already sent
	// Protocol returns the connection's protocol, and a throttle or nil. It is called before any I/O.
	// reset closes the connection with RST; any goroutine may call it.
	Protocol func(sub *stream.Subscriber, reset func()) (p Protocol, t Throttle)
}

// Protocol handles the client's side of a connection. The connection's writer goroutine makes all calls.
type Protocol interface {
	// OnOpen is called once, before the first byte is written.
	OnOpen()
	// HandleInput processes received bytes; it may overwrite b and must not keep it. When it returns false, the
	// stream ends and further input is discarded.
	HandleInput(b []byte) bool
	// Final returns the last bytes to write and what follows them. It is called when the stream has ended, or
	// (inputEnded) when HandleInput has returned false. After WaitInput it may be called once more, with
	// inputEnded, and must then return another action.
	Final(inputEnded bool) ([]byte, CloseAction)
	// OnEnd is called once, when nothing more will be written. err is the cause, nil for an orderly end.
	OnEnd(err error)
	// OnClose is called last, after the descriptor was closed.
	OnClose()
}

// CloseAction is what follows the last bytes of a connection.
type CloseAction uint8

const (
	// CloseNow closes the connection.
	CloseNow CloseAction = iota
	// WaitInput keeps calling HandleInput until it returns false, at most for Options.CloseWait.
	WaitInput
	// WaitEOF sends FIN and discards input until the client closes, at most for Options.CloseWait: a socket
	// closed with unread input sends RST, which may discard the last bytes on the client's side.
	WaitEOF
)

// Throttle delays a connection's bytes, for experiments. The connection's writer goroutine makes all calls.
type Throttle interface {
	// Idle reports whether nothing is delayed at this time.
	Idle(now time.Time) bool
	// Release returns how many of the held bytes may be written now. When n is 0, it also returns when to call it
	// again, and whether more bytes may be gathered until then.
	Release(now time.Time, held int, ended bool) (n int, again time.Time, more bool)
}
