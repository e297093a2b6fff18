package handlers

import (
	"io"
	"sync"
)

// bufferedWriter joins small writes into one. Unlike a bufio.Writer it holds a buffer only while there is something in
// it, so an idle connection holds none. The zero value with an out is ready; it is for one goroutine at a time.
type bufferedWriter struct {
	out io.Writer
	buf *[]byte // from the pool; nil when nothing is buffered
}

var writeBuffers = sync.Pool{New: func() any {
	b := make([]byte, 0, 4<<10)
	return &b
}}

// Write buffers p. What doesn't fit is written to out at once.
func (w *bufferedWriter) Write(p []byte) (int, error) {
	if w.buf == nil {
		w.buf = writeBuffers.Get().(*[]byte)
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

// Flush writes the buffered bytes to out.
func (w *bufferedWriter) Flush() error {
	if w.buf == nil {
		return nil
	}
	err := w.send()
	w.release()
	return err
}

func (w *bufferedWriter) send() error {
	if len(*w.buf) == 0 {
		return nil
	}
	_, err := w.out.Write(*w.buf)
	*w.buf = (*w.buf)[:0]
	return err
}

// release drops what is buffered and returns the buffer to the pool.
func (w *bufferedWriter) release() {
	if w.buf != nil {
		*w.buf = (*w.buf)[:0]
		writeBuffers.Put(w.buf)
		w.buf = nil
	}
}
