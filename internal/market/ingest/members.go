package ingest

import (
	"encoding/json"
	"math/bits"
)

// member is a member of a line's object.
type member uint8

// The members, in the order in which errors of several of them are found.
const (
	memberT member = iota
	memberS
	memberN
	memberTime
	memberBid
	memberBidSize
	memberAsk
	memberAskSize
	memberPrice
	memberVolume
	memberSize
	memberID
	memberConditions
	memberVenueCode
	memberCorrects
	memberCancels
	memberStatus
	memberReason
	memberName
	memberSector
	memberDecimals
	memberSizeDecimals
	memberCurrency
	memberVenue
	memberTickSize
	memberNegative
	memberSession
	members
)

var memberNames = [members]string{
	memberT: "T", memberS: "S", memberN: "n", memberTime: "t", memberBid: "bp", memberBidSize: "bs", memberAsk: "ap", memberAskSize: "as",
	memberPrice: "p", memberVolume: "v", memberSize: "s", memberID: "id", memberConditions: "c", memberVenueCode: "x", memberCorrects: "corrects", memberCancels: "cancels",
	memberStatus: "status", memberReason: "reason", memberName: "name", memberSector: "sector", memberDecimals: "decimals",
	memberSizeDecimals: "size_decimals", memberCurrency: "currency", memberVenue: "venue", memberTickSize: "tick_size",
	memberNegative: "negative", memberSession: "session",
}

func (m member) String() string { return memberNames[m] }

// memberSet is a set of members.
type memberSet uint32

func setOf(all ...member) (s memberSet) {
	for _, m := range all {
		s |= 1 << m
	}
	return s
}

func (s memberSet) has(m member) bool { return s&(1<<m) != 0 }

// first returns the first member of the set, which must not be empty.
func (s memberSet) first() member { return member(bits.TrailingZeros32(uint32(s))) }

// memberOf returns the member with a name; ok is false if there is none.
func memberOf(name []byte) (m member, ok bool) {
	// The compiler makes a search by length and content of this, without copying the name.
	switch string(name) {
	case "T":
		return memberT, true
	case "S":
		return memberS, true
	case "n":
		return memberN, true
	case "t":
		return memberTime, true
	case "bp":
		return memberBid, true
	case "bs":
		return memberBidSize, true
	case "ap":
		return memberAsk, true
	case "as":
		return memberAskSize, true
	case "p":
		return memberPrice, true
	case "v":
		return memberVolume, true
	case "s":
		return memberSize, true
	case "id":
		return memberID, true
	case "c":
		return memberConditions, true
	case "x":
		return memberVenueCode, true
	case "corrects":
		return memberCorrects, true
	case "cancels":
		return memberCancels, true
	case "status":
		return memberStatus, true
	case "reason":
		return memberReason, true
	case "name":
		return memberName, true
	case "sector":
		return memberSector, true
	case "decimals":
		return memberDecimals, true
	case "size_decimals":
		return memberSizeDecimals, true
	case "currency":
		return memberCurrency, true
	case "venue":
		return memberVenue, true
	case "tick_size":
		return memberTickSize, true
	case "negative":
		return memberNegative, true
	case "session":
		return memberSession, true
	}
	return 0, false
}

// object holds the members of one line. Values alias the line.
type object struct {
	values [members]value
	set    memberSet // members that are there and not null
	seen   memberSet // the same, with those that are null
}

// text returns the value of a text member; ok is false if it is another value.
func (o *object) text(m member) (s []byte, ok bool) {
	v := &o.values[m]
	switch {
	case v.kind != kindText:
		return nil, false
	case !v.escaped:
		return v.raw[1 : len(v.raw)-1], true
	}
	return unescape(v.raw), true
}

// unescape returns the text of a valid JSON string with escapes.
func unescape(raw []byte) []byte {
	var s string
	_ = json.Unmarshal(raw, &s) // it is valid
	return []byte(s)
}

// scan reads the members of a line, which must be one JSON object (RFC 8259) whose members have different, known names. Names that
// begin with an underscore are ignored. It allocates nothing unless a text has escapes. Unless the fault is notJSON, the members are
// there, too, except for those given twice.
func (o *object) scan(line []byte) *fault {
	o.set, o.seen = 0, 0
	s := scanner{b: line}
	if !s.accept('{') {
		return notJSON
	}
	if s.accept('}') {
		return s.end()
	}
	var wrong *fault
	for {
		s.space()
		name, ok := s.text()
		if !ok || !s.accept(':') {
			return notJSON
		}
		key := name.raw[1 : len(name.raw)-1]
		if name.escaped {
			key = unescape(name.raw)
		}
		m, known := memberOf(key)
		v, ok := s.value()
		switch {
		case !ok:
			return notJSON
		case known && o.seen.has(m):
			o.set &^= 1 << m
			wrong = first(wrong, &fault{m.String(), "given twice"})
		case known:
			o.values[m] = v
			o.seen |= 1 << m
			if v.kind != kindNull {
				o.set |= 1 << m
			}
		case len(key) == 0 || key[0] != '_':
			wrong = first(wrong, unknownMember(key))
		}
		if s.accept(',') {
			continue
		}
		if !s.accept('}') {
			return notJSON
		}
		return first(s.end(), wrong)
	}
}
