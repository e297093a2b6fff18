package generator

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// A sink gets what a parser finds.
type sink interface {
	tick(seq uint64, due int64)
	ping(payload []byte)
	ended()
}

var (
	errChunk = errors.New("bad chunk")
	errFrame = errors.New("bad frame")
	errTick  = errors.New("bad tick")
)

// dechunker takes the chunk headers out of an HTTP/1.1 body, in place. A body may be cut anywhere.
type dechunker struct {
	left  int // bytes of the chunk that are still to come
	size  int // what is known of a size line
	state uint8
}

const (
	chunkSize uint8 = iota
	chunkExtension
	chunkData
	chunkEnd
	chunkOver
)

// strip moves the payload to the front of b and returns its length.
func (d *dechunker) strip(b []byte) (int, error) {
	n := 0
	for i := 0; i < len(b); {
		switch d.state {
		case chunkSize:
			switch c := b[i]; {
			case c >= '0' && c <= '9':
				d.size = d.size<<4 | int(c-'0')
			case c|0x20 >= 'a' && c|0x20 <= 'f':
				d.size = d.size<<4 | int(c|0x20-'a'+10)
			case c == '\r' || c == ';':
				d.state = chunkExtension
			default:
				return n, errChunk
			}
			if d.size > 1<<30 {
				return n, errChunk
			}
			i++
			if d.state == chunkSize {
				continue
			}
			fallthrough
		case chunkExtension:
			at := bytes.IndexByte(b[i:], '\n')
			if at < 0 {
				return n, nil
			}
			i += at + 1
			d.left, d.size, d.state = d.size, 0, chunkData
			if d.left == 0 {
				d.state = chunkOver
			}
		case chunkData:
			m := min(d.left, len(b)-i)
			if n != i {
				copy(b[n:], b[i:i+m])
			}
			n, i, d.left = n+m, i+m, d.left-m
			if d.left == 0 {
				d.state = chunkEnd
			}
		case chunkEnd:
			if c := b[i]; c == '\n' {
				d.state = chunkSize
			} else if c != '\r' {
				return n, errChunk
			}
			i++
		case chunkOver:
			return n, nil
		}
	}
	return n, nil
}

var (
	seqKey = []byte(`"i":`)
	dueKey = []byte(`"t":`)
)

// reach is how far before its seq a tick's due time can stand: "t", 20 digits, "n", 20 digits.
const reach = 64

// scan finds the ticks in JSON text, whatever stands around them, and returns where the last complete one ends. Only a
// tick has an "i" at the top with a "t" before it, as long as no snapshots are asked for.
func scan(b []byte, s sink) (int, error) {
	done := 0
	for {
		at := bytes.Index(b[done:], seqKey)
		if at < 0 {
			return done, nil
		}
		at += done
		seq, end := uint64(0), at+len(seqKey)
		for ; end < len(b) && b[end]-'0' < 10; end++ {
			seq = seq*10 + uint64(b[end]-'0')
		}
		if end == len(b) {
			return done, nil // its digits may go on
		}
		t := bytes.LastIndex(b[max(done, at-reach):at], dueKey)
		if t < 0 || end == at+len(seqKey) {
			return done, errTick
		}
		due := int64(0)
		for p := max(done, at-reach) + t + len(dueKey); b[p]-'0' < 10; p++ {
			due = due*10 + int64(b[p]-'0')
		}
		s.tick(seq, due)
		done = end
	}
}

// events reads SSE text and returns how much of it is done with.
func events(b []byte, s sink) (int, error) {
	done, err := scan(b, s)
	if err == nil && len(b) >= 2 && b[len(b)-1] == '\n' && b[len(b)-2] == '\n' {
		done = len(b) // events of other kinds
	}
	return done, err
}

// frames reads WebSocket frames of a server and returns how much of b is done with. z inflates messages with RSV1; nil
// where nothing was agreed.
func frames(b []byte, s sink, z *inflater) (int, error) {
	done := 0
	for {
		h := b[done:]
		if len(h) < 2 {
			return done, nil
		}
		n, head := int(h[1]), 2
		switch {
		case n > 127 || h[0]&0x30 != 0 || h[0]&0x80 == 0:
			return done, errFrame // masked, unknown bits, or in pieces, which none of these servers sends
		case n == 126:
			if head = 4; len(h) < head {
				return done, nil
			}
			n = int(binary.BigEndian.Uint16(h[2:]))
		case n == 127:
			if head = 10; len(h) < head {
				return done, nil
			}
			if v := binary.BigEndian.Uint64(h[2:]); v > 1<<30 {
				return done, errFrame
			} else {
				n = int(v)
			}
		}
		if len(h) < head+n {
			return done, nil
		}
		payload := h[head : head+n]
		done += head + n
		op := h[0] & 0x0f
		if h[0]&0x40 != 0 {
			if z == nil || op > 2 {
				return done, errFrame
			}
			var err error
			if payload, err = z.message(payload); err != nil {
				return done, err
			}
		}
		switch op {
		case 1:
			if _, err := scan(payload, s); err != nil {
				return done, err
			}
		case 2:
			if err := protobuf(payload, s); err != nil {
				return done, err
			}
		case 8:
			s.ended()
		case 9:
			s.ping(payload)
		case 10:
		default:
			return done, errFrame
		}
	}
}
