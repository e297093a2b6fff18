package fault

import (
	"slices"
	"time"

	"ticklane/internal/stream"
)

// Writer returns a writer that injects faults into a stream of engine stream, and a function to call when the stream has
// ended. reset resets the stream's connection. delay is added before each flush; 0 for none.
func (i *Injector) Writer(sub *stream.Subscriber, out stream.Writer, reset func(), delay time.Duration) (w stream.Writer, done func()) {
	if i == nil {
		return out, func() {}
	}
	f, done := i.register(sub, reset, delay)
	return &faultWriter{faults: f, out: out}, done
}

// faultWriter is a stream.Writer for the stream's goroutine, which it blocks as long as a fault lasts.
type faultWriter struct {
	*faults
	out    stream.Writer
	held   []byte // written, but held back until Flush
	unsent bool   // bytes were passed to out since its last Flush
}

// Write passes the bytes on, or holds them back while a fault is in effect.
func (w *faultWriter) Write(p []byte) (int, error) {
	if len(w.held) == 0 && w.idle() {
		w.unsent = true
		return w.out.Write(p)
	}
	if w.unsent { // keeps the order
		w.unsent = false
		if err := w.out.Flush(); err != nil {
			return 0, err
		}
	}
	w.held = append(w.held, p...)
	return len(p), nil
}

// Flush sends what was held back, as the faults allow.
func (w *faultWriter) Flush() error {
	if w.unsent {
		w.unsent = false
		if err := w.out.Flush(); err != nil {
			return err
		}
	}
	if len(w.held) == 0 {
		return nil
	}
	w.wait(time.Now().Add(w.delay).UnixNano())
	w.wait(w.stall.Load())
	if time.Now().UnixNano() < w.buffer.Load() && len(w.held) < bufferSize && !w.sub.Ended() {
		return nil
	}
	for piece := range slices.Chunk(w.held, slowPiece) {
		if time.Now().UnixNano() < w.slow.Load() {
			w.wait(time.Now().Add(slowPause).UnixNano())
		} else {
			piece = w.held // the rest at once
		}
		w.held = w.held[len(piece):]
		if err := w.send(piece); err != nil {
			return err
		}
		if len(w.held) == 0 {
			break
		}
	}
	return nil
}

func (w *faultWriter) send(p []byte) error {
	if _, err := w.out.Write(p); err != nil {
		return err
	}
	return w.out.Flush()
}

// wait returns at a time in ns since 1970, or when the connection is reset.
func (w *faultWriter) wait(until int64) {
	d := time.Until(time.Unix(0, until))
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-w.cut:
	}
}
