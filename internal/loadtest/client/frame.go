package client

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"ticklane/internal/wire"
)

// frameParser parses a server's WebSocket frames (RFC 6455 §5.2) that arrive in pieces of any size. It doesn't check that
// text is valid UTF-8.
type frameParser struct {
	// emit receives each whole message and each control frame. The payload is valid until it returns.
	emit func(op byte, payload []byte) error

	compressed  bool // permessage-deflate was negotiated (RFC 7692)
	independent bool // without context takeover: each message is compressed by itself

	held     []byte // own buffer: the start of a frame that the last piece ended in
	message  []byte // own buffer: the fragments of a message so far
	op       byte   // of the fragmented message; 0 if there is none
	packed   bool   // the fragmented message is compressed
	inflater *inflater
	text     []byte // own buffer: a decompressed message
	saved    int64  // bytes by which compression made messages and their headers smaller
}

// Violations of RFC 6455 by the server.
var (
	errReserved = errors.New("websocket: a reserved bit or opcode is set")
	errMasked   = errors.New("websocket: the server masked a frame")
	errControl  = errors.New("websocket: a control frame is fragmented or too long")
	errFragment = errors.New("websocket: a fragment is out of order")
	errTooBig   = fmt.Errorf("websocket: a message exceeds %d MiB", maxMessage>>20)
)

// feed parses the next piece of the connection. It keeps nothing of b.
func (p *frameParser) feed(b []byte) error {
	for len(p.held) > 0 && len(b) > 0 {
		need, _, err := frameSize(p.held)
		if err != nil {
			return err
		}
		n := min(need-len(p.held), len(b))
		p.held = append(p.held, b[:n]...)
		b = b[n:]
		// The header may be complete now, and with it a frame without payload.
		need, h, err := frameSize(p.held)
		if err != nil {
			return err
		}
		if h.Size > 0 && len(p.held) == need {
			frame := p.held
			p.held = p.held[:0]
			if err := p.frame(h, frame[h.Size:]); err != nil {
				return err
			}
		}
	}
	for len(b) > 0 {
		need, h, err := frameSize(b)
		if err != nil {
			return err
		}
		if need > len(b) {
			p.held = append(p.held, b...)
			return nil
		}
		if err := p.frame(h, b[h.Size:need]); err != nil {
			return err
		}
		b = b[need:]
	}
	return nil
}

// frameSize returns the size of the frame at the start of b, and its header. While the header is incomplete, h is zero
// and need is a size above len(b) that the frame has at least.
func frameSize(b []byte) (need int, h wire.FrameHeader, err error) {
	if len(b) >= 2 && b[1]&0x80 != 0 {
		return 0, h, errMasked
	}
	h, ok := wire.ParseFrameHeader(b)
	switch {
	case !ok:
		return h.Size, wire.FrameHeader{}, nil
	case h.Length > maxMessage:
		return 0, h, errTooBig
	}
	return h.Size + int(h.Length), h, nil
}

// frame handles one whole frame.
func (p *frameParser) frame(h wire.FrameHeader, payload []byte) error {
	compressed := h.Reserved == wire.RSV1 // only on the first frame of a message
	if h.Reserved != 0 && !(compressed && p.compressed && (h.Op == wire.OpText || h.Op == wire.OpBinary)) {
		return errReserved
	}
	switch h.Op {
	case wire.OpClose, wire.OpPing, wire.OpPong:
		if !h.Final || len(payload) > 125 {
			return errControl
		}
		return p.emit(h.Op, payload)
	case wire.OpText, wire.OpBinary:
		if p.op != 0 {
			return errFragment
		}
		if h.Final {
			return p.deliver(h.Op, payload, compressed)
		}
		p.op, p.packed = h.Op, compressed
		p.message = append(p.message[:0], payload...)
		return nil
	case wire.OpContinuation:
		if p.op == 0 {
			return errFragment
		}
		if len(p.message)+len(payload) > maxMessage {
			return errTooBig
		}
		p.message = append(p.message, payload...)
		if !h.Final {
			return nil
		}
		op := p.op
		p.op = 0
		return p.deliver(op, p.message, p.packed)
	}
	return errReserved
}

// deliver emits one message, decompressed if necessary.
func (p *frameParser) deliver(op byte, payload []byte, compressed bool) error {
	if !compressed {
		return p.emit(op, payload)
	}
	if p.independent {
		p.close()
	}
	if p.inflater == nil {
		p.inflater = newInflate()
	}
	p.text = p.text[:0]
	add := func(b []byte) error {
		if len(p.text)+len(b) > maxMessage {
			return errTooBig
		}
		p.text = append(p.text, b...)
		return nil
	}
	if err := p.inflater.feed(payload, add); err != nil {
		return err
	}
	if err := p.inflater.feed(syncFlush, add); err != nil {
		return err
	}
	p.saved += int64(sizeInFrame(len(p.text)) - sizeInFrame(len(payload)))
	return p.emit(op, p.text)
}

// syncFlush is the end of a flushed block, which senders remove from each message (RFC 7692 §7.2.1).
var syncFlush = []byte{0, 0, 0xff, 0xff}

// sizeInFrame returns the size of one unmasked frame with a payload of n bytes.
func sizeInFrame(n int) int {
	switch {
	case n < 126:
		return 2 + n
	case n < 1<<16:
		return 4 + n
	}
	return 10 + n
}

// close releases the decompressor. The next compressed message starts with an empty context.
func (p *frameParser) close() {
	if p.inflater != nil {
		p.inflater.stop()
		p.inflater = nil
	}
}

// AppendFrame appends one final frame with a random mask, as clients must send them (RFC 6455 §5.3).
func AppendFrame(b []byte, op byte, payload []byte) []byte {
	size := len(b)
	b = wire.AppendFrameHeader(b, op, len(payload))
	b[size+1] |= 0x80
	var mask [4]byte
	rand.Read(mask[:]) // never fails since Go 1.24
	b = append(b, mask[:]...)
	for i, p := range payload {
		b = append(b, p^mask[i%4])
	}
	return b
}

// writeFrame writes one final masked frame.
func writeFrame(w io.Writer, op byte, payload []byte) error {
	_, err := w.Write(AppendFrame(nil, op, payload))
	return err
}

// normalClose is the payload of a close frame with code 1000.
var normalClose = binary.BigEndian.AppendUint16(nil, wire.CloseNormal)
