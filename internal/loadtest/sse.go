package loadtest

import (
	"bytes"
	"fmt"
)

// maxMessage bounds one message of either lane: a snapshot of thousands of symbols is below it.
const maxMessage = 16 << 20

// eventScanner takes an event stream apart as it arrives, in pieces of any size. It reads what the standard calls a
// stream (WHATWG HTML, "Server-sent events"), but takes only LF and CRLF as line ends, which is what servers write.
type eventScanner struct {
	// emit gets each event that has data; id is the last event id, which outlives its event. The slices hold until it
	// returns.
	emit func(name, id, data []byte) error

	line    []byte // of our own: a line that the last piece cut
	cut     bool   // line holds the start of one
	held    []byte // of our own: name and data of an event that the last piece cut
	spare   []byte
	joined  []byte // of our own: data of several lines
	last    []byte // last event id
	name    []byte
	data    []byte
	hasData bool
}

// feed takes the next piece of the stream. Nothing of it is kept.
func (s *eventScanner) feed(b []byte) error {
	for len(b) > 0 {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			break
		}
		line := b[:end]
		b = b[end+1:]
		if s.cut {
			s.line = append(s.line, line...)
			line, s.cut = s.line, false
		}
		if n := len(line); n > 0 && line[n-1] == '\r' {
			line = line[:n-1]
		}
		if len(line) > 0 {
			s.field(line)
			continue
		}
		if err := s.dispatch(); err != nil {
			return err
		}
	}
	s.keep()
	if len(b) > 0 {
		if !s.cut {
			s.line, s.cut = s.line[:0], true
		}
		s.line = append(s.line, b...)
	}
	if len(s.line) > maxMessage || len(s.data) > maxMessage {
		return fmt.Errorf("an event of more than %d MiB", maxMessage>>20)
	}
	return nil
}

func (s *eventScanner) field(line []byte) {
	name, value, _ := bytes.Cut(line, colon)
	if len(value) > 0 && value[0] == ' ' {
		value = value[1:]
	}
	switch string(name) {
	case "data":
		switch {
		case !s.hasData:
			s.data, s.hasData = value, true
		case len(s.joined) > 0 && len(s.data) > 0 && &s.joined[0] == &s.data[0]:
			s.joined = append(append(s.joined, '\n'), value...)
			s.data = s.joined
		default:
			s.joined = append(append(append(s.joined[:0], s.data...), '\n'), value...)
			s.data = s.joined
		}
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			s.last = append(s.last[:0], value...)
		}
	case "event":
		s.name = value
	}
}

var colon = []byte{':'}

func (s *eventScanner) dispatch() error {
	name, data, has := s.name, s.data, s.hasData
	s.name, s.data, s.hasData = nil, nil, false
	if !has {
		return nil
	}
	return s.emit(name, s.last, data)
}

// keep copies what an unfinished event has so far, since the piece that it points into goes away.
func (s *eventScanner) keep() {
	if !s.hasData && s.name == nil {
		return
	}
	// Two buffers by turns: name and data may lie in the other one.
	b := append(append(s.spare[:0], s.name...), s.data...)
	n := len(s.name)
	if s.name != nil {
		s.name = b[:n:n]
	}
	if s.hasData {
		s.data = b[n:]
	}
	s.spare, s.held = s.held, b
}
