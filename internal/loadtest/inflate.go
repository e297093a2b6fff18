package loadtest

import (
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
)

// inflater undoes a compressed stream that comes in pieces of any size, and gives its text as soon as it is there. The
// decoders of the standard library pull, so one runs as a coroutine that pauses where a piece ends: whatever refers to
// earlier text finds it, and nothing is decoded twice. stop must be called when the stream is over.
type inflater struct {
	src  source
	next func() ([]byte, bool)
	stop func()
	over bool
	err  error // valid once over
}

// errPacked is compressed data that can't be read, or that goes on after its end.
var errPacked = errors.New("the compressed stream is broken")

func newInflater(open func(io.Reader) (io.Reader, error)) *inflater {
	f := &inflater{}
	f.next, f.stop = iter.Pull(func(yield func([]byte) bool) {
		f.src.more = func() bool { return yield(nil) }
		f.err = inflate(&f.src, open, yield)
	})
	return f
}

func newGunzip() *inflater {
	return newInflater(func(r io.Reader) (io.Reader, error) {
		z, err := gzip.NewReader(r)
		if err == nil {
			z.Multistream(false)
		}
		return z, err
	})
}

func newInflate() *inflater {
	return newInflater(func(r io.Reader) (io.Reader, error) { return flate.NewReader(r), nil })
}

// inflate is the coroutine. It ends at the end of the compressed stream, and when nobody listens any more.
func inflate(src *source, open func(io.Reader) (io.Reader, error), yield func([]byte) bool) error {
	r, err := open(src)
	if err != nil {
		return err
	}
	text := make([]byte, 1024)
	for {
		n, err := r.Read(text)
		if n > 0 && !yield(text[:n]) {
			return errStopped
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// feed takes the next piece, and calls text with what it brought. Nothing of b is kept after it returns; what text gets
// holds until it returns.
func (f *inflater) feed(b []byte, text func([]byte) error) error {
	if len(b) == 0 {
		return nil
	}
	if f.over {
		return fmt.Errorf("%w: %d bytes after its end", errPacked, len(b))
	}
	f.src.b = b
	for {
		got, ok := f.next()
		switch {
		case !ok:
			f.over = true
			if f.err != nil {
				return fmt.Errorf("%w: %w", errPacked, f.err)
			}
			if len(f.src.b) > 0 {
				return fmt.Errorf("%w: %d bytes after its end", errPacked, len(f.src.b))
			}
			return nil
		case got == nil:
			return nil // all of b is read
		}
		if err := text(got); err != nil {
			return err
		}
	}
}

// source is what a decoder reads from. It has ReadByte, so that the decoder takes no byte too many.
type source struct {
	b    []byte
	more func() bool // waits for the next piece; false when there won't be one
}

func (s *source) fill() error {
	for len(s.b) == 0 {
		if !s.more() {
			return errStopped
		}
	}
	return nil
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.fill(); err != nil {
		return 0, err
	}
	n := copy(p, s.b)
	s.b = s.b[n:]
	return n, nil
}

func (s *source) ReadByte() (byte, error) {
	if err := s.fill(); err != nil {
		return 0, err
	}
	b := s.b[0]
	s.b = s.b[1:]
	return b, nil
}
