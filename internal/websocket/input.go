package websocket

import (
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"ticklane/internal/wire"
)

// Close is a close code (RFC 6455 §7.4) with a reason. The zero value means that the connection goes on.
type Close struct {
	Code   uint16
	Reason string
}

// Handler handles what a client sends. A Close with a code ends the input. Slices are valid until the method returns.
type Handler interface {
	// HandleText handles a message, which is valid UTF-8 and within Input.MaxMessage.
	HandleText(message []byte) Close
	// HandlePing handles a ping, which must be answered by a pong with the same payload (RFC 6455 §5.5.3).
	HandlePing(payload []byte) Close
	// HandleEmptyFragment is called for each fragment without payload. The limit of size doesn't bound their number; a
	// limit of rate can.
	HandleEmptyFragment() Close
}

// Input parses the frames of a client, in pieces of any size. It never writes: what must be sent is the Handler's and the
// caller's part. It keeps no buffer between frames, so an idle connection holds none. It is not safe for concurrent use.
type Input struct {
	Handler    Handler
	MaxMessage int    // largest size of a message in bytes, before and after inflating
	TooBig     string // reason of the close of a larger one; by default it names limits.message_size
	Deflate    bool   // permessage-deflate was negotiated with client_no_context_takeover

	state      ws.State
	compressed bool   // the current message is
	partial    []byte // of the current frame
	message    []byte // the fragments of the current message

	end           Close
	closeReceived bool
}

// End returns the close frame to send, with code 0 while input goes on. received reports whether the client has sent its
// close frame: nothing may follow it.
func (in *Input) End() (c Close, received bool) { return in.end, in.closeReceived }

// readSize is the size of the buffer that Read holds, in bytes. Few commands are longer.
const readSize = 512

// Read feeds what r returns until the input has ended or r returns an error. It returns that error, or nil if it was
// io.EOF after a complete frame.
func (in *Input) Read(r io.Reader) error {
	b := make([]byte, readSize)
	for in.end.Code == 0 {
		n, err := r.Read(b)
		in.Feed(b[:n])
		if errors.Is(err, io.EOF) && len(in.partial) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Feed parses the next bytes, overwriting b. It returns false once the input has ended; further bytes are ignored.
func (in *Input) Feed(b []byte) bool {
	if len(in.partial) > 0 {
		in.partial = append(in.partial, b...)
		b = in.partial
	}
	for in.end.Code == 0 {
		n := in.parseFrame(b)
		if n == 0 {
			break
		}
		b = b[n:]
	}
	switch {
	case in.end.Code != 0 || len(b) == 0:
		in.partial = nil
	case len(b) != len(in.partial): // equal: nothing was parsed, as for a long message in many pieces
		in.partial = append(in.partial[:0], b...) // b may be the end of in.partial
	}
	return in.end.Code == 0
}

// parseFrame parses the frame at the start of b and returns its size. It returns 0 if the frame is incomplete, or has
// ended the input by its header alone.
func (in *Input) parseFrame(b []byte) int {
	h, ok := wire.ParseFrameHeader(b)
	if !ok {
		return 0
	}
	compressed := in.Deflate && h.Reserved == wire.RSV1 && (h.Op == wire.OpText || h.Op == wire.OpBinary)
	if compressed {
		h.Reserved = 0
	}
	if err := checkHeader(h, in.state); err != nil {
		in.end = Close{wire.CloseProtocol, err.Error()}
		return 0
	}
	control := h.Op >= wire.OpClose
	switch {
	case control:
	case h.Length > uint64(in.MaxMessage-len(in.message)):
		in.end = Close{wire.CloseTooBig, cmp.Or(in.TooBig, "a message is larger than limits.message_size")}
		return 0
	case h.Op == wire.OpBinary:
		in.end = Close{wire.CloseUnsupported, "commands are text messages"}
		return 0
	}
	size := h.Size + int(h.Length)
	if len(b) < size {
		return 0
	}
	payload := b[h.Size:size]
	ws.Cipher(payload, h.Mask, 0)
	in.compressed = in.compressed || compressed
	switch {
	case control:
		in.handleControl(h.Op, payload)
	case h.Final:
		in.state = in.state.Clear(ws.StateFragmented)
		if in.message != nil {
			payload = append(in.message, payload...)
			in.message = nil
		}
		in.handleMessage(payload)
	default:
		in.state = in.state.Set(ws.StateFragmented)
		in.message = append(in.message, payload...)
		if len(payload) == 0 {
			in.end = in.Handler.HandleEmptyFragment()
		}
	}
	return size
}

// checkHeader checks a header against RFC 6455 §5.2, and its opcode against the frames before it (§5.4).
func checkHeader(h wire.FrameHeader, state ws.State) error {
	if h.Length>>63 != 0 {
		return ws.ErrHeaderLengthMSB
	}
	if !minimalLength(h) {
		return errLength
	}
	return ws.CheckHeader(ws.Header{Fin: h.Final, Rsv: h.Reserved >> 4, OpCode: ws.OpCode(h.Op), Masked: h.Masked, Mask: h.Mask, Length: int64(h.Length)},
		state.Set(ws.StateServerSide))
}

var errLength = errors.New("the length of a frame isn't in its shortest form")

// minimalLength reports whether a header has its length in the fewest bytes, as RFC 6455 §5.2 requires.
func minimalLength(h wire.FrameHeader) bool {
	size := h.Size
	if h.Masked {
		size -= len(h.Mask)
	}
	return size == len(wire.AppendFrameHeader(make([]byte, 0, size), h.Op, int(h.Length)))
}

func (in *Input) handleControl(op byte, payload []byte) {
	switch op {
	case wire.OpPing:
		in.end = in.Handler.HandlePing(payload)
	case wire.OpClose:
		in.closeReceived = true
		in.end = Close{Code: closeResponse(payload)}
	}
}

// maxCloseCode is the last close code of RFC 6455 §7.4.2.
const maxCloseCode = 4999

// closeResponse returns the code of the response to a client's close frame: the client's own (RFC 6455 §5.5.1), 1000 if it
// sent none, 1002 if the frame is malformed or the code isn't one that may be sent.
func closeResponse(payload []byte) uint16 {
	switch {
	case len(payload) == 0:
		return wire.CloseNormal
	case len(payload) == 1:
		return wire.CloseProtocol
	}
	code := binary.BigEndian.Uint16(payload)
	if ws.StatusCode(code).Empty() || code > maxCloseCode || ws.CheckCloseFrameData(ws.StatusCode(code), string(payload[2:])) != nil {
		return wire.CloseProtocol
	}
	return code
}

// handleMessage inflates a message if necessary, checks it and passes it to the handler.
func (in *Input) handleMessage(message []byte) {
	if in.compressed {
		in.compressed = false
		text, err := inflate(message, in.MaxMessage)
		switch {
		case errors.Is(err, errTooBig):
			in.end = Close{wire.CloseTooBig, err.Error()}
			return
		case err != nil:
			in.end = Close{wire.CloseInvalidData, err.Error()}
			return
		}
		message = text
	}
	if !utf8.Valid(message) {
		in.end = Close{wire.CloseInvalidData, "a text message is not UTF-8"}
		return
	}
	in.end = in.Handler.HandleText(message)
}
