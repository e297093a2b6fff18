package storm

import (
	"errors"

	"ticklane/internal/wire"
)

var (
	errFrame  = errors.New("an invalid WebSocket frame")
	errClosed = errors.New("the server closed the WebSocket")
)

// frameParser splits a server's WebSocket frames, which arrive in pieces of any size. The zero value is the start of a
// connection.
type frameParser struct {
	held []byte // the start of a frame that the last piece ended in
}

// feed calls frame for each whole frame of the next piece. The payload is valid until frame returns.
func (p *frameParser) feed(b []byte, frame func(h wire.FrameHeader, payload []byte) error) error {
	if len(p.held) > 0 {
		p.held = append(p.held, b...)
		b = p.held
	}
	for len(b) > 0 {
		h, ok := wire.ParseFrameHeader(b)
		if ok && (h.Masked || h.Length > maxText) {
			return errFrame
		}
		size := h.Size + int(h.Length)
		if !ok || len(b) < size {
			break
		}
		if err := frame(h, b[h.Size:size]); err != nil {
			return err
		}
		b = b[size:]
	}
	if p.held = append(p.held[:0], b...); len(b) == 0 && cap(p.held) > 4<<10 {
		p.held = nil // thousands of clients have one
	}
	return nil
}
