package shard

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// Events of a connection that its writer has not handled yet, as bits.
const (
	eventReadable uint32 = 1 << iota
	eventWritable
	eventClose // close it
	eventReset // close it with RST
)

// conn is one connection. Once ready is set, only its writer uses it, except for events and post.
type conn struct {
	pool     *Pool
	writer   *writer
	sub      *stream.Subscriber
	protocol Protocol
	throttle Throttle // nil for none
	meter    *stream.Meter
	fd       int
	slot     int32
	lane     wire.Lane

	state       connState
	closeAction CloseAction
	chunked     bool // each write of the stream is framed as a chunk
	inputEnded  bool // HandleInput has returned false
	eof         bool // the client has sent FIN
	ended       bool // Protocol.OnEnd was called

	events atomic.Uint32
	ready  atomic.Bool // Add is done

	responseHead []byte        // to be written before the stream's first bytes
	received     []byte        // Handoff.Received
	pending      *pendingWrite // what the socket didn't accept; nothing else is written before it
	held         []byte        // framed bytes that the throttle delays
	releaseAt    time.Duration // when to call Throttle.Release again

	closeBy time.Duration // when the time to wait for the client is over; 0 until the last bytes are written
	timer
}

// connState is where a connection is in its life. All times are bounded: by Options.WriteTimeout while bytes are pending,
// by Options.CloseWait in the waiting states.
//
//	new        first pass of the writer               → streaming
//	streaming  stream ended, or input ended           → final
//	final      last bytes written, by CloseAction:    → closed, waitInput or waitEOF
//	waitInput  input ended                            → final
//	waitInput  CloseWait over                         → closed
//	waitEOF    FIN received, or CloseWait over        → closed
//	any        error, panic, eventClose, eventReset   → closed
type connState uint8

const (
	stateNew       connState = iota
	stateStreaming           // the stream's bytes are written
	stateFinal               // the last bytes are being written
	stateWaitInput           // HandleInput gets what the client answers
	stateWaitEOF             // FIN was sent, and input is discarded
	stateClosed
)

// post records events and makes the writer handle them. Any goroutine may call it.
func (c *conn) post(events uint32) {
	c.events.Or(events)
	if c.ready.Load() {
		c.sub.Notify()
	}
}

// close closes the descriptor, and nothing else does. It closes before it calls the protocol, so that a panic there can't
// leak the descriptor. Calls after the first do nothing.
func (c *conn) close(err error, reset bool) {
	if c.state == stateClosed {
		return
	}
	c.state = stateClosed
	c.writer.timers.remove(c)
	// The caller of Add may still hold a duplicate of the descriptor, which would keep it in the epoll set.
	_ = unix.EpollCtl(c.pool.poller.fd, unix.EPOLL_CTL_DEL, c.fd, nil)
	if reset {
		_ = unix.SetsockoptLinger(c.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	}
	unix.Close(c.fd)
	c.pool.unregister(c) // last: Pool.Close waits for it, and then closes the poller
	c.pending, c.held, c.responseHead, c.received = nil, nil, nil, nil
	defer c.protocol.OnClose()
	c.end(err)
}

// closeAfterFIN closes an orderly ended connection. FIN goes first, so that input that arrives in the meantime can't make
// the kernel discard the last bytes.
func (c *conn) closeAfterFIN() {
	c.sendFIN()
	c.close(nil, false)
}

func (c *conn) sendFIN() { _ = unix.Shutdown(c.fd, unix.SHUT_WR) }

// end calls Protocol.OnEnd once.
func (c *conn) end(err error) {
	if !c.ended {
		c.ended = true
		c.protocol.OnEnd(err)
	}
}
