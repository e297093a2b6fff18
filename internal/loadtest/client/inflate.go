package client

import (
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
)

// inflater decompresses a stream that arrives in pieces of any size, and returns text as soon as its bytes are there.
// The standard library's decoders pull their input, so the decoder runs as a coroutine that pauses where a piece ends.
// All calls must come from one goroutine, or from several of which none is locked to its thread (see iter.Pull).
type inflater struct {
	src  source
	next func() ([]byte, bool)
	stop func() // releases the coroutine; must be called when the stream is over
	over bool
	err  error // valid once over
}

var (
	errCompressed      = errors.New("the compressed stream is invalid")
	errInflaterStopped = errors.New("stopped")
)

func newInflater(open func(io.Reader) (io.Reader, error)) *inflater {
	f := &inflater{}
	f.next, f.stop = iter.Pull(func(yield func([]byte) bool) {
		f.src.more = func() bool { return yield(nil) }
		f.err = decompress(&f.src, open, yield)
	})
	return f
}

// newGunzip decompresses one gzip member (RFC 1952).
func newGunzip() *inflater {
	return newInflater(func(r io.Reader) (io.Reader, error) {
		z, err := gzip.NewReader(r)
		if err == nil {
			z.Multistream(false)
		}
		return z, err
	})
}

// newInflate decompresses raw deflate (RFC 1951).
func newInflate() *inflater {
	return newInflater(func(r io.Reader) (io.Reader, error) { return flate.NewReader(r), nil })
}

// decompress is the coroutine. It returns at the end of the compressed stream, or when the inflater is stopped.
func decompress(src *source, open func(io.Reader) (io.Reader, error), yield func([]byte) bool) error {
	r, err := open(src)
	if err != nil {
		return err
	}
	text := make([]byte, 1024)
	for {
		n, err := r.Read(text)
		if n > 0 && !yield(text[:n]) {
			return errInflaterStopped
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// feed decompresses the next piece and passes its text on, in parts that are valid until text returns. It keeps nothing
// of b.
func (f *inflater) feed(b []byte, text func([]byte) error) error {
	if len(b) == 0 {
		return nil
	}
	if f.over {
		return fmt.Errorf("%w: %d bytes after its end", errCompressed, len(b))
	}
	f.src.b = b
	for {
		part, ok := f.next()
		switch {
		case !ok:
			f.over = true
			if f.err != nil {
				return fmt.Errorf("%w: %w", errCompressed, f.err)
			}
			if len(f.src.b) > 0 {
				return fmt.Errorf("%w: %d bytes after its end", errCompressed, len(f.src.b))
			}
			return nil
		case part == nil:
			return nil // all of b is consumed
		}
		if err := text(part); err != nil {
			return err
		}
	}
}

// source is what a decoder reads from. It implements io.ByteReader, so that the decoder reads no byte too many.
type source struct {
	b    []byte
	more func() bool // pauses until the next piece; false if there is none
}

func (s *source) fill() error {
	for len(s.b) == 0 {
		if !s.more() {
			return errInflaterStopped
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
