package loadtest

import "errors"

// chunkReader undoes HTTP/1.1's chunked transfer coding (RFC 9112 §7.1) in pieces of any size. Chunk extensions and
// trailers are passed over.
type chunkReader struct {
	state chunkState
	left  uint64 // of the chunk
	any   bool   // the size has a digit
	blank bool   // the trailer's line is empty so far
}

type chunkState uint8

const (
	chunkSize chunkState = iota
	chunkExtension
	chunkData
	chunkDataEnd
	chunkTrailer
	chunkDone
)

var errChunk = errors.New("the answer is not chunked as RFC 9112 §7.1 has it")

// feed passes the body's bytes in b on to body, as parts of b. done says that the last chunk is over.
func (c *chunkReader) feed(b []byte, body func([]byte) error) (done bool, err error) {
	for len(b) > 0 && c.state != chunkDone {
		if c.state == chunkData {
			part := b[:min(uint64(len(b)), c.left)]
			if err := body(part); err != nil {
				return false, err
			}
			b = b[len(part):]
			if c.left -= uint64(len(part)); c.left == 0 {
				c.state = chunkDataEnd
			}
			continue
		}
		if err := c.step(b[0]); err != nil {
			return false, err
		}
		b = b[1:]
	}
	return c.state == chunkDone, nil
}

// step takes one byte that isn't the body's.
func (c *chunkReader) step(b byte) error {
	switch c.state {
	case chunkSize:
		if digit, ok := hexDigit(b); ok {
			if c.left > 1<<40 {
				return errChunk
			}
			c.left, c.any = c.left<<4|uint64(digit), true
			return nil
		}
		switch {
		case !c.any:
			return errChunk
		case b == '\n':
			c.sized()
		case b == '\r', b == ';', b == ' ', b == '\t':
			c.state = chunkExtension
		default:
			return errChunk
		}
	case chunkExtension:
		if b == '\n' {
			c.sized()
		}
	case chunkDataEnd:
		switch b {
		case '\r':
		case '\n':
			c.state, c.any = chunkSize, false
		default:
			return errChunk
		}
	case chunkTrailer:
		switch b {
		case '\n':
			if c.blank {
				c.state = chunkDone
			}
			c.blank = true
		case '\r':
		default:
			c.blank = false
		}
	}
	return nil
}

func (c *chunkReader) sized() {
	c.state = chunkData
	if c.left == 0 {
		c.state, c.blank = chunkTrailer, true
	}
}

func hexDigit(b byte) (byte, bool) {
	switch {
	case b >= '0' && b <= '9':
		return b - '0', true
	case b >= 'a' && b <= 'f':
		return b - 'a' + 10, true
	case b >= 'A' && b <= 'F':
		return b - 'A' + 10, true
	}
	return 0, false
}
