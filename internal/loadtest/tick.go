package loadtest

import "bytes"

var (
	tickStart     = []byte(`{"T":"q",`)
	snapshotStart = []byte(`{"T":"snapshot",`)
)

// tick is what a q message is judged by.
type tick struct {
	symbol []byte // part of the message
	due    int64  // µs since 1970
	n, i   uint64
}

// isTick tells whether a message is a q message.
func isTick(b []byte) bool { return bytes.HasPrefix(b, tickStart) }

// scan finds the members S, t, n and i in the text of one q message, in any order, without a JSON decoder: a name of
// one letter and its colon can't stand inside a value, since no value holds a quotation mark. ok is false when one of
// them is missing or no whole number.
func (t *tick) scan(b []byte) (ok bool) {
	found := 0
	for p := 0; p+4 < len(b); p++ {
		if b[p] != '"' || b[p+2] != '"' || b[p+3] != ':' {
			continue
		}
		switch value := b[p+4:]; b[p+1] {
		case 'S':
			end := bytes.IndexByte(value[1:], '"')
			if value[0] != '"' || end < 1 {
				return false
			}
			t.symbol = value[1 : 1+end]
			p += 4 + end
			found |= 1
		case 't':
			v, digits := leadingUint(value)
			if digits == 0 {
				return false
			}
			t.due = int64(v)
			p += 3 + digits
			found |= 2
		case 'n':
			v, digits := leadingUint(value)
			if digits == 0 {
				return false
			}
			t.n = v
			p += 3 + digits
			found |= 4
		case 'i':
			v, digits := leadingUint(value)
			if digits == 0 {
				return false
			}
			t.i = v
			p += 3 + digits
			found |= 8
		}
	}
	return found == 15
}

// leadingUint reads the digits at the start of b; digits is 0 when there is none or there are more than a uint64 holds.
func leadingUint(b []byte) (v uint64, digits int) {
	for digits < len(b) && b[digits] >= '0' && b[digits] <= '9' {
		v = v*10 + uint64(b[digits]-'0')
		digits++
	}
	if digits > 19 {
		return 0, 0
	}
	return v, digits
}

// scanSnapshot calls each for every quote of a snapshot's text and returns the seq that it holds for.
func scanSnapshot(b []byte, each func(t *tick)) (i uint64, ok bool) {
	head, quotes, ok := bytes.Cut(b, []byte(`"quotes":[`))
	if !ok {
		return 0, false
	}
	_, at, ok := bytes.Cut(head, []byte(`"i":`))
	if !ok {
		return 0, false
	}
	i, digits := leadingUint(at)
	if digits == 0 {
		return 0, false
	}
	var t tick
	for {
		start := bytes.Index(quotes, tickStart)
		if start < 0 {
			return i, true
		}
		quotes = quotes[start:]
		end := bytes.IndexByte(quotes, '}')
		if end < 0 || !t.scan(quotes[:end+1]) {
			return i, false
		}
		each(&t)
		quotes = quotes[end:]
	}
}

// endsInSeq tells whether an SSE id ends in "-" and the decimal seq, so that a browser that resumes by id stands where
// the message says.
func endsInSeq(id []byte, seq uint64) bool {
	p := len(id) - 1
	for {
		if p < 0 || id[p] != byte('0'+seq%10) {
			return false
		}
		p--
		if seq /= 10; seq == 0 {
			return p >= 0 && id[p] == '-'
		}
	}
}
