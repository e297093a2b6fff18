package stream

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"io"

	"ticklane/internal/wire"
)

// offerCompression makes a client offer the compression of its lane, if the log compresses at all.
func offerCompression(l *Log, opt Options) Options {
	if l.cfg.Compress != CompressOff && opt.Compress == CompressNone {
		opt.Compress = CompressDeflate
		if opt.Format.Lane() == wire.SSE {
			opt.Compress = CompressGzip
		}
	}
	return opt
}

// inflater is what a client keeps to decompress its stream, by RFC 1952 (SSE) or RFC 7692 (WebSocket).
type inflater struct {
	partial []byte // SSE: bytes since the last complete block
	begun   bool   // SSE: the gzip header was read
	ended   bool   // the last block was read
	byRun   bool   // Run writes the stream, so that all bytes that were flushed are complete blocks
	all     []byte // SSE: the whole response
	window  []byte
	total   []byte // SSE: all text
	reader  io.ReadCloser
}

// inflate decompresses complete blocks, after what the window holds, or after nothing.
func (w *inflater) inflate(c *client, b []byte, emptyWindow bool) []byte {
	if emptyWindow {
		w.window = nil
	}
	src := bytes.NewReader(b)
	if w.reader == nil {
		w.reader = flate.NewReaderDict(src, w.window)
	} else if err := w.reader.(flate.Resetter).Reset(src, w.window); err != nil {
		c.t.Fatal(err)
	}
	text, err := io.ReadAll(w.reader)
	if err != nil && err != io.ErrUnexpectedEOF || w.ended {
		c.t.Fatalf("inflate: %v, after the last block: %v", err, w.ended)
	}
	w.ended = err == nil // only the last block is marked as such
	w.window = append(w.window, text...)
	w.window = append([]byte(nil), w.window[max(0, len(w.window)-32<<10):]...)
	return text
}

// inflateSSE returns the text of an SSE response's next bytes, as far as they are complete blocks. Bytes of other streams
// are returned as they are.
func (w *inflater) inflateSSE(c *client, b []byte) []byte {
	if c.format.Lane() != wire.SSE || c.Compression() == CompressNone {
		return b
	}
	w.all = append(w.all, b...)
	w.partial = append(w.partial, b...)
	if !w.byRun && !c.outbox.empty() {
		return nil
	}
	b, w.partial = w.partial, nil
	if !w.begun && len(b) > 0 {
		if len(b) < 10 {
			return nil // the connection was cut within the header
		}
		if !bytes.HasPrefix(b, wire.AppendGzipHeader(nil)) {
			c.t.Fatalf("it begins with %x", b[:min(len(b), 10)])
		}
		b, w.begun = b[10:], true
	}
	if len(b) == 0 {
		return nil
	}
	text := w.inflate(c, b, false)
	w.total = append(w.total, text...)
	if w.ended {
		w.checkGzip(c)
	}
	return text
}

// checkGzip decompresses the complete response as any gzip client does, including the trailer.
func (w *inflater) checkGzip(c *client) {
	r, err := gzip.NewReader(bytes.NewReader(w.all))
	if err != nil {
		c.t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(text, w.total) {
		c.t.Fatalf("as one gzip stream: %v, %d bytes of %d", err, len(text), len(w.total))
	}
}
