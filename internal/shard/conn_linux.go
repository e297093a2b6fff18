package shard

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// What a connection's writer is told of it.
const (
	readable uint32 = 1 << iota
	writable
	orderClose
	orderReset
)

// conn is one connection. All of it belongs to its writer, once ready is set; but told is anybody's.
type conn struct {
	pool   *Pool
	writer *writer
	sub    *stream.Subscriber
	peer   Protocol
	brake  Throttle // nil for none
	meter  *stream.Meter
	fd     int
	slot   int32
	lane   wire.Lane
	state  state
	after  CloseAction
	// chunked: the stream's writes are framed as chunks.
	chunked bool
	fed     bool // HandleInput asked for the end
	eof     bool // the client's FIN came
	ended   bool // Protocol.OnEnd was called

	told  atomic.Uint32
	ready atomic.Bool

	head  []byte
	early []byte
	tail  *tail  // what the socket didn't take; nothing else is written before
	held  []byte // framed bytes that the brake holds back
	again time.Duration

	linger time.Duration // when the client's time to answer is over; 0 before it began
	due    time.Duration // when to look at it again
	key    time.Duration // what it stands under in the writer's heap: due, or a time before
	place  int           // there; -1 for nowhere
}

type state uint8

const (
	fresh     state = iota
	streaming       // what the log has goes to the client
	leaving         // the last bytes are on their way
	lingering       // they are out, and the client may answer
	draining        // FIN is sent
	closed
)

// tell notes what happened to a connection and has its writer look.
func (c *conn) tell(what uint32) {
	c.told.Or(what)
	if c.ready.Load() {
		c.sub.Notify()
	}
}

// close is the only place where a descriptor is closed. Whatever the callbacks do, it happens once, and first.
func (c *conn) close(err error, reset bool) {
	if c.state == closed {
		return
	}
	c.state = closed
	c.writer.dues.remove(c)
	// The connection's first descriptor may be open for a moment yet, and would keep it in the set.
	unix.EpollCtl(c.pool.poller.fd, unix.EPOLL_CTL_DEL, c.fd, nil)
	if reset {
		unix.SetsockoptLinger(c.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	}
	unix.Close(c.fd)
	c.pool.leave(c) // last: a pool that waits for it closes its poller next
	c.tail, c.held, c.head, c.early = nil, nil, nil, nil
	defer c.peer.OnClose()
	c.end(err)
}

func (c *conn) end(err error) {
	if !c.ended {
		c.ended = true
		c.peer.OnEnd(err)
	}
}
