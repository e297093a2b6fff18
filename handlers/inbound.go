package handlers

import (
	"encoding/binary"
	"errors"
	"io"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"
	"golang.org/x/time/rate"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// inbound takes what a WebSocket client sends, in whatever pieces it comes: commands, pings, its close. It never writes to
// the connection: answers go through the subscriber, so that frames don't mix.
type inbound struct {
	sub     asked
	limiter *rate.Limiter
	most    int // bytes of a message
	refused int // messages in a row that came too fast

	deflate bool // agreed on: a message may come packed (RSV1, RFC 7692 §6)
	packed  bool // the one that is coming does

	state   ws.State
	part    []byte // of a frame that isn't whole yet; nil between frames, so an idle connection holds no buffer
	message []byte // the pieces of one that isn't whole yet

	// How it ended: a close code to send (0 for none), or the connection's error.
	code   uint16
	reason string
	err    error
	closed bool // the client sent its close, so nothing more comes
}

// asked is what a client's messages lead to: a *stream.Subscriber.
type asked interface {
	EnqueueCommand(cmd wire.Command, received time.Time) error
	EnqueueMessage(wire.Message) error
	EnqueueFrame([]byte) error
}

func newInbound(s *Server, sub asked) *inbound {
	return &inbound{sub: sub, most: s.set.MessageSize, state: ws.StateServerSide,
		limiter: rate.NewLimiter(rate.Limit(s.set.MessageRate), s.set.MessageBurst)}
}

func (in *inbound) close(code uint16, reason string) { in.code, in.reason = code, reason }

// readSize is for a command, of which few are longer: a connection holds it for all its life.
const readSize = 512

// read feeds what comes until the connection is over, one way or another; the fields then tell which.
func (in *inbound) read(nc io.Reader) {
	b := make([]byte, readSize)
	for in.code == 0 {
		n, err := nc.Read(b)
		in.feed(b[:n])
		if err != nil {
			if !errors.Is(err, io.EOF) || len(in.part) > 0 {
				in.err = err
			}
			return
		}
	}
}

// feed takes the next bytes and overwrites them. Once there is a code, it takes nothing more.
func (in *inbound) feed(b []byte) {
	if len(in.part) > 0 {
		in.part = append(in.part, b...)
		b = in.part
	}
	for in.code == 0 {
		n := in.frame(b)
		if n == 0 {
			break
		}
		b = b[n:]
	}
	switch {
	case in.code != 0 || len(b) == 0:
		in.part = nil
	case len(b) != len(in.part): // else it is all of itself, as for a long message that comes in many pieces
		in.part = append(in.part[:0], b...) // it may be the end of itself
	}
}

// frame takes one whole frame and returns its size; 0 when it isn't whole, or ended the stream by its header alone.
func (in *inbound) frame(b []byte) int {
	h, at, err := header(b)
	if at == 0 && err == nil {
		return 0
	}
	packed := in.deflate && h.Rsv == rsv1 && (h.OpCode == ws.OpText || h.OpCode == ws.OpBinary)
	if packed {
		h.Rsv = 0
	}
	if err == nil {
		err = ws.CheckHeader(h, in.state)
	}
	switch {
	case err != nil:
		in.close(wire.CloseProtocol, err.Error())
		return 0
	case h.OpCode.IsControl():
	case h.Length > int64(in.most-len(in.message)):
		in.close(wire.CloseTooBig, "a message is larger than limits.message_size")
		return 0
	case h.OpCode == ws.OpBinary:
		in.close(wire.CloseUnsupported, "commands are text messages")
		return 0
	}
	size := at + int(h.Length)
	if len(b) < size {
		return 0
	}
	payload := b[at:size]
	ws.Cipher(payload, h.Mask, 0)
	in.packed = in.packed || packed
	switch {
	case h.OpCode.IsControl():
		in.control(h.OpCode, payload)
	case !h.Fin:
		// Pieces with nothing in them would go past the limits of size and rate.
		if h.Length == 0 {
			in.paced()
		}
		in.state |= ws.StateFragmented
		in.message = append(in.message, payload...)
	case in.message == nil:
		in.state &^= ws.StateFragmented
		in.unpacked(payload)
	default:
		in.state &^= ws.StateFragmented
		in.unpacked(append(in.message, payload...))
		in.message = nil
	}
	return size
}

// rsv1 is the first of a frame's reserved bits.
const rsv1 = 4

// header reads a frame's header (RFC 6455 §5.2). A size of 0 without an error says that it isn't whole yet.
func header(b []byte) (h ws.Header, size int, err error) {
	if len(b) < 2 {
		return h, 0, nil
	}
	h.Fin, h.Rsv, h.OpCode = b[0]&0x80 != 0, b[0]>>4&7, ws.OpCode(b[0]&0x0f)
	h.Masked, h.Length, size = b[1]&0x80 != 0, int64(b[1]&0x7f), 2
	wide := 0
	switch h.Length {
	case 126:
		wide = 2
	case 127:
		wide = 8
	}
	if len(b) < size+wide {
		return h, 0, nil
	}
	switch wide {
	case 2:
		h.Length = int64(binary.BigEndian.Uint16(b[size:]))
	case 8:
		if b[size]&0x80 != 0 {
			return h, 0, ws.ErrHeaderLengthMSB
		}
		h.Length = int64(binary.BigEndian.Uint64(b[size:]))
	}
	size += wide
	if h.Masked {
		if len(b) < size+len(h.Mask) {
			return h, 0, nil
		}
		size += copy(h.Mask[:], b[size:])
	}
	return h, size, nil
}

func (in *inbound) control(op ws.OpCode, payload []byte) {
	switch op {
	case ws.OpPing:
		if !in.paced() {
			return
		}
		pong := wire.AppendFrameHeader(nil, wire.OpPong, len(payload))
		in.queued(in.sub.EnqueueFrame(append(pong, payload...)))
	case ws.OpClose:
		in.closed = true
		// The close is echoed (RFC 6455 §5.5.1); an empty or strange one as a normal end.
		code := uint16(wire.CloseNormal)
		if len(payload) == 1 {
			code = wire.CloseProtocol
		} else if len(payload) >= 2 {
			if c := binary.BigEndian.Uint16(payload); ws.StatusCode(c).Empty() || c > lastClose || ws.CheckCloseFrameData(ws.StatusCode(c), string(payload[2:])) != nil {
				code = wire.CloseProtocol
			} else {
				code = c
			}
		}
		in.close(code, "")
	}
}

// lastClose is the last close code that there is (RFC 6455 §7.4.2).
const lastClose = 4999

func (in *inbound) command(message []byte) {
	received := time.Now()
	if !utf8.Valid(message) {
		in.close(wire.CloseInvalidData, "a text message is not UTF-8")
		return
	}
	cmd, err := wire.ParseCommand(message)
	if !in.paced() {
		if in.code == 0 {
			in.queued(in.sub.EnqueueMessage(tooOften(cmd, err).Message()))
		}
		return
	}
	if err != nil {
		var e *wire.CommandError
		if errors.As(err, &e) {
			in.queued(in.sub.EnqueueMessage(e.Message()))
		}
		return
	}
	in.queued(in.sub.EnqueueCommand(cmd, received))
}

// paced tells whether a message keeps to the rate. A client that goes on regardless is cut off.
func (in *inbound) paced() bool {
	if in.limiter.Allow() {
		in.refused = 0
		return true
	}
	if in.refused++; in.refused > in.limiter.Burst() {
		in.close(wire.ClosePolicy, "too many messages")
	}
	return false
}

func (in *inbound) queued(err error) {
	if errors.Is(err, stream.ErrBusy) {
		in.close(wire.ClosePolicy, "too many messages wait for answers")
	}
}
