package wire

import "errors"

// Dechunker decodes HTTP/1.1's chunked transfer coding (RFC 9112 §7.1) for clients, incrementally: the body may arrive
// in pieces of any size. Chunk extensions and trailers are skipped. The zero value is ready to use.
type Dechunker struct {
	state chunkState
	left  uint64 // bytes of the chunk still to come; while parsing a size, its digits so far
	digit bool   // the size has at least one digit
	blank bool   // the current trailer line is empty so far
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

// ErrChunk is an invalid chunked body.
var ErrChunk = errors.New("invalid chunked body (RFC 9112 §7.1)")

// maxChunkDigits bounds a chunk's size before another hexadecimal digit is accepted.
const maxChunkDigits = 1 << 40

// Feed decodes the next piece of the body and passes the decoded bytes to body, as subslices of b. done reports that the
// body has ended; bytes after its end are ignored. The error is ErrChunk or the one that body returned.
func (d *Dechunker) Feed(b []byte, body func([]byte) error) (done bool, err error) {
	for len(b) > 0 && d.state != chunkDone {
		if d.state == chunkData {
			part := b[:min(uint64(len(b)), d.left)]
			if err := body(part); err != nil {
				return false, err
			}
			b = b[len(part):]
			if d.left -= uint64(len(part)); d.left == 0 {
				d.state = chunkDataEnd
			}
			continue
		}
		if err := d.step(b[0]); err != nil {
			return false, err
		}
		b = b[1:]
	}
	return d.state == chunkDone, nil
}

// step consumes one byte of the framing.
func (d *Dechunker) step(b byte) error {
	switch d.state {
	case chunkSize:
		if v, ok := hexDigit(b); ok {
			if d.left > maxChunkDigits {
				return ErrChunk
			}
			d.left, d.digit = d.left<<4|uint64(v), true
			return nil
		}
		switch {
		case !d.digit:
			return ErrChunk
		case b == '\n':
			d.endSize()
		case b == '\r', b == ';', b == ' ', b == '\t':
			d.state = chunkExtension
		default:
			return ErrChunk
		}
	case chunkExtension:
		if b == '\n' {
			d.endSize()
		}
	case chunkDataEnd:
		switch b {
		case '\r':
		case '\n':
			d.state, d.digit = chunkSize, false
		default:
			return ErrChunk
		}
	case chunkTrailer:
		switch b {
		case '\n':
			if d.blank {
				d.state = chunkDone
			}
			d.blank = true
		case '\r':
		default:
			d.blank = false
		}
	}
	return nil
}

// endSize ends the line with the chunk's size. A size of zero starts the trailers.
func (d *Dechunker) endSize() {
	d.state = chunkData
	if d.left == 0 {
		d.state, d.blank = chunkTrailer, true
	}
}

func hexDigit(b byte) (v byte, ok bool) {
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
