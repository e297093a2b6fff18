package handlers

import (
	"bufio"
	"errors"
	"io"
	"sync"

	"github.com/valyala/fasthttp"

	"ticklane/internal/stream"
)

// piped is engine stream's answer: fasthttp's stream writer, its goroutine, its buffer and its pipe, as
// SetBodyStreamWriter makes them. That has the connection's goroutine read the pipe: it is woken for each flush, holds
// 4 KiB for ever, and sends a chunk in two writes. Here the stream's goroutine takes what it has put into the pipe out
// again and writes it at once; the connection's only waits for the end.
type piped struct {
	io.ReadCloser // the pipe's end
	nc            *conn
	out           io.Writer // fasthttp's, nil before WriteTo
	err           error     // of the first failed write
	taken         int64

	begin sync.Once
	begun chan struct{} // the answer's head is on its way, or never will be
	over  chan struct{} // the stream's goroutine writes no more
}

func newPiped(nc *conn, run func(stream.Writer)) *piped {
	p := &piped{nc: nc, begun: make(chan struct{}), over: make(chan struct{})}
	p.ReadCloser = fasthttp.NewStreamReader(func(w *bufio.Writer) {
		defer close(p.over)
		<-p.begun // it starts before fasthttp has written the head
		run(&pipeWriter{Writer: w, pipe: p})
	})
	return p
}

// SupportsBodyWriteTo makes fasthttp call WriteTo (fasthttp.BodyWriterTo).
func (p *piped) SupportsBodyWriteTo() bool { return true }

// WriteTo lets the stream write to w, and returns when it has ended.
func (p *piped) WriteTo(w io.Writer) (int64, error) {
	p.out = w
	p.start()
	<-p.over
	return p.taken, p.err
}

// Close is fasthttp's, whether or not it came to WriteTo.
func (p *piped) Close() error {
	p.start()
	return p.ReadCloser.Close()
}

func (p *piped) start() { p.begin.Do(func() { close(p.begun) }) }

// pass writes the n bytes that are in the pipe, as one chunk for each buffer full of them and at once.
func (p *piped) pass(n int) error {
	switch {
	case p.err != nil || n == 0:
		return p.err
	case p.out == nil:
		return io.ErrClosedPipe
	}
	buf := pipeBuffers.Get().(*[]byte)
	defer pipeBuffers.Put(buf)
	p.nc.hold()
	p.err = errors.Join(p.relay(*buf, n), p.nc.release())
	return p.err
}

func (p *piped) relay(b []byte, n int) error {
	for n > 0 {
		k, err := p.Read(b) // more than there is: the pipe keeps its last piece until it is asked for the next
		if err != nil {
			return err
		}
		n -= k
		p.taken += int64(k)
		if _, err := p.out.Write(b[:k]); err != nil {
			return err
		}
	}
	return nil
}

// pipeWriter is the stream's end. The pipe has room for four pieces; a write of at most maxRead makes three.
type pipeWriter struct {
	*bufio.Writer
	pipe   *piped
	inside int // the pipe
}

// Write passes on what the buffer didn't keep.
func (w *pipeWriter) Write(b []byte) (int, error) {
	w.inside += w.Buffered() + len(b)
	n, err := w.Writer.Write(b)
	w.inside -= w.Buffered()
	if err != nil {
		return n, err
	}
	return n, w.pass()
}

// Flush passes on all that was written.
func (w *pipeWriter) Flush() error {
	w.inside += w.Buffered()
	if err := w.Writer.Flush(); err != nil {
		return err
	}
	return w.pass()
}

func (w *pipeWriter) pass() error {
	n := w.inside
	w.inside = 0
	return w.pipe.pass(n)
}

var pipeBuffers = sync.Pool{New: func() any {
	b := make([]byte, 4<<10)
	return &b
}}
