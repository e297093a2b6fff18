package handlers

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// gzipOffered tells what the request's Accept-Encoding allows, and that the answer depends on it.
func (s *Server) gzipOffered(c *fiber.Ctx) stream.Compression {
	if !s.stream.CompressionEnabled() {
		return stream.CompressNone
	}
	c.Vary(fiber.HeaderAcceptEncoding)
	if accepted(listed(&c.Request().Header, fiber.HeaderAcceptEncoding), "gzip") {
		return stream.CompressGzip
	}
	return stream.CompressNone
}

// deflateOffered chooses the first of the client's offers of permessage-deflate that can be met (RFC 7692 §5, §7.1), and
// returns what the handshake must answer. The error is a problem.
func (s *Server) deflateOffered(c *fiber.Ctx) (stream.Compression, string, error) {
	lines := c.Request().Header.PeekAll("Sec-WebSocket-Extensions")
	if len(lines) == 0 || !s.stream.CompressionEnabled() {
		return stream.CompressNone, "", nil
	}
	offers, ok := parseExtensions(string(bytes.Join(lines, []byte(","))))
	if !ok {
		return stream.CompressNone, "", problemOf(http.StatusBadRequest, "Sec-WebSocket-Extensions: not a list of extensions as RFC 6455 §9.1 has them.")
	}
	for _, o := range offers {
		if kind, answer := o.meet(); kind != stream.CompressNone {
			return kind, answer, nil
		}
	}
	return stream.CompressNone, "", nil
}

// agreed is what of a client's offer this stream takes.
func (o *subscription) agreed(offered stream.Compression) stream.Compression {
	if o.plain {
		return stream.CompressNone
	}
	return offered
}

// extension is one offer: a name and its parameters.
type extension struct {
	name   string
	params []param
}

type param struct {
	name, value string
	valued      bool
}

// meet tells how an offer is accepted, CompressNone for not at all. The server's blocks refer back as far as 32 KiB, so a
// smaller window is declined. What the client sends must be messages each of its own: a context for each connection to
// inflate them would cost more than all their commands are worth.
func (e extension) meet() (stream.Compression, string) {
	if e.name != "permessage-deflate" {
		return stream.CompressNone, ""
	}
	kind, answer := stream.CompressDeflate, "permessage-deflate; client_no_context_takeover"
	for i, p := range e.params {
		if slices.ContainsFunc(e.params[:i], func(q param) bool { return q.name == p.name }) {
			return stream.CompressNone, ""
		}
		switch {
		case p.name == "client_no_context_takeover" && !p.valued:
		case p.name == "server_no_context_takeover" && !p.valued:
			kind = stream.CompressPerMessage
			answer += "; server_no_context_takeover"
		case p.name == "client_max_window_bits" && (!p.valued || windowBits(p.value)):
		case p.name == "server_max_window_bits" && p.value == "15":
			answer += "; server_max_window_bits=15"
		default:
			return stream.CompressNone, ""
		}
	}
	return kind, answer
}

func windowBits(v string) bool {
	return slices.Contains([]string{"8", "9", "10", "11", "12", "13", "14", "15"}, v)
}

// parseExtensions reads a list of extensions with their parameters (RFC 6455 §9.1).
func parseExtensions(list string) (all []extension, ok bool) {
	s := scanner(list)
	for {
		for s.take(',') { // empty elements are allowed (RFC 9110 §5.6.1)
		}
		if s == "" {
			return all, len(all) > 0
		}
		e := extension{name: s.token()}
		if e.name == "" {
			return nil, false
		}
		for s.take(';') {
			p := param{name: s.token()}
			if p.name == "" {
				return nil, false
			}
			if p.valued = s.take('='); p.valued {
				if p.value = s.value(); p.value == "" {
					return nil, false
				}
			}
			e.params = append(e.params, p)
		}
		all = append(all, e)
		if s != "" && s[0] != ',' {
			return nil, false
		}
	}
}

// scanner is what is left of a header.
type scanner string

func (s *scanner) space() { *s = scanner(strings.TrimLeft(string(*s), " \t")) }

func (s *scanner) take(c byte) bool {
	s.space()
	if *s == "" || (*s)[0] != c {
		return false
	}
	*s = (*s)[1:]
	s.space()
	return true
}

// token reads one (RFC 9110 §5.6.2), "" when there is none.
func (s *scanner) token() string {
	n := 0
	for n < len(*s) && isToken((*s)[n]) {
		n++
	}
	t := string((*s)[:n])
	*s = (*s)[n:]
	s.space()
	return t
}

func isToken(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// value reads a token, or a token in quotes; "" when there is neither.
func (s *scanner) value() string {
	if *s == "" || (*s)[0] != '"' {
		return s.token()
	}
	var b []byte
	for i := 1; i < len(*s); i++ {
		c := (*s)[i]
		switch {
		case c == '"':
			*s = (*s)[i+1:]
			s.space()
			return string(b)
		case c == '\\' && i+1 < len(*s):
			i++
			c = (*s)[i]
		}
		if !isToken(c) {
			break // unescaped, it must be a token
		}
		b = append(b, c)
	}
	return ""
}

var (
	errBomb    = errors.New("a message inflates to more than limits.message_size")
	errDeflate = errors.New("a message can't be inflated")
)

var inflaters = sync.Pool{New: func() any { return flate.NewReader(nil) }}

// messageTail is what a sender leaves out at a message's end (RFC 7692 §7.2.2), and an empty last block.
const messageTail = "\x00\x00\xff\xff\x01\x00\x00\xff\xff"

// lastBlocks is how often a message may call a block its last. To go on after one costs a copy of the text before it, so a
// message of nothing else would keep a processor busy for a second and more.
const lastBlocks = 128

// inflate returns a message that came by itself, at most so many bytes of it.
func inflate(packed []byte, most int) ([]byte, error) {
	r := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(r)
	src := bytes.NewReader(append(slices.Clone(packed), messageTail...))
	var text []byte
	// A block may call itself the last, and others follow from the next byte on (RFC 7692 §7.2.3.4).
	for range lastBlocks {
		if err := r.(flate.Resetter).Reset(src, text); err != nil {
			return nil, errDeflate
		}
		more, err := io.ReadAll(io.LimitReader(r, int64(most-len(text))+1))
		text = append(text, more...)
		switch {
		case len(text) > most:
			return nil, errBomb
		case err != nil:
			return nil, errDeflate
		case src.Len() <= len(messageTail):
			return text, nil
		}
	}
	return nil, errDeflate
}

// unpacked takes a whole message in; what can't be inflated ends the stream.
func (in *inbound) unpacked(message []byte) {
	if !in.packed {
		in.command(message)
		return
	}
	in.packed = false
	text, err := inflate(message, in.most)
	switch {
	case errors.Is(err, errBomb):
		in.close(wire.CloseTooBig, err.Error())
	case err != nil:
		in.close(wire.CloseInvalidData, err.Error())
	default:
		in.command(text)
	}
}
