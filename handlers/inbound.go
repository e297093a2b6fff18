package handlers

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"
	"golang.org/x/time/rate"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// inbound reads what a WebSocket client sends: commands, pings, its close. It never writes to the connection: answers go
// through the subscriber, so that frames don't mix.
type inbound struct {
	nc      net.Conn
	sub     *stream.Subscriber
	limiter *rate.Limiter
	most    int // bytes of a message
	refused int // messages in a row that came too fast
	buf     []byte

	// How it ended: a close code to send (0 for none), or the connection's error.
	code   uint16
	reason string
	err    error
	closed bool // the client sent its close, so nothing more comes
}

func newInbound(s *Server, nc net.Conn, sub *stream.Subscriber) *inbound {
	return &inbound{nc: nc, sub: sub, most: s.set.MessageSize,
		limiter: rate.NewLimiter(rate.Limit(s.set.MessageRate), s.set.MessageBurst)}
}

func (in *inbound) close(code uint16, reason string) { in.code, in.reason = code, reason }

// read returns when the connection is over, one way or another; the fields then tell which.
func (in *inbound) read() {
	state := ws.StateServerSide
	var message []byte
	for in.code == 0 {
		h, err := ws.ReadHeader(in.nc)
		if err != nil {
			in.fail(err)
			return
		}
		if err := ws.CheckHeader(h, state); err != nil {
			in.close(wire.CloseProtocol, err.Error())
			return
		}
		if h.Length > int64(in.most-len(message)) && !h.OpCode.IsControl() {
			in.close(wire.CloseTooBig, "a message is larger than limits.message_size")
			return
		}
		payload, err := in.payload(h)
		if err != nil {
			in.fail(err)
			return
		}
		switch {
		case h.OpCode.IsControl():
			in.control(h.OpCode, payload)
		case h.OpCode == ws.OpBinary:
			in.close(wire.CloseUnsupported, "commands are text messages")
		case !h.Fin:
			// Pieces with nothing in them would go past the limits of size and rate.
			if h.Length == 0 {
				in.paced()
			}
			state |= ws.StateFragmented
			message = append(message, payload...)
		default:
			state &^= ws.StateFragmented
			message = append(message, payload...)
			in.command(message)
			message = message[:0]
		}
	}
}

func (in *inbound) fail(err error) {
	switch {
	case errors.Is(err, ws.ErrHeaderLengthMSB), errors.Is(err, ws.ErrHeaderLengthUnexpected):
		in.close(wire.CloseProtocol, err.Error())
	case !errors.Is(err, io.EOF):
		in.err = err
	}
}

// payload reads and unmasks one frame's payload, valid until the next.
func (in *inbound) payload(h ws.Header) ([]byte, error) {
	n := int(h.Length)
	if cap(in.buf) < n {
		in.buf = make([]byte, n)
	}
	b := in.buf[:n]
	if _, err := io.ReadFull(in.nc, b); err != nil {
		return nil, err
	}
	ws.Cipher(b, h.Mask, 0)
	return b, nil
}

func (in *inbound) control(op ws.OpCode, payload []byte) {
	switch op {
	case ws.OpPing:
		if !in.paced() {
			return
		}
		pong := wire.AppendFrameHeader(nil, wire.OpPong, len(payload))
		in.queued(in.sub.Frame(append(pong, payload...)))
	case ws.OpClose:
		in.closed = true
		// The close is echoed (RFC 6455 §5.5.1); an empty or strange one as a normal end.
		code := uint16(wire.CloseNormal)
		if len(payload) == 1 {
			code = wire.CloseProtocol
		} else if len(payload) >= 2 {
			if c := binary.BigEndian.Uint16(payload); ws.StatusCode(c).Empty() || ws.CheckCloseFrameData(ws.StatusCode(c), string(payload[2:])) != nil {
				code = wire.CloseProtocol
			} else {
				code = c
			}
		}
		in.close(code, "")
	}
}

func (in *inbound) command(message []byte) {
	received := time.Now()
	if !utf8.Valid(message) {
		in.close(wire.CloseInvalidData, "a text message is not UTF-8")
		return
	}
	cmd, err := wire.ParseCommand(message)
	if !in.paced() {
		if in.code == 0 {
			in.queued(in.sub.Tell(tooOften(cmd, err).Message()))
		}
		return
	}
	if err != nil {
		var e *wire.CommandError
		if errors.As(err, &e) {
			in.queued(in.sub.Tell(e.Message()))
		}
		return
	}
	in.queued(in.sub.Ask(cmd, received))
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
