package client

import (
	"bytes"
	"errors"
	"fmt"

	"ticklane/internal/wire"
)

// ErrEnded is a stream that the server ended: by a close frame, the last chunk, the end of the body or of the connection.
var ErrEnded = errors.New("the server ended the stream")

// Format is how the bytes behind a response's head carry a stream.
type Format struct {
	Lane        wire.Lane
	Protobuf    bool  // binary messages; WebSocket only
	Compressed  bool  // gzip on SSE, permessage-deflate on WebSocket
	Independent bool  // WebSocket: each message is compressed by itself
	Chunked     bool  // SSE: chunked transfer coding
	Length      int64 // SSE: Content-Length of a body that isn't chunked; −1 if the connection's end is the body's
}

// Handler receives what a Decoder finds. An error of any method ends the decoding and is returned by Feed.
type Handler interface {
	// Tick receives each tick. id is that of its SSE event, nil on WebSocket.
	Tick(t *Tick, id []byte) error
	// Message receives every other message.
	Message(m Message) error
	// Ping receives the payload of each WebSocket ping, which a client must answer with a pong.
	Ping(payload []byte) error
}

// Decoder decodes the stream of one connection, which arrives in pieces of any size. It is not safe for concurrent use.
type Decoder struct {
	handler  Handler
	format   Format
	left     int64 // bytes of the body still to come; −1 if unknown
	chunks   wire.Dechunker
	events   eventParser
	frames   frameParser
	gunzip   *inflater // of a compressed event stream
	saved    int64
	messages int
	tick     Tick
}

// NewDecoder returns a decoder of a stream in this format. Close must be called when the stream is over.
func NewDecoder(f Format, h Handler) *Decoder {
	d := &Decoder{handler: h, format: f, left: -1}
	if f.Lane == wire.WS {
		d.frames = frameParser{emit: d.frame, compressed: f.Compressed, independent: f.Independent}
		return d
	}
	d.events = eventParser{emit: d.json}
	if !f.Chunked {
		d.left = f.Length
	}
	if f.Compressed {
		d.gunzip = newGunzip()
	}
	return d
}

// Feed decodes the next piece and calls the handler for everything that is complete. It keeps nothing of b. Its error is
// the handler's, ErrEnded, or describes how the stream is invalid; Feed must not be called after an error.
func (d *Decoder) Feed(b []byte) error {
	switch {
	case d.format.Lane == wire.WS:
		return d.frames.feed(b)
	case d.format.Chunked:
		done, err := d.chunks.Feed(b, d.text)
		if done && err == nil {
			err = ErrEnded
		}
		return err
	case d.left < 0:
		return d.text(b)
	}
	b = b[:min(int64(len(b)), d.left)]
	d.left -= int64(len(b))
	if err := d.text(b); err != nil {
		return err
	}
	if d.left == 0 {
		return ErrEnded
	}
	return nil
}

// Close releases the decompressor, if there is one.
func (d *Decoder) Close() {
	d.frames.close()
	if d.gunzip != nil {
		d.gunzip.stop()
		d.gunzip = nil
	}
}

// takeTotals returns the number of messages, and of bytes saved by compression, since the last call.
func (d *Decoder) takeTotals() (messages int, saved int64) {
	messages, saved = d.messages, d.saved+d.frames.saved
	d.messages, d.saved, d.frames.saved = 0, 0, 0
	return messages, saved
}

// text decodes the next bytes of an event stream's body.
func (d *Decoder) text(b []byte) error {
	if d.gunzip == nil {
		return d.events.feed(b)
	}
	d.saved -= int64(len(b))
	return d.gunzip.feed(b, func(plain []byte) error {
		d.saved += int64(len(plain))
		return d.events.feed(plain)
	})
}

// frame decodes one WebSocket message or control frame.
func (d *Decoder) frame(op byte, payload []byte) error {
	switch op {
	case wire.OpText:
		if !d.format.Protobuf {
			return d.json(nil, payload)
		}
	case wire.OpBinary:
		if d.format.Protobuf {
			return d.protobuf(payload)
		}
	case wire.OpPing:
		return d.handler.Ping(payload)
	case wire.OpPong:
		return nil
	case wire.OpClose:
		return ErrEnded
	}
	return malformed(fmt.Sprintf("websocket: opcode %d", op))
}

func (d *Decoder) json(id, text []byte) error {
	d.messages++
	if !bytes.HasPrefix(text, tickPrefix) {
		return d.handler.Message(Message{kind: jsonText, body: text, id: id})
	}
	if !d.tick.parseJSON(text) {
		return malformed("tick")
	}
	return d.handler.Tick(&d.tick, id)
}

func (d *Decoder) protobuf(b []byte) error {
	d.messages++
	kind, body, ok := parseKind(b)
	switch {
	case !ok:
		return malformed("protobuf")
	case kind != kindQuote:
		return d.handler.Message(Message{kind: kind, body: body})
	case !d.tick.parseProto(body):
		return malformed("tick")
	}
	return d.handler.Tick(&d.tick, nil)
}
