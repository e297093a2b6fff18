package storm

import (
	"bytes"
	"errors"
	"hash/maphash"
	"io"

	"github.com/klauspost/compress/flate"
)

const (
	windowSize = 32 << 10 // how far a deflate block may refer back (RFC 1951 §2)
	maxCached  = 128 << 20
	maxText    = 64 << 20 // of one block
)

// flushMark ends every flushed deflate block: an empty stored block (RFC 7692 §7.2.1).
var flushMark = []byte{0, 0, 0xff, 0xff}

var (
	errDeflate = errors.New("the compressed stream is invalid")
	errTooLong = errors.New("a compressed block exceeds 64 MiB")
)

// block is the text of one flushed deflate block. It is immutable and shared by all clients that received the same bytes.
type block struct {
	text     []byte
	after    *history
	messages []message // of the text
	parsed   bool      // messages is set
}

// history is the newest text of a stream, to which the next block may refer. It is immutable.
type history struct {
	text   []byte // at most windowSize
	shared bool   // other clients may have the same history
}

func (h *history) full() bool { return len(h.text) >= windowSize }

// inflater decompresses the streams of all clients, each distinct block once. It is not safe for concurrent use.
type inflater struct {
	seed   maphash.Seed
	cache  map[blockKey]*block // nil: a block that refers to text before its history
	cached int                 // bytes
	source bytes.Reader
	reader io.ReadCloser
}

type blockKey struct {
	before *history // nil: nothing
	sum    uint64
	size   int
}

func newInflater() *inflater {
	return &inflater{seed: maphash.MakeSeed(), cache: map[blockKey]*block{}, reader: flate.NewReader(bytes.NewReader(nil))}
}

// stream is the state of one client's compressed stream. The zero value is its start.
type stream struct {
	newest *history
	own    []byte // text before newest, while newest is shorter than a window
}

// largeBlock is the compressed size from which a block is probably a snapshot, which refers to nothing before it.
const largeBlock = 1 << 10

// next decompresses the next block of a stream. packed ends with flushMark.
func (f *inflater) next(s *stream, packed []byte) (*block, error) {
	sum := maphash.Bytes(f.seed, packed)
	shared := s.newest != nil && s.newest.shared
	if !shared || len(packed) >= largeBlock {
		// A block that refers to nothing before it has the same text for all clients, whatever each received before.
		b, err := f.block(blockKey{nil, sum, len(packed)}, packed)
		if err != nil {
			return nil, err
		}
		if b != nil && (!shared || b.after.full()) {
			s.own = s.tail()
			s.advance(b.after)
			return b, nil
		}
	}
	if shared {
		b, err := f.block(blockKey{s.newest, sum, len(packed)}, packed)
		if err != nil {
			return nil, err
		}
		if b != nil {
			s.advance(b.after)
			return b, nil
		}
	}
	before := s.tail()
	text, err := f.inflate(packed, before)
	if err != nil {
		return nil, err
	}
	s.newest, s.own = &history{text: tail(before, text)}, nil
	return &block{text: text, after: s.newest}, nil
}

func (s *stream) advance(h *history) {
	if s.newest = h; h.full() {
		s.own = nil
	}
}

// tail returns the newest text of the stream, at most a window.
func (s *stream) tail() []byte {
	if s.newest == nil {
		return nil
	}
	return tail(s.own, s.newest.text)
}

// tail returns the last bytes of a and b together, at most a window.
func tail(a, b []byte) []byte {
	if len(b) >= windowSize {
		return bytes.Clone(b[len(b)-windowSize:])
	}
	keep := min(len(a), windowSize-len(b))
	return append(append(make([]byte, 0, keep+len(b)), a[len(a)-keep:]...), b...)
}

// ownText is part of texts that only one client receives.
var ownText = []byte(`"conn":`)

// block returns a cached block, or decompresses and caches it. It is nil if the block refers to earlier text than the
// key's history.
func (f *inflater) block(k blockKey, packed []byte) (*block, error) {
	if b, ok := f.cache[k]; ok {
		return b, nil
	}
	var before []byte
	if k.before != nil {
		before = k.before.text
	}
	text, err := f.inflate(packed, before)
	if errors.Is(err, errTooLong) {
		return nil, err
	}
	var b *block
	if err == nil {
		b = &block{text: text, after: &history{text: tail(before, text), shared: !bytes.Contains(text, ownText)}}
		if !b.after.shared {
			return b, nil // it isn't shared
		}
	}
	if f.cached > maxCached {
		clear(f.cache)
		f.cached = 0
	}
	f.cache[k] = b
	f.cached += len(text) + windowSize
	return b, nil
}

// inflate decompresses one flushed block. before is the text that precedes it.
func (f *inflater) inflate(packed, before []byte) ([]byte, error) {
	f.source.Reset(packed)
	if err := f.reader.(flate.Resetter).Reset(&f.source, before); err != nil {
		return nil, err
	}
	var text bytes.Buffer
	_, err := text.ReadFrom(io.LimitReader(f.reader, maxText+1))
	switch {
	case text.Len() > maxText:
		return nil, errTooLong
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF), f.source.Len() > 0: // a flushed block isn't the stream's last
		return nil, errDeflate
	}
	return text.Bytes(), nil
}
