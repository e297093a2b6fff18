package loadtest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"ticklane/internal/wire"
)

// Side is one of those that are compared: a way to the client, and what its requests say.
type Side struct {
	Name     string // "SSE", "WebSocket", or with what tells the sides apart
	Lane     string // "sse" or "ws"
	Engine   string // what was asked for; empty for the server's own
	Encoding string // "json" or "protobuf"
	Compress bool   // offered, and then the server has to take it
	Query    url.Values

	lane wire.Lane
}

// Encodings of a side.
const (
	encodingJSON     = "json"
	encodingProtobuf = "protobuf"
)

// Compressions, as the server tells them of a stream.
const (
	compressNone    = "none"
	compressGzip    = "gzip"
	compressDeflate = "permessage-deflate"
)

// maxSides bounds a table that a person can still read, and the letters of the sides.
const maxSides = 12

const sideGrammar = "want such as sse/stream or ws/shard+protobuf+deflate: lane, engine, then protobuf (ws) and gzip (sse) or deflate (ws)"

// parseSide reads lane[/engine][+protobuf][+gzip|+deflate].
func parseSide(text string) (*Side, error) {
	words := strings.Split(text, "+")
	lane, engine, named := strings.Cut(words[0], "/")
	s := &Side{Lane: lane, Engine: engine, Encoding: encodingJSON}
	switch {
	case !s.takeLane():
		return nil, fmt.Errorf("lane %q; %s", lane, sideGrammar)
	case named && (engine == "" || strings.ContainsAny(engine, "/&=? ")):
		return nil, fmt.Errorf("engine %q; %s", engine, sideGrammar)
	}
	for k, w := range words[1:] {
		if slices.Contains(words[1:1+k], w) {
			return nil, fmt.Errorf("%s twice", w)
		}
		switch {
		case w == encodingJSON:
		case w == encodingProtobuf && s.lane == wire.WS:
			s.Encoding = encodingProtobuf
		case w == encodingProtobuf:
			return nil, fmt.Errorf("SSE is text; only ws carries protobuf")
		case w == "gzip" && s.lane == wire.SSE, w == "deflate" && s.lane == wire.WS:
			s.Compress = true
		case w == "gzip", w == "deflate":
			return nil, fmt.Errorf("%s is not of this lane; want gzip on sse, deflate on ws", w)
		default:
			return nil, fmt.Errorf("%q; %s", w, sideGrammar)
		}
	}
	if slices.Contains(words[1:], encodingJSON) && s.Encoding != encodingJSON {
		return nil, fmt.Errorf("json and protobuf; want one of them")
	}
	return s, nil
}

func (s *Side) takeLane() bool {
	switch s.Lane {
	case wire.SSE.String():
		s.lane = wire.SSE
	case wire.WS.String():
		s.lane = wire.WS
	default:
		return false
	}
	return true
}

// compression is what the server has to call it.
func (s *Side) compression() string {
	switch {
	case !s.Compress:
		return compressNone
	case s.lane == wire.SSE:
		return compressGzip
	}
	return compressDeflate
}

// checkSides makes the sides: one, or several that are compared.
func (o *Options) checkSides(fail func(string, ...any)) {
	o.sides = nil
	var made []*Side
	byFlag := len(o.Lanes)+len(o.Engines)+len(o.Encodings)+len(o.Compressions) > 0
	switch {
	case len(o.Sides) > 0 && byFlag:
		fail("--sides: it says all; leave out --lane, --engine, --encoding and --compress")
	case len(o.Sides) > 0:
		made = o.namedSides(fail)
	case byFlag || !o.standard():
		made = o.flagSides(fail)
	default:
		made = o.everyEngine()
	}
	if made == nil {
		return
	}
	for k, s := range made {
		if !o.setQuery(k, s, fail) {
			return
		}
	}
	if !o.haveEngines(made, fail) {
		return
	}
	nameSides(made)
	o.sides = made
}

// haveEngines tells whether the server to start has the engines that are asked for; one that runs says so itself.
func (o *Options) haveEngines(sides []*Side, fail func(string, ...any)) bool {
	ok := true
	for _, s := range sides {
		if all := o.Offered[s.lane]; o.URL == "" && s.Engine != "" && len(all) > 0 && !slices.Contains(all, s.Engine) {
			fail("engine %q: want %s on %s", s.Engine, strings.Join(all, " or "), s.Lane)
			ok = false
		}
	}
	return ok
}

// standard tells whether nothing asks for sides of its own: then every engine is measured on every lane.
func (o *Options) standard() bool {
	return o.URL == "" && o.Drill == "" && o.QueryA == "" && o.QueryB == ""
}

// everyEngine is engines × lanes, as far as the server to start has them.
func (o *Options) everyEngine() []*Side {
	var all []*Side
	for lane := range wire.Lanes {
		engines := o.Offered[lane]
		if len(engines) == 0 {
			engines = []string{""}
		}
		for _, e := range engines {
			all = append(all, &Side{Lane: wire.Lane(lane).String(), lane: wire.Lane(lane), Engine: e, Encoding: encodingJSON})
		}
	}
	return all
}

func (o *Options) namedSides(fail func(string, ...any)) []*Side {
	if len(o.Sides) > maxSides {
		fail("--sides: %d; want at most %d", len(o.Sides), maxSides)
		return nil
	}
	if (o.QueryA != "" || o.QueryB != "") && len(o.Sides) != 2 {
		fail("--sides: --query-a and --query-b are of two sides, not of %d", len(o.Sides))
		return nil
	}
	var all []*Side
	bad := false
	for _, text := range o.Sides {
		s, err := parseSide(text)
		if err != nil {
			fail("--sides %q: %v", text, err)
			bad = true
			continue
		}
		all = append(all, s)
	}
	if bad {
		return nil
	}
	return all
}

