package handlers

import (
	"compress/flate"
	"fmt"
	"io"
	"strings"

	"github.com/gobwas/ws"

	"ticklane/internal/wire"
	"ticklane/internal/wire/wiretest"
)

// event reads one event as WHATWG HTML §9.2.6 says; an event that isn't ended by a blank line doesn't count.
func (c *client) event() (m message, err error) {
	var data []string
	named := false
	for {
		line, err := c.body.ReadString('\n')
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
			m.event, named = value, true
		case "data":
			data = append(data, value)
		case "id":
			m.id = value
			c.last = value
		case "retry":
			m.retry = value
		default:
			return m, fmt.Errorf("line %q", line)
		}
	}
	if len(data) > 1 {
		return m, fmt.Errorf("data of %d lines", len(data))
	}
	if !named {
		m.event = "message"
	}
	m.text = strings.Join(data, "\n")
	m.size = len(m.text)
	return m, nil
}

func (c *client) frame() (m message, err error) {
	h, err := ws.ReadHeader(c.r)
	if err != nil {
		return m, err
	}
	extension := c.header.Get("Sec-Websocket-Extensions")
	if h.Masked || !h.Fin || h.Rsv != 0 && (h.Rsv != ws.Rsv(true, false, false) || extension == "" || h.OpCode.IsControl()) {
		return m, fmt.Errorf("frame %+v", h)
	}
	b := make([]byte, h.Length)
	if _, err := io.ReadFull(c.r, b); err != nil {
		return m, err
	}
	if h.Rsv != 0 {
		if strings.Contains(extension, "server_no_context_takeover") {
			c.window = nil
		}
		b, err = io.ReadAll(flate.NewReaderDict(strings.NewReader(string(b)+"\x00\x00\xff\xff"), c.window))
		if err != io.ErrUnexpectedEOF {
			return m, fmt.Errorf("inflate: %v", err)
		}
		c.window = append(c.window, b...)
		c.window = c.window[max(0, len(c.window)-32<<10):]
		c.packed++
	}
	switch h.OpCode {
	case ws.OpText, ws.OpBinary:
		if (h.OpCode == ws.OpBinary) != (c.format == wire.WSProto) {
			return m, fmt.Errorf("frame %+v in %s", h, c.format)
		}
		m.size = len(b)
		if m.text = string(b); c.format == wire.WSProto {
			m.text, err = wiretest.Text(b)
			return m, err
		}
	case ws.OpPong:
		c.pongs = append(c.pongs, string(b))
	case ws.OpClose:
		code, reason := ws.ParseCloseFrameData(b)
		return m, closed{uint16(code), reason}
	default:
		return m, fmt.Errorf("frame %+v", h)
	}
	return m, nil
}
