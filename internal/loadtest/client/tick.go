package client

import "bytes"

// Tick is what a client checks of one tick.
type Tick struct {
	Symbol   []byte // valid while the message is
	Due      int64  // when the tick was due, µs since 1970
	Received int64  // when the server received it, µs since 1970; 0 unless the feed is live
	N        uint64 // number of the tick in its symbol
	Seq      uint64 // place of the tick in the log
}

// latencyStart returns the time from which a tick's latency is measured: the feed's way to the server isn't part of it.
func (t *Tick) latencyStart() int64 {
	if t.Received != 0 {
		return t.Received
	}
	return t.Due
}

var (
	tickPrefix     = []byte(`{"T":"q",`)
	snapshotPrefix = []byte(`{"T":"snapshot",`)
)

// Members of a q message, as bits.
const (
	hasSymbol = 1 << iota
	hasDue
	hasN
	hasSeq
	hasAll = hasSymbol | hasDue | hasN | hasSeq
)

var (
	symbolPrefix = []byte(`{"T":"q","S":"`)
	dueKey       = []byte(`,"t":`)
	receivedKey  = []byte(`,"r":`)
	nKey         = []byte(`,"n":`)
	seqKey       = []byte(`,"i":`)
)

// parseJSON finds the members S, t, n, i and, if present, r of a q message without a JSON decoder: no value contains a quotation
// mark, so a name of one letter with its colon is never part of a value. It reports whether S, t, n and i are present and valid.
func (t *Tick) parseJSON(b []byte) bool { return t.parseOrdered(b) || t.parseUnordered(b) }

// parseOrdered parses a message that starts with T and S and has t, r, n and i next to each other, as Ticklane writes it.
func (t *Tick) parseOrdered(b []byte) bool {
	rest, ok := bytes.CutPrefix(b, symbolPrefix)
	if !ok {
		return false
	}
	end := bytes.IndexByte(rest, '"')
	if end < 1 {
		return false
	}
	t.Symbol = rest[:end]
	// No name before t contains the letter, so that a search for one byte finds dueKey.
	at := end + bytes.IndexByte(rest[end:], 't') - len(`,"`)
	if at < end {
		return false
	}
	rest = rest[at:]
	due, ok := cutUint(&rest, dueKey)
	if !ok {
		return false
	}
	t.Due = int64(due)
	received, _ := cutUint(&rest, receivedKey) // optional; after an invalid number the next key doesn't follow
	t.Received = int64(received)
	if t.N, ok = cutUint(&rest, nKey); !ok {
		return false
	}
	t.Seq, ok = cutUint(&rest, seqKey)
	return ok
}

// cutUint removes a key and its number from the start of b and returns the number. If b starts otherwise, ok is false and b is unchanged.
func cutUint(b *[]byte, key []byte) (v uint64, ok bool) {
	rest, ok := bytes.CutPrefix(*b, key)
	if !ok {
		return 0, false
	}
	v, digits := parseUint(rest)
	if digits == 0 {
		return 0, false
	}
	*b = rest[digits:]
	return v, true
}

// parseUnordered parses a message with its members in any order.
func (t *Tick) parseUnordered(b []byte) bool {
	found := 0
	t.Received = 0
	for p := 0; p+4 < len(b); p++ {
		if b[p] != '"' || b[p+2] != '"' || b[p+3] != ':' {
			continue
		}
		value, size := b[p+4:], 0
		switch b[p+1] {
		case 'S':
			end := bytes.IndexByte(value[1:], '"')
			if value[0] != '"' || end < 1 {
				return false
			}
			t.Symbol = value[1 : 1+end]
			size = 1 + end
			found |= hasSymbol
		case 't':
			var v uint64
			if v, size = parseUint(value); size == 0 {
				return false
			}
			t.Due = int64(v)
			found |= hasDue
		case 'r':
			var v uint64
			if v, size = parseUint(value); size == 0 {
				return false
			}
			t.Received = int64(v)
		case 'n':
			if t.N, size = parseUint(value); size == 0 {
				return false
			}
			found |= hasN
		case 'i':
			if t.Seq, size = parseUint(value); size == 0 {
				return false
			}
			found |= hasSeq
		default:
			continue
		}
		p += 3 + size
	}
	return found == hasAll
}

// parseUint parses the digits at the start of b. digits is 0 if there are none, or more than a uint64 holds.
func parseUint(b []byte) (v uint64, digits int) {
	for digits < len(b) && b[digits] >= '0' && b[digits] <= '9' {
		v = v*10 + uint64(b[digits]-'0')
		digits++
	}
	if digits > 19 {
		return 0, 0
	}
	return v, digits
}

// parseSnapshot calls each for every quote in the text of a snapshot's message and returns the other
// members.
func parseSnapshot(b []byte, each func(t *Tick)) (head snapshotHead, ok bool) {
	text, quotes, ok := bytes.Cut(b, []byte(`"quotes":[`))
	if !ok {
		return head, false
	}
	if head.seq, ok = memberUint(text, `"i":`); !ok {
		return head, false
	}
	head.part, _ = memberUint(text, `"part":`)
	head.parts, _ = memberUint(text, `"parts":`)
	var t Tick
	for {
		start := bytes.Index(quotes, tickPrefix)
		if start < 0 {
			return head, true
		}
		quotes = quotes[start:]
		end := bytes.IndexByte(quotes, '}')
		if end < 0 || !t.parseJSON(quotes[:end+1]) {
			return head, false
		}
		each(&t)
		quotes = quotes[end:]
	}
}

// memberUint returns the number that follows a key, which includes quotes and colon.
func memberUint(b []byte, key string) (v uint64, ok bool) {
	_, text, ok := bytes.Cut(b, []byte(key))
	v, digits := parseUint(text)
	return v, ok && digits > 0
}

// idMatches reports whether an SSE id ends in "-" and the decimal seq, so that a browser that resumes from the id
// continues after this tick.
func idMatches(id []byte, seq uint64) bool {
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
