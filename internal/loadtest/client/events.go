package client

import (
	"bytes"
	"fmt"
)

// maxMessage bounds one message on either lane, in bytes. A snapshot of thousands of symbols is smaller.
const maxMessage = 16 << 20

// eventParser parses an event stream that arrives in pieces of any size (WHATWG HTML, "Server-sent events"). It accepts
// LF and CRLF as line ends, not CR alone, which servers don't write.
type eventParser struct {
	// emit receives each event that has data. id is the last event id, which stays valid for later events without one.
	// The slices are valid until it returns.
	emit func(id, data []byte) error

	line    []byte // own buffer: the start of a line that the last piece ended in
	partial bool   // line holds such a start
	held    []byte // own buffer: data of an event that the last piece ended in
	spare   []byte // own buffer: alternates with held, which data may alias
	joined  []byte // own buffer: data of several lines
	id      []byte // own buffer: last event id
	data    []byte
	hasData bool
}

// feed parses the next piece of the stream. It keeps nothing of b.
func (p *eventParser) feed(b []byte) error {
	for len(b) > 0 {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			break
		}
		line := b[:end]
		b = b[end+1:]
		if p.partial {
			p.line = append(p.line, line...)
			line, p.partial = p.line, false
		}
		if n := len(line); n > 0 && line[n-1] == '\r' {
			line = line[:n-1]
		}
		if len(line) > 0 {
			p.field(line)
			continue
		}
		if err := p.dispatch(); err != nil {
			return err
		}
	}
	p.keep()
	if len(b) > 0 {
		if !p.partial {
			p.line, p.partial = p.line[:0], true
		}
		p.line = append(p.line, b...)
	}
	if len(p.line) > maxMessage || len(p.data) > maxMessage {
		return fmt.Errorf("event stream: an event exceeds %d MiB", maxMessage>>20)
	}
	return nil
}

var colon = []byte{':'}

func (p *eventParser) field(line []byte) {
	name, value, _ := bytes.Cut(line, colon)
	if len(value) > 0 && value[0] == ' ' {
		value = value[1:]
	}
	switch string(name) {
	case "data":
		switch {
		case !p.hasData:
			p.data, p.hasData = value, true
		case len(p.joined) > 0 && len(p.data) > 0 && &p.joined[0] == &p.data[0]:
			p.joined = append(append(p.joined, '\n'), value...)
			p.data = p.joined
		default:
			p.joined = append(append(append(p.joined[:0], p.data...), '\n'), value...)
			p.data = p.joined
		}
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			p.id = append(p.id[:0], value...)
		}
	}
}

func (p *eventParser) dispatch() error {
	data, hasData := p.data, p.hasData
	p.data, p.hasData = nil, false
	if !hasData {
		return nil
	}
	return p.emit(p.id, data)
}

// keep copies the data of an unfinished event, which may alias the piece.
func (p *eventParser) keep() {
	if !p.hasData {
		return
	}
	p.spare = append(p.spare[:0], p.data...)
	p.data = p.spare
	p.spare, p.held = p.held, p.spare
}
