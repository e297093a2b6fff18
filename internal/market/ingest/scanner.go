package ingest

import "encoding/json"

// kind is the kind of a JSON value.
type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindText
	kindComposite // an array or object
)

// value is a JSON value: its bytes, with the quotes of a text.
type value struct {
	raw     []byte
	kind    kind
	escaped bool // a text with at least one escape
}

// scanner reads tokens of JSON (RFC 8259).
type scanner struct {
	b []byte
	i int
}

func (s *scanner) space() {
	for s.i < len(s.b) && isSpace(s.b[s.i]) {
		s.i++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// accept skips space and the character c, and reports whether that was there.
func (s *scanner) accept(c byte) bool {
	s.space()
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

// end returns an error unless only space is left.
func (s *scanner) end() *fault {
	if s.space(); s.i < len(s.b) {
		return notJSON
	}
	return nil
}

// value reads a value.
func (s *scanner) value() (v value, ok bool) {
	if s.space(); s.i == len(s.b) {
		return v, false
	}
	switch c := s.b[s.i]; {
	case c == '"':
		return s.text()
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	case c == '{' || c == '[':
		return s.composite()
	case c == 't':
		return s.word("true", kindBool)
	case c == 'f':
		return s.word("false", kindBool)
	case c == 'n':
		return s.word("null", kindNull)
	}
	return v, false
}

func (s *scanner) word(w string, k kind) (v value, ok bool) {
	end := s.i + len(w)
	if end > len(s.b) || string(s.b[s.i:end]) != w {
		return v, false
	}
	v = value{raw: s.b[s.i:end], kind: k}
	s.i = end
	return v, true
}

// text reads a string. Escapes are checked by encoding/json, since they are rare.
func (s *scanner) text() (v value, ok bool) {
	if s.i == len(s.b) || s.b[s.i] != '"' {
		return v, false
	}
	for i := s.i + 1; i < len(s.b); i++ {
		switch c := s.b[i]; {
		case c == '"':
			v.raw, v.kind = s.b[s.i:i+1], kindText
			s.i = i + 1
			return v, !v.escaped || json.Valid(v.raw)
		case c == '\\':
			v.escaped = true
			i++
		case c < ' ':
			return v, false
		}
	}
	return v, false
}

// number reads a number.
func (s *scanner) number() (v value, ok bool) {
	i := s.i
	if s.b[i] == '-' {
		i++
	}
	whole := digits(s.b, i)
	if whole == i || s.b[i] == '0' && whole > i+1 {
		return v, false
	}
	if i = whole; i < len(s.b) && s.b[i] == '.' {
		end := digits(s.b, i+1)
		if end == i+1 {
			return v, false
		}
		i = end
	}
	if i < len(s.b) && s.b[i]|0x20 == 'e' {
		i++
		if i < len(s.b) && (s.b[i] == '+' || s.b[i] == '-') {
			i++
		}
		end := digits(s.b, i)
		if end == i {
			return v, false
		}
		i = end
	}
	v = value{raw: s.b[s.i:i], kind: kindNumber}
	s.i = i
	return v, true
}

// digits returns the index after the digits that begin at i.
func digits(b []byte, i int) int {
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		i++
	}
	return i
}

// composite reads an array or object. Its content is checked by encoding/json.
func (s *scanner) composite() (v value, ok bool) {
	depth, inText := 0, false
	for i := s.i; i < len(s.b); i++ {
		switch c := s.b[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				v = value{raw: s.b[s.i : i+1], kind: kindComposite}
				s.i = i + 1
				return v, json.Valid(v.raw)
			}
		}
	}
	return v, false
}
