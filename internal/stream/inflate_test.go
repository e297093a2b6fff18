package stream

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"io"

	"ticklane/internal/wire"
)

// compressed in a test's name makes its logs compress for all of its clients.
const compressed = "compressed"

// offering makes a client offer what its format can carry.
func offering(l *Log, opt Options) Options {
	if l.cfg.Compress != CompressOff && opt.Compress == CompressNone {
		opt.Compress = CompressDeflate
		if opt.Format.Lane() == wire.SSE {
			opt.Compress = CompressGzip
		}
	}
	return opt
}

// window is what a client keeps to inflate what it gets, as RFC 1952 or RFC 7692 has it.
type window struct {
	head   []byte // SSE: what came since the last whole piece
	begun  bool
	ended  bool
	ran    bool   // its stream runs in a goroutine of its own: what was flushed is whole
	all    []byte // SSE: the whole answer
	text   []byte // what the window holds
	total  []byte // SSE: all text
	reader io.ReadCloser
}

// packs tells whether frames may have these reserved bits.
func (w *window) packs(rsv byte) bool { return rsv == 4 }

// inflate reads one or more pieces after what the window holds, as far as they go.
func (w *window) inflate(c *client, b []byte, apart bool) []byte {
	c.t.Helper()
	if apart {
		w.text = nil
	}
	src := bytes.NewReader(b)
	if w.reader == nil {
		w.reader = flate.NewReaderDict(src, w.text)
	} else if err := w.reader.(flate.Resetter).Reset(src, w.text); err != nil {
		c.t.Fatal(err)
	}
	text, err := io.ReadAll(w.reader)
	if err != nil && err != io.ErrUnexpectedEOF || w.ended {
		c.t.Fatalf("inflate: %v, after the end: %v", err, w.ended)
	}
	w.ended = err == nil // only the last piece says so
	w.text = append(w.text, text...)
	w.text = append([]byte(nil), w.text[max(0, len(w.text)-32<<10):]...)
	return text
}

// events returns the text of an SSE answer's next bytes, as far as whole pieces have come; other bytes as they are.
func (w *window) events(c *client, b []byte) []byte {
	c.t.Helper()
	if c.kind.Lane() != wire.SSE || c.Compression() == CompressNone {
		return b
	}
	w.all = append(w.all, b...)
	w.head = append(w.head, b...)
	if !c.ran && (!c.outbox.empty()) {
		return nil
	}
	b, w.head = w.head, nil
	if !w.begun && len(b) > 0 {
		if len(b) < 10 {
			return nil // cut
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
		w.whole(c)
	}
	return text
}

// whole checks a finished answer as any client would that knows gzip.
func (w *window) whole(c *client) {
	c.t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(w.all))
	if err != nil {
		c.t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(text, w.total) {
		c.t.Fatalf("as one gzip stream: %v, %d bytes of %d", err, len(text), len(w.total))
	}
}
