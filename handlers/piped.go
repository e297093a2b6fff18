package handlers

import (
	"bufio"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"github.com/valyala/fasthttp"

	"ticklane/internal/stream"
)

// piped is engine stream's answer: fasthttp's stream writer, its goroutine and its pipe, as SetBodyStreamWriter makes
// them. That reads the pipe into 4 KiB which each stream holds for ever, and sends a chunk of at most 4 KiB in two
// writes; here an idle stream holds some bytes, and what is in the pipe leaves in one write.
type piped struct {
	io.ReadCloser // the pipe's end
	nc            *conn
	given         atomic.Int64 // bytes that the stream's goroutine has written; all of them come through the pipe
	taken         int64
}

func newPiped(nc *conn, run func(stream.Writer)) *piped {
	p := &piped{nc: nc}
	p.ReadCloser = fasthttp.NewStreamReader(func(w *bufio.Writer) { run(&pipeWriter{Writer: w, given: &p.given}) })
	return p
}

// pipeWriter is the stream's end.
type pipeWriter struct {
	*bufio.Writer
	given *atomic.Int64
}

func (w *pipeWriter) Write(b []byte) (int, error) {
	w.given.Add(int64(len(b))) // before they can be taken
	return w.Writer.Write(b)
}

// SupportsBodyWriteTo makes fasthttp call WriteTo (fasthttp.BodyWriterTo).
func (p *piped) SupportsBodyWriteTo() bool { return true }

// WriteTo passes the stream on to its end.
func (p *piped) WriteTo(w io.Writer) (int64, error) {
	var first [32]byte
	for {
		n, err := p.Read(first[:])
		if n > 0 {
			if err := p.pass(w, first[:n]); err != nil {
				return p.taken, err
			}
		}
		if err == io.EOF {
			return p.taken, nil
		}
		if err != nil {
			return p.taken, err
		}
	}
}

// pass takes what is on its way, the first bytes of it taken already, and writes it at once.
func (p *piped) pass(w io.Writer, first []byte) error {
	buf := pipeBuffers.Get().(*[]byte)
	defer pipeBuffers.Put(buf)
	p.nc.hold()
	err := p.relay(w, *buf, first)
	return errors.Join(err, p.nc.release())
}

func (p *piped) relay(w io.Writer, b, first []byte) error {
	n := copy(b, first)
	p.taken += int64(n)
	var err error
	for {
		// Reading waits only for bytes that are sure to come.
		for n < len(b) && err == nil && p.taken < p.given.Load() {
			var more int
			more, err = p.Read(b[n:])
			n += more
			p.taken += int64(more)
		}
		if _, err := w.Write(b[:n]); err != nil {
			return err
		}
		if n < len(b) {
			return nil
		}
		n = 0
	}
}

var pipeBuffers = sync.Pool{New: func() any {
	b := make([]byte, 4<<10)
	return &b
}}
