// Package shard moves the log's bytes into sockets with a few goroutines for all connections: a connection is handed
// over as a bare descriptor, one of several writers owns it from then on and writes without ever blocking, and a poller
// tells the writers what the kernel says of it. It knows neither HTTP nor WebSocket: see Peer.
package shard

import (
	"errors"
	"time"

	"ticklane/internal/stream"
)

// Options shape a Pool.
type Options struct {
	Log          *stream.Log
	Writers      int           // 0 for one for each two processors
	WriteTimeout time.Duration // a client that takes nothing for so long is disconnected
	CloseWait    time.Duration // how long a client gets to answer an end
	// Panicked hears of a panic that was contained; the connection is closed.
	Panicked func(where string, p any)
	// Failed hears, once, that the engine can't go on: its connections are closed, and it takes no more. Nil for nobody.
	Failed func(error)
}

// ErrClosed says that the pool takes no connections any more: it was closed, or it has failed.
var ErrClosed = errors.New("the shard engine has stopped")

// ErrUnavailable says that this system has no shard engine.
var ErrUnavailable = errors.New("the shard engine needs Linux")

// ErrPanicked says that Head, Peer or the poller panicked, of which Options.Panicked has heard.
var ErrPanicked = errors.New("a panic")

// Start is a connection to hand over, and its stream.
type Start struct {
	FD      int // non-blocking, connected; the pool's own from then on, when Add doesn't fail
	Options stream.Options
	Chunked bool // each write of the stream is one chunk (RFC 9112 §7.1)
	// Head returns what goes out with the stream's first bytes; nil for nothing.
	Head  func(sub *stream.Subscriber) []byte
	Early []byte // what the client sent already
	// Peer makes the protocol's side, before anything happens on the connection. reset ends it with RST; anybody may call that.
	Peer func(sub *stream.Subscriber, reset func()) (Peer, Brake)
}

// Peer is the protocol's side of a connection. All calls come from the one writer that owns it, Closed last.
type Peer interface {
	// Open is called once, before the first byte.
	Open()
	// Feed takes what the client sent, and may overwrite it. False asks for the end of the stream, and nothing is fed after it.
	Feed(b []byte) bool
	// Last returns what is written last, because the stream ended or (fed) because Feed asked, and what then happens.
	// After WaitFeed it may be called a second time, with fed, and then answers something else.
	Last(fed bool) ([]byte, After)
	// Ended is called when nothing more will be written.
	Ended(err error)
	// Closed is called when the descriptor is closed.
	Closed()
}

// After is what happens once a stream's last bytes are in the socket.
type After uint8

const (
	// Close closes the connection.
	Close After = iota
	// WaitFeed feeds on until Feed says that the client has answered.
	WaitFeed
	// WaitEnd sends FIN, and takes what the client still has on its way until it closes: a socket that is closed with unread
	// bytes in it sends RST, and with that the last bytes may be lost.
	WaitEnd
)

// Brake holds a connection's bytes back, for experiments. The writer that owns the connection calls it.
type Brake interface {
	// Idle tells that nothing is asked of it.
	Idle(now time.Time) bool
	// Release tells how many of the held bytes may leave now. When none, again is when to ask the next time, and more
	// whether further bytes may be gathered meanwhile.
	Release(now time.Time, held int, ended bool) (n int, again time.Time, more bool)
}
