package shard

import "time"

// sliceBytes is the most that one connection writes before the others are served: a client that resumes with half of the
// log to catch up must not delay them.
const sliceBytes = 128 << 10

// stream writes what the log has for the subscriber.
func (w *writer) stream(c *conn, now time.Time, head uint64) {
	for sent := 0; sent < sliceBytes; {
		b := c.sub.Next(now)
		if len(b) == 0 {
			if c.sub.Ended() {
				w.writeFinal(c)
			}
			return
		}
		sent += len(b)
		if sent > maxJoined {
			w.reused = clockReuse // writing so much takes a while
		}
		if !w.send(c, b) || c.sub.CaughtUp(head) {
			return
		}
	}
	c.sub.Notify()
}

// streamThrottled gathers the stream's bytes, and writes those that the throttle releases.
func (w *writer) streamThrottled(c *conn, now time.Time) {
	c.releaseAt = 0
	for {
		if len(c.held) > 0 {
			// Not now: ticks that have come since then are delayed from this moment.
			n, again, more := c.throttle.Release(time.Now(), len(c.held), c.sub.Ended())
			if n > 0 {
				b := c.held[:n:n]
				if c.held = c.held[n:]; len(c.held) == 0 {
					c.held = nil
				}
				if !w.write(c, [3][]byte{nil, b}, nil) {
					return
				}
				continue
			}
			if c.releaseAt = again.Sub(processStart); !more {
				return
			}
		}
		b := c.sub.Next(now)
		if len(b) == 0 {
			if len(c.held) == 0 && c.sub.Ended() {
				w.writeFinal(c)
			}
			return
		}
		c.held = append(c.appendFrameHead(c.held, len(b)), b...)
		if c.chunked {
			c.held = append(c.held, crlf...)
		}
	}
}

// writeFinal writes the last bytes of the protocol.
func (w *writer) writeFinal(c *conn) {
	b, action := c.protocol.Final(c.inputEnded)
	c.closeAction, c.held, c.releaseAt = action, nil, 0
	c.state = stateFinal
	if len(c.responseHead) > 0 {
		b = append(c.responseHead, b...)
		c.responseHead = nil
	}
	if len(b) == 0 || w.write(c, [3][]byte{nil, b}, b) {
		w.finish(c)
	}
}

// finish is called when the last bytes are in the socket.
func (w *writer) finish(c *conn) {
	if c.closeBy == 0 {
		c.closeBy = sinceStart() + w.pool.opt.CloseWait
	}
	switch {
	case c.closeAction == CloseNow || c.eof:
		c.closeAfterFIN()
	case c.closeAction == WaitInput && c.inputEnded: // the client answered before it got all of the last bytes
		w.writeFinal(c)
	case c.closeAction == WaitInput:
		c.state = stateWaitInput
	default:
		c.state = stateWaitEOF
		c.sendFIN()
		c.end(nil)
		c.post(eventReadable) // for input that an earlier event announced and that wasn't read
	}
}
