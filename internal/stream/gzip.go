package stream

import "ticklane/internal/wire"

// markHello notes that the first n bytes of the messages to compress next are the hello. It isn't compressed: beside the
// client's own topics, its secret conn id would otherwise show in the length (as in the attack BREACH).
func (c *compressor) markHello(n int) { c.gzip.helloBytes = n }

// compressMessages returns framed messages as the client gets them. In a gzip stream all bytes are part of the client's
// window; on WebSocket messages other than ticks aren't compressed. last ends the gzip stream. counted reports whether b is
// to be counted as compressed.
func (c *compressor) compressMessages(messages []byte, last bool) (b []byte, counted bool) {
	if c.kind != CompressGzip || len(messages) == 0 {
		return messages, false
	}
	c.inSync = false
	c.addToTrailer(messages)
	g := &c.gzip
	b = make([]byte, 0, len(messages)/2+64)
	if !g.begun {
		b = wire.AppendGzipHeader(b)
		g.begun = true
	}
	if g.helloBytes > 0 {
		b = wire.AppendStored(b, messages[:g.helloBytes])
	}
	if rest := messages[g.helloBytes:]; len(rest) > 0 {
		b = c.cursor.log.appendIndependent(b, rest, c.cursor.format, false)
	}
	g.helloBytes = 0
	if last {
		b = wire.AppendGzipEnd(b, g.crc, g.size)
	}
	return b, true
}