// flagSides makes one side or two of --lane, --engine, --encoding and --compress, each of which has a value for both or
// one for each.
func (o *Options) flagSides(fail func(string, ...any)) []*Side {
	lanes := o.Lanes
	if len(lanes) == 0 {
		lanes = []string{"sse", "ws"}
	}
	bad := false
	wrong := func(format string, a ...any) { fail(format, a...); bad = true }
	if len(lanes) > 2 {
		wrong("--lane: want one lane or two, such as sse,ws; --sides compares more")
	}
	if len(o.Engines) > 2 || slices.Contains(o.Engines, "") {
		wrong("--engine: want one engine or two, such as stream,shard; --sides compares more")
	}
	for _, l := range lanes {
		if l != "sse" && l != "ws" {
			wrong("--lane %q: want sse or ws", l)
		}
	}
	list := func(flag string, values []string, of ...string) {
		if len(values) > 2 {
			wrong("--%s: want one value or two, such as %s", flag, strings.Join(of, ","))
		}
		for _, v := range values {
			if !slices.Contains(of, v) {
				wrong("--%s %q: want %s", flag, v, strings.Join(of, " or "))
			}
		}
	}
	list("encoding", o.Encodings, encodingJSON, encodingProtobuf)
	list("compress", o.Compressions, "off", "on")
	if bad {
		return nil
	}
	n := max(len(lanes), len(o.Engines), len(o.Encodings), len(o.Compressions))
	if o.QueryB != "" || o.QueryA != "" {
		n = 2
	}
	nth := func(values []string, k int, none string) string {
		if len(values) == 0 {
			return none
		}
		return values[min(k, len(values)-1)]
	}
	var all []*Side
	for k := range n {
		s := &Side{Lane: nth(lanes, k, ""), Engine: nth(o.Engines, k, ""), Encoding: nth(o.Encodings, k, encodingJSON),
			Compress: nth(o.Compressions, k, "off") == "on"}
		s.takeLane()
		if s.Encoding == encodingProtobuf && s.lane != wire.WS {
			fail("--encoding protobuf: SSE is text; only ws carries protobuf (--lane ws, or --sides sse,ws+protobuf)")
			return nil
		}
		all = append(all, s)
	}
	return all
}

// setQuery fills in what a side's requests say.
func (o *Options) setQuery(k int, s *Side, fail func(string, ...any)) bool {
	flag, extra := "query-a", o.QueryA
	if k == 1 {
		flag, extra = "query-b", o.QueryB
	}
	more, err := url.ParseQuery(extra)
	if err != nil {
		fail("--%s %q: want parameters such as delay=2ms&interval=100ms", flag, extra)
		return false
	}
	s.Query = url.Values{}
	s.Query.Set("topics", o.Topics)
	s.Query.Set("mode", o.Mode)
	s.Query.Set("user", "load")
	if o.URL != "" { // of a lab; a server of our own is started with what its side wants
		if s.Engine != "" {
			s.Query.Set("engine", s.Engine)
		}
		if s.Compress {
			s.Query.Set("compress", "on")
		}
	}
	for name, v := range more {
		if s.Query.Has(name) || name == "compress" { // it says nothing without an offer
			fail("--%s: %s has a flag of its own", flag, name)
		}
		s.Query[name] = v
	}
	return true
}

// nameSides tells the sides apart by what differs, and by letters what doesn't.
func nameSides(sides []*Side) {
	engines := slices.ContainsFunc(sides, func(s *Side) bool { return s.Engine != sides[0].Engine })
	names := make(map[string]int)
	for _, s := range sides {
		s.Name = map[wire.Lane]string{wire.SSE: "SSE", wire.WS: "WebSocket"}[s.lane]
		if engines && s.Engine != "" {
			s.Name += " " + s.Engine
		}
		if s.Encoding != encodingJSON {
			s.Name += " " + s.Encoding
		}
		switch s.compression() {
		case compressGzip:
			s.Name += " gzip"
		case compressDeflate:
			s.Name += " deflate"
		}
		names[s.Name]++
	}
	for k, s := range sides {
		if names[s.Name] > 1 {
			s.Name += " " + sideName(k)
		}
	}
}

// same tells whether both sides ask for the same: an A/A test.
func (o *Options) same() bool {
	return len(o.sides) == 2 && o.sides[0].alike(o.sides[1])
}

// alike tells whether two sides ask for the same.
func (s *Side) alike(t *Side) bool {
	return s.path("") == t.path("") && s.Engine == t.Engine && s.Encoding == t.Encoding && s.Compress == t.Compress
}

// encoding is that of all sides, or mixed.
func (o *Options) encoding() string {
	for _, s := range o.sides {
		if s.Encoding != o.sides[0].Encoding {
			return "mixed"
		}
	}
	return o.sides[0].Encoding
}

func (o *Options) compress() string {
	for _, s := range o.sides {
		if s.Compress != o.sides[0].Compress {
			return "mixed"
		}
	}
	return map[bool]string{false: "off", true: "on"}[o.sides[0].Compress]
}

func (o *Options) longestName() int {
	n := 13
	for _, s := range o.sides {
		n = max(n, len(s.Name))
	}
	return n
}
