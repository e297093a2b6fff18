package handlers

import (
	"io"
	"sync"

	"ticklane/internal/stream"
)

// gatherer makes small pieces into one write, the last step of a stream that has no buffered writer already. Its
// buffer is borrowed while there is something in it, so an idle connection holds none.
type gatherer struct {
	out io.Writer
	buf *[]byte
}

// body is engine body's answer: fasthttp hands it the connection's own chunked writer, so there is neither pipe
// nor a goroutine besides the connection's.
type body struct {
	run   func(stream.Writer)
	nc    *conn
	begun bool
}

// SupportsBodyWriteTo makes fasthttp call WriteTo (fasthttp.BodyWriterTo).
func (*body) SupportsBodyWriteTo() bool { return true }

// WriteTo runs the stream to its end. An error of w is fasthttp's to see: it asks w itself.
func (b *body) WriteTo(w io.Writer) (int64, error) {
	b.begun = true
	g := &gatherer{out: &oneWrite{w: w, nc: b.nc}}
	defer g.release()
	b.run(g)
	return 0, nil
}

// Close is fasthttp's, whether or not it came to WriteTo. When it didn't, the stream ends here, and gives its place back.
func (b *body) Close() error {
	if !b.begun {
		b.run(nowhere{})
	}
	return nil
}

// nowhere is the writer of an answer whose head couldn't be written.
type nowhere struct{}

func (nowhere) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
func (nowhere) Flush() error              { return io.ErrClosedPipe }

// oneWrite makes one write of a chunk, its header and its end, which are more than fasthttp's buffer holds.
type oneWrite struct {
	w  io.Writer
	nc *conn
}

func (o *oneWrite) Write(p []byte) (int, error) {
	o.nc.hold()
	n, err := o.w.Write(p)
	if held := o.nc.release(); err == nil {
		err = held
	}
	return n, err
}

// Read is never called.
func (*body) Read([]byte) (int, error) { return 0, io.EOF }

var gatherBuffers = sync.Pool{New: func() any {
	b := make([]byte, 0, 4<<10)
	return &b
}}

// Write takes the next bytes.
func (w *gatherer) Write(p []byte) (int, error) {
	if w.buf == nil {
		w.buf = gatherBuffers.Get().(*[]byte)
	}
	if len(*w.buf)+len(p) > cap(*w.buf) {
		if err := w.send(); err != nil {
			return 0, err
		}
		if len(p) >= cap(*w.buf) {
			return w.out.Write(p)
		}
	}
	*w.buf = append(*w.buf, p...)
	return len(p), nil
}

// Flush writes what was gathered on.
func (w *gatherer) Flush() error {
	if w.buf == nil {
		return nil
	}
	err := w.send()
	w.release()
	return err
}

func (w *gatherer) send() error {
	if len(*w.buf) == 0 {
		return nil
	}
	_, err := w.out.Write(*w.buf)
	*w.buf = (*w.buf)[:0]
	return err
}

func (w *gatherer) release() {
	if w.buf != nil {
		*w.buf = (*w.buf)[:0]
		gatherBuffers.Put(w.buf)
		w.buf = nil
	}
}
