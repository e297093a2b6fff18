package websocket

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Deflate is the outcome of a negotiation of permessage-deflate. The zero value means that it isn't used.
type Deflate struct {
	// Response is the value of Sec-WebSocket-Extensions in the response.
	Response string
	// PerMessage means that the client can't keep the text of earlier messages (server_no_context_takeover), so each
	// message of the server must be compressed independently.
	PerMessage bool
}

// ErrExtensions is returned for a Sec-WebSocket-Extensions header that isn't a list of extensions (RFC 6455 §9.1).
var ErrExtensions = errors.New("not a list of extensions as in RFC 6455 §9.1")

// NegotiateDeflate chooses the first offer of permessage-deflate that this server can accept (RFC 7692 §5, §7.1).
// extensions are the values of the request's Sec-WebSocket-Extensions. Other extensions and parameters are declined, which
// is no error.
func NegotiateDeflate(extensions []string) (Deflate, error) {
	if len(extensions) == 0 {
		return Deflate{}, nil
	}
	offers, ok := parseExtensions(strings.Join(extensions, ","))
	if !ok {
		return Deflate{}, ErrExtensions
	}
	for _, o := range offers {
		if d, ok := o.accept(); ok {
			return d, nil
		}
	}
	return Deflate{}, nil
}

// extension is one offer: a name and its parameters.
type extension struct {
	name   string
	params []param
}

type param struct {
	name, value string
	hasValue    bool
}

// accept returns the response to an offer; ok is false if it must be declined. Offers of a window smaller than 32 KiB are:
// the server's compressed blocks refer back as far as that. The client's messages must be compressed independently: a
// window for each connection would cost more memory than short commands are worth.
func (e extension) accept() (d Deflate, ok bool) {
	if e.name != "permessage-deflate" {
		return Deflate{}, false
	}
	d.Response = "permessage-deflate; client_no_context_takeover"
	for i, p := range e.params {
		if slices.ContainsFunc(e.params[:i], func(q param) bool { return q.name == p.name }) {
			return Deflate{}, false
		}
		switch {
		case p.name == "client_no_context_takeover" && !p.hasValue:
		case p.name == "server_no_context_takeover" && !p.hasValue:
			d.PerMessage = true
			d.Response += "; server_no_context_takeover"
		case p.name == "client_max_window_bits" && (!p.hasValue || isWindowBits(p.value)):
		case p.name == "server_max_window_bits" && p.value == "15":
			d.Response += "; server_max_window_bits=15"
		default:
			return Deflate{}, false
		}
	}
	return d, true
}

// isWindowBits reports whether v is a number from 8 to 15 without leading zeros (RFC 7692 §7.1.2).
func isWindowBits(v string) bool {
	return slices.Contains([]string{"8", "9", "10", "11", "12", "13", "14", "15"}, v)
}

// parseExtensions parses a list of extensions with their parameters (RFC 6455 §9.1). ok is false if it is malformed or
// empty.
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
			if p.hasValue = s.take('='); p.hasValue {
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

// scanner is the unread rest of a header value. Its methods skip white space after what they read.
type scanner string

func (s *scanner) skipSpace() { *s = scanner(strings.TrimLeft(string(*s), " \t")) }

// take reads c, and reports whether it was there.
func (s *scanner) take(c byte) bool {
	s.skipSpace()
	if *s == "" || (*s)[0] != c {
		return false
	}
	*s = (*s)[1:]
	s.skipSpace()
	return true
}

// token reads a token (RFC 9110 §5.6.2). It returns "" if there is none.
func (s *scanner) token() string {
	n := 0
	for n < len(*s) && isTokenByte((*s)[n]) {
		n++
	}
	t := string((*s)[:n])
	*s = (*s)[n:]
	s.skipSpace()
	return t
}

func isTokenByte(c byte) bool { return httpguts.IsTokenRune(rune(c)) }

// value reads a token, or a quoted string whose content is a token. It returns "" if there is neither.
func (s *scanner) value() string {
	if *s == "" || (*s)[0] != '"' {
		return s.token()
	}
	*s = (*s)[1:]
	var b []byte
	escaped := false
	for i, c := range []byte(*s) {
		switch {
		case isTokenByte(c):
			b, escaped = append(b, c), false
		case escaped: // what is escaped must be part of a token too
			return ""
		case c == '\\':
			escaped = true
		case c == '"':
			*s = (*s)[i+1:]
			s.skipSpace()
			return string(b)
		default:
			return ""
		}
	}
	return ""
}
