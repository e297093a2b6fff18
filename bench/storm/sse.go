package storm

import (
	"bytes"
	"strconv"
)

// eventParser parses an event stream that arrives in pieces of any size (WHATWG HTML, "Server-sent events"). Lines end
// with LF or CRLF. The zero value is the start of a stream.
type eventParser struct {
	line []byte // the start of a line that the last piece ended in
	data []byte // of the event so far
	has  bool   // the event has a data line
	lent bool   // data aliases the current piece
	id   []byte // last event id
	set  bool   // the event has an id line
	wait int64  // the retry field since the last event, ms
}

// idle reports whether the last piece ended at the end of an event.
func (p *eventParser) idle() bool { return len(p.line) == 0 && !p.has && !p.set }

// feed parses the next piece and calls emit for each event. data is valid until emit returns.
func (p *eventParser) feed(b []byte, emit func(data []byte, e *eventParser)) {
	for len(b) > 0 {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			p.line = append(p.line, b...)
			break
		}
		line := b[:end]
		b = b[end+1:]
		own := len(p.line) > 0
		if own {
			p.line = append(p.line, line...)
			line = p.line
		}
		p.take(bytes.TrimSuffix(line, []byte{'\r'}), emit)
		if own {
			if p.lent { // data aliases the line's buffer, whose memory it keeps
				p.line, p.lent = nil, false
			} else {
				p.line = p.line[:0]
			}
		}
	}
	if p.lent {
		p.data, p.lent = bytes.Clone(p.data), false
	}
	if cap(p.line) > 4<<10 && len(p.line) == 0 {
		p.line = nil // thousands of clients have one
	}
}

func (p *eventParser) take(line []byte, emit func(data []byte, e *eventParser)) {
	if len(line) == 0 {
		if p.has {
			emit(p.data, p)
			p.wait = 0
		}
		p.data, p.has, p.lent, p.set = nil, false, false, false
		return
	}
	name, value, _ := bytes.Cut(line, []byte{':'})
	value = bytes.TrimPrefix(value, []byte{' '})
	switch string(name) {
	case "data":
		if p.has {
			p.data, p.lent = append(append(bytes.Clone(p.data), '\n'), value...), false
		} else {
			p.data, p.has, p.lent = value, true, true
		}
	case "id":
		p.id, p.set = append(p.id[:0], value...), true
	case "retry":
		if ms, err := strconv.ParseInt(string(value), 10, 64); err == nil && ms >= 0 {
			p.wait = ms
		}
	}
}
