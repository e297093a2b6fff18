package loadtest

import (
	"errors"
	"fmt"

	"ticklane/internal/wire"
)

// frameReader takes a server's WebSocket frames apart (RFC 6455 §5.2) as they arrive, in pieces of any size. Without
// permessage-deflate a reserved bit is an error. It doesn't check that text is UTF-8.
type frameReader struct {
	// emit gets each whole message and each control frame, by opcode. The slice holds until it returns.
	emit func(op byte, payload []byte) error
	// packed says that permessage-deflate was agreed on (RFC 7692), apart that each message stands for itself.
	packed, apart bool

	held     []byte // of our own: a frame that the last piece cut
	message  []byte // of our own: fragments of a message so far
	op       byte   // of the fragmented message; 0 for none
	deflated bool   // the fragmented message is
	inflater *inflater
	text     []byte // of our own: an inflated message
	saved    int64  // bytes that compression took off messages and their headers
}

// Breaches of RFC 6455.
var (
	errReserved = errors.New("websocket: a reserved bit or opcode is set")
	errMasked   = errors.New("websocket: the server masked a frame")
	errControl  = errors.New("websocket: a control frame is too long or in fragments")
	errFragment = errors.New("websocket: a fragment out of place")
	errTooBig   = fmt.Errorf("websocket: a message of more than %d MiB", maxMessage>>20)
)

// feed takes the next piece of the connection. Nothing of it is kept.
func (r *frameReader) feed(b []byte) error {
	for len(r.held) > 0 && len(b) > 0 {
		need, header, err := frameNeeds(r.held)
		if err != nil {
			return err
		}
		take := min(need-len(r.held), len(b))
		r.held = append(r.held, b[:take]...)
		b = b[take:]
		if header == 0 {
			// The header may be whole now, and the frame with it if it has no payload.
			if need, header, err = frameNeeds(r.held); err != nil {
				return err
			}
		}
		if header > 0 && len(r.held) == need {
			frame := r.held
			r.held = r.held[:0]
			if err := r.frame(frame, header); err != nil {
				return err
			}
		}
	}
	for len(b) > 0 {
		need, header, err := frameNeeds(b)
		if err != nil {
			return err
		}
		if header == 0 || need > len(b) {
			r.held = append(r.held, b...)
			return nil
		}
		if err := r.frame(b[:need], header); err != nil {
			return err
		}
		b = b[need:]
	}
	return nil
}

// frameNeeds returns the length of the frame that b starts with. While its header is incomplete, header is 0 and need is
// the length that the header needs at least.
func frameNeeds(b []byte) (need, header int, err error) {
	if len(b) >= 2 && b[1]&0x80 != 0 {
		return 0, 0, errMasked
	}
	h, ok := wire.ParseFrameHeader(b)
	switch {
	case !ok:
		return h.Size, 0, nil
	case h.Length > maxMessage:
		return 0, 0, errTooBig
	}
	return h.Size + int(h.Length), h.Size, nil
}

// frame takes one whole frame.
func (r *frameReader) frame(b []byte, header int) error {
	final, op, payload := b[0]&0x80 != 0, b[0]&0x0f, b[header:]
	deflated := b[0]&0x40 != 0
	if b[0]&0x30 != 0 || deflated && !(r.packed && (op == wire.OpText || op == wire.OpBinary)) {
		return errReserved // only the first frame of a message may say that it is deflated
	}
	switch op {
	case wire.OpClose, wire.OpPing, wire.OpPong:
		if !final || len(payload) > 125 {
			return errControl
		}
		return r.emit(op, payload)
	case wire.OpText, wire.OpBinary:
		if r.op != 0 {
			return errFragment
		}
		if final {
			return r.whole(op, payload, deflated)
		}
		r.op, r.deflated = op, deflated
		r.message = append(r.message[:0], payload...)
		return nil
	case wire.OpContinuation:
		if r.op == 0 {
			return errFragment
		}
		if len(r.message)+len(payload) > maxMessage {
			return errTooBig
		}
		r.message = append(r.message, payload...)
		if !final {
			return nil
		}
		op, r.op = r.op, 0
		return r.whole(op, r.message, r.deflated)
	}
	return errReserved
}

// whole takes one message, inflated if it must be.
func (r *frameReader) whole(op byte, payload []byte, deflated bool) error {
	if !deflated {
		return r.emit(op, payload)
	}
	if r.apart {
		r.close()
	}
	if r.inflater == nil {
		r.inflater = newInflate()
	}
	r.text = r.text[:0]
	add := func(b []byte) error {
		if len(r.text)+len(b) > maxMessage {
			return errTooBig
		}
		r.text = append(r.text, b...)
		return nil
	}
	if err := r.inflater.feed(payload, add); err != nil {
		return err
	}
	if err := r.inflater.feed(flushMark, add); err != nil {
		return err
	}
	r.saved += int64(frameSize(len(r.text)) - frameSize(len(payload)))
	return r.emit(op, r.text)
}

// flushMark ends a block that can be read at once; a sender takes it off each message (RFC 7692 §7.2.1).
var flushMark = []byte{0, 0, 0xff, 0xff}

// frameSize is what a message takes in one frame of a server's.
func frameSize(payload int) int {
	switch {
	case payload < 126:
		return 2 + payload
	case payload < 1<<16:
		return 4 + payload
	}
	return 10 + payload
}

// close ends what decodes; another message would begin anew.
func (r *frameReader) close() {
	if r.inflater != nil {
		r.inflater.stop()
		r.inflater = nil
	}
}
