package batch

import (
	"encoding/binary"
	"errors"
)

// Reader reads varints and texts. After the first that is invalid all are 0 or empty.
type Reader struct {
	rest []byte
	err  error
}

// NewReader returns a reader of b, which must not change meanwhile.
func NewReader(b []byte) Reader { return Reader{rest: b} }

// Len returns the number of bytes that remain.
func (r *Reader) Len() int { return len(r.rest) }

// Err returns what is wrong with the first invalid value, nil if all were valid.
func (r *Reader) Err() error { return r.err }

// Int reads a varint with a sign.
func (r *Reader) Int() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.fail(invalidNumber)
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// Uint reads a varint without a sign.
func (r *Reader) Uint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.fail(invalidNumber)
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

const invalidNumber = "the end, or a number of more than 64 bits"

// byte reads a byte.
func (r *Reader) byte() byte {
	if len(r.rest) == 0 {
		r.fail("the end")
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

// text reads a text after its length.
func (r *Reader) text() string {
	n := r.Uint()
	if n > uint64(len(r.rest)) {
		r.fail("a text that is longer than what remains")
		return ""
	}
	text := string(r.rest[:n])
	r.rest = r.rest[n:]
	return text
}

func (r *Reader) fail(reason string) {
	if r.err == nil {
		r.err = errors.New(reason)
	}
	r.rest = nil
}
