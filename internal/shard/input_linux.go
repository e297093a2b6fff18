package shard

import "golang.org/x/sys/unix"

const (
	readSize = 16 << 10
	// sliceReads is the most reads of a connection before the others are served.
	sliceReads = 4
)

func (w *writer) open(c *conn) {
	c.protocol.OnOpen()
	c.state = stateStreaming
	if b := c.received; b != nil {
		c.received = nil
		c.inputEnded = !c.protocol.HandleInput(b)
	}
}

// handleEvents closes the connection if that was requested, otherwise reads what the client sent. Once HandleInput has
// returned false, or FIN was sent, input is discarded.
func (w *writer) handleEvents(c *conn, events uint32) {
	switch {
	case events&(eventClose|eventReset) != 0:
		c.close(nil, events&eventReset != 0)
		return
	case events&eventReadable == 0 || c.eof:
		return
	}
	for range sliceReads {
		n, errno := read(c.fd, w.input)
		switch {
		case errno == unix.EAGAIN:
			return
		case errno != 0:
			c.fail(errno)
			return
		case n == 0 && c.inputEnded && c.state <= stateFinal:
			c.eof = true // the client ended the stream in order, so it gets the last bytes
			return
		case n == 0:
			c.close(nil, false)
			return
		case !c.inputEnded && c.state != stateWaitEOF:
			c.inputEnded = !c.protocol.HandleInput(w.input[:n])
		}
	}
	c.post(eventReadable) // there may be more, and the kernel sends no other event for it
}
