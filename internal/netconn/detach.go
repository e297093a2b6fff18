package netconn

import (
	"io"
	"net"
	"time"
)

// Detach transfers a hijacked connection from fasthttp to the caller. It returns the connection to use from then on, and
// the bytes that fasthttp had already read after the request. hijacked must not be used any more: after the
// hijack handler returns, fasthttp may reuse it for another connection. ok is false if the connection is closed; then
// onAbort of StartStream was called.
func (c *Conn) Detach(hijacked net.Conn) (nc net.Conn, received []byte, ok bool) {
	c.mu.Lock()
	ok = c.state != closed
	if ok {
		c.state, c.onAbort = detached, nil
	}
	c.mu.Unlock()
	if !ok {
		return nil, nil, false
	}
	// A deadline in the past: only what is buffered is read, nothing from the socket.
	hijacked.SetReadDeadline(time.Unix(1, 0))
	received, _ = io.ReadAll(hijacked)
	hijacked.SetReadDeadline(time.Time{})
	return hijacked.(interface{ UnsafeConn() net.Conn }).UnsafeConn(), received, true
}

// Duplicate returns a second descriptor of the socket, which Go's poller doesn't know. The caller closes it by
// CloseDescriptor or otherwise, and then calls release, which frees the connection's slot in the listener's limiter;
// Close no longer does. With an error, fd is -1; the error is net.ErrClosed if the connection is closed.
func (c *Conn) Duplicate() (fd int, release func(), err error) {
	fd, err = duplicate(c.Conn)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == closed {
		if err == nil {
			CloseDescriptor(fd)
		}
		return -1, nil, net.ErrClosed
	}
	if err != nil {
		return -1, nil, err
	}
	c.transferred = true
	return fd, c.release, nil
}

// Drain sends FIN and discards what the client still sends, until its FIN or the read deadline. A socket that is closed
// with unread bytes sends RST, which may destroy bytes that the client has not read yet.
func Drain(nc net.Conn) {
	_ = closeWrite(nc)
	for b := make([]byte, 512); ; {
		if _, err := nc.Read(b); err != nil {
			return
		}
	}
}
