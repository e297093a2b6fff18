package generator

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
)

const window = 32 << 10

var (
	errGzip = errors.New("bad gzip header")
	// What a sync flush ends with. permessage-deflate leaves it out.
	flushed = []byte{0, 0, 0xff, 0xff}
	// An empty final block, with which flate ends without an error.
	final = []byte{1, 0, 0, 0xff, 0xff}
)

// inflater inflates one connection's deflate stream piece by piece. Each piece ends in a sync flush, so it is read to its
// end with the window of those before it.
type inflater struct {
	r      io.ReadCloser
	in     bytes.Buffer
	out    []byte // the newest window of what came before, then this piece's text
	headed bool
}

// piece inflates a piece with its flush. What it returns is good until the next call.
func (z *inflater) piece(b []byte, tail ...[]byte) ([]byte, error) {
	z.in.Reset()
	z.in.Write(b)
	for _, t := range tail {
		z.in.Write(t)
	}
	if over := len(z.out) - window; over > 0 {
		z.out = z.out[:copy(z.out, z.out[over:])]
	}
	old := len(z.out)
	if z.r == nil {
		z.r = flate.NewReaderDict(&z.in, z.out)
	} else if err := z.r.(flate.Resetter).Reset(&z.in, z.out); err != nil {
		return nil, err
	}
	for {
		if len(z.out) == cap(z.out) {
			z.out = append(z.out, make([]byte, max(4096, cap(z.out)/2))...)[:len(z.out)]
		}
		n, err := z.r.Read(z.out[len(z.out):cap(z.out)])
		z.out = z.out[:len(z.out)+n]
		if err == io.EOF {
			return z.out[old:], nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// message inflates a message of permessage-deflate.
func (z *inflater) message(b []byte) ([]byte, error) { return z.piece(b, flushed, final) }

// body inflates what has come of a gzip body, once it ends in a flush; before that it wants more.
func (z *inflater) body(b []byte) (text []byte, done int, err error) {
	if !z.headed {
		if len(b) < 10 {
			return nil, 0, nil
		}
		if b[0] != 0x1f || b[1] != 0x8b || b[2] != 8 || b[3] != 0 {
			return nil, 0, errGzip
		}
		z.headed = true
		b, done = b[10:], 10
	}
	if !bytes.HasSuffix(b, flushed) {
		return nil, done, nil
	}
	text, err = z.piece(b, final)
	return text, done + len(b), err
}
