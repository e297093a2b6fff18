package handlers

import (
	"net"
	"sync"
)

// frameWriter is engine stream's last step on WebSocket: it gathers small pieces into one write. Its buffer is
// borrowed while there is something in it, so an idle connection holds none.
type frameWriter struct {
	nc  net.Conn
	buf *[]byte
}

var frameBuffers = sync.Pool{New: func() any {
	b := make([]byte, 0, 4<<10)
	return &b
}}

// Write takes frames, whole or in part.
func (w *frameWriter) Write(p []byte) (int, error) {
	if w.buf == nil {
		w.buf = frameBuffers.Get().(*[]byte)
	}
	if len(*w.buf)+len(p) > cap(*w.buf) {
		if err := w.send(); err != nil {
			return 0, err
		}
		if len(p) >= cap(*w.buf) {
			return w.nc.Write(p)
		}
	}
	*w.buf = append(*w.buf, p...)
	return len(p), nil
}

// Flush writes what was gathered into the socket.
func (w *frameWriter) Flush() error {
	if w.buf == nil {
		return nil
	}
	err := w.send()
	w.release()
	return err
}

func (w *frameWriter) send() error {
	if len(*w.buf) == 0 {
		return nil
	}
	_, err := w.nc.Write(*w.buf)
	*w.buf = (*w.buf)[:0]
	return err
}

func (w *frameWriter) release() {
	if w.buf != nil {
		*w.buf = (*w.buf)[:0]
		frameBuffers.Put(w.buf)
		w.buf = nil
	}
}
