package wiretest

import (
	"bufio"
	"compress/flate"
	"fmt"
	"io"
	"strings"

	"github.com/gobwas/ws"
)

// ReadEvent reads one Server-Sent Event (WHATWG HTML §9.2.6) and the message in it. It is stricter than the standard:
// unknown fields, comments and data of several lines are errors. An event without its blank line gives the error of the
// read.
func ReadEvent(r *bufio.Reader) (Message, error) {
	m := Message{Event: "message"}
	lines := 0
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return m, err
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			break
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			m.Event = value
		case "data":
			m.Text = value
			lines++
		case "id":
			m.EventID = value
		case "retry":
			m.EventRetry = value
		default:
			return m, fmt.Errorf("line %q", line)
		}
	}
	if lines != 1 {
		return m, fmt.Errorf("an event with %d lines of data", lines)
	}
	m.Size = len(m.Text)
	return m, m.parse()
}

// CloseError is the close frame that ended a WebSocket.
type CloseError struct {
	Code   uint16
	Reason string
}

func (e CloseError) Error() string { return fmt.Sprintf("closed with %d %s", e.Code, e.Reason) }

// rsv1 marks a compressed message (RFC 7692 §6).
const rsv1 = 4

// FrameReader reads the frames of a server's WebSocket stream. The zero value reads uncompressed JSON.
type FrameReader struct {
	Protobuf   bool   // messages are protobuf in binary frames instead of JSON in text frames
	Deflate    bool   // the handshake agreed on permessage-deflate
	NoTakeover bool   // and on server_no_context_takeover
	Scales     Scales // of the instruments of protobuf messages, learned from them; nil: all have the default scale

	Compressed int      // messages that were compressed
	Pongs      []string // payloads of Pong frames

	window   []byte // text that a compressed message may refer to
	inflater io.ReadCloser
}

// Read returns the next message. A Close frame gives a CloseError. Fragmented or masked frames, other opcodes than the
// format's and reserved bits that weren't negotiated are errors.
func (f *FrameReader) Read(r *bufio.Reader) (Message, error) {
	for {
		m, data, err := f.frame(r)
		if err != nil {
			return m, err
		}
		if data {
			return m, m.parse()
		}
	}
}

// frame reads one frame; data reports whether it holds a message.
func (f *FrameReader) frame(r *bufio.Reader) (m Message, data bool, err error) {
	h, err := ws.ReadHeader(r)
	if err != nil {
		return m, false, err
	}
	if h.Masked || !h.Fin || h.Rsv != 0 && (h.Rsv != rsv1 || !f.Deflate || h.OpCode.IsControl()) {
		return m, false, fmt.Errorf("frame %+v", h)
	}
	b := make([]byte, h.Length)
	if _, err := io.ReadFull(r, b); err != nil {
		return m, false, err
	}
	if h.Rsv != 0 {
		if b, err = f.inflate(b); err != nil {
			return m, false, err
		}
	}
	switch h.OpCode {
	case ws.OpText, ws.OpBinary:
		if (h.OpCode == ws.OpBinary) != f.Protobuf {
			return m, false, fmt.Errorf("frame %+v, protobuf %t", h, f.Protobuf)
		}
		m.Size, m.Text = len(b), string(b)
		if f.Protobuf && f.Scales != nil {
			m.Text, err = f.Scales.Text(b)
		} else if f.Protobuf {
			m.Text, err = Text(b)
		}
		return m, true, err
	case ws.OpPong:
		f.Pongs = append(f.Pongs, string(b))
		return m, false, nil
	case ws.OpClose:
		code, reason := ws.ParseCloseFrameData(b)
		return m, false, CloseError{uint16(code), reason}
	}
	return m, false, fmt.Errorf("frame %+v", h)
}

// inflate decompresses the payload of a message (RFC 7692 §7.2.2).
func (f *FrameReader) inflate(b []byte) ([]byte, error) {
	if f.NoTakeover {
		f.window = nil
	}
	payload := strings.NewReader(string(b) + "\x00\x00\xff\xff")
	if f.inflater == nil {
		f.inflater = flate.NewReader(nil)
	}
	if err := f.inflater.(flate.Resetter).Reset(payload, f.window); err != nil {
		return nil, fmt.Errorf("inflate: %v", err)
	}
	text, err := io.ReadAll(f.inflater)
	if err != io.ErrUnexpectedEOF { // no final block
		return nil, fmt.Errorf("inflate: %v", err)
	}
	f.window = append(f.window, text...)
	f.window = f.window[max(0, len(f.window)-32<<10):]
	f.Compressed++
	return text, nil
}
