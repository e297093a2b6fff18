package loadtest

import (
	"fmt"
	"slices"
	"strings"

	"ticklane/internal/loadtest/client"
	"ticklane/internal/loadtest/report"
	"ticklane/internal/wire"
)

// Variant is one of what is compared: a lane, an engine, and the parameters of the requests.
type Variant struct {
	Name string // "SSE", "WebSocket", with what distinguishes it from the other variants
	client.Request
}

// maxVariants bounds the number of variants, so that a table stays readable and one letter names each.
const maxVariants = 12

const variantSyntax = "want such as sse/stream or ws/shard+protobuf+deflate: lane, engine, then protobuf (ws) and gzip (sse) or deflate (ws)"

// ParseVariant parses lane[/engine][+protobuf][+gzip|+deflate].
func ParseVariant(text string) (*Variant, error) {
	parts := strings.Split(text, "+")
	name, engine, hasEngine := strings.Cut(parts[0], "/")
	lane, ok := parseLane(name)
	switch {
	case !ok:
		return nil, fmt.Errorf("lane %q; %s", name, variantSyntax)
	case hasEngine && (engine == "" || strings.ContainsAny(engine, "/&=? ")):
		return nil, fmt.Errorf("engine %q; %s", engine, variantSyntax)
	}
	v := &Variant{Request: client.Request{Lane: lane, Engine: engine, Encoding: client.JSON}}
	for k, p := range parts[1:] {
		if slices.Contains(parts[1:1+k], p) {
			return nil, fmt.Errorf("%s twice", p)
		}
		switch {
		case p == client.JSON:
		case p == client.Protobuf && lane == wire.WS:
			v.Encoding = client.Protobuf
		case p == client.Protobuf:
			return nil, fmt.Errorf("SSE is text; only ws supports protobuf")
		case p == "gzip" && lane == wire.SSE, p == "deflate" && lane == wire.WS:
			v.Compress = true
		case p == "gzip", p == "deflate":
			return nil, fmt.Errorf("%s is not supported on this lane; want gzip on sse, deflate on ws", p)
		default:
			return nil, fmt.Errorf("%q; %s", p, variantSyntax)
		}
	}
	if slices.Contains(parts[1:], client.JSON) && v.Encoding != client.JSON {
		return nil, fmt.Errorf("json and protobuf; want one of them")
	}
	return v, nil
}

func parseLane(name string) (lane wire.Lane, ok bool) {
	switch name {
	case wire.SSE.String():
		return wire.SSE, true
	case wire.WS.String():
		return wire.WS, true
	}
	return 0, false
}

// nameVariants names the variants by what differs between them, and equal ones by their letter.
func nameVariants(variants []*Variant) {
	engines := slices.ContainsFunc(variants, func(v *Variant) bool { return v.Engine != variants[0].Engine })
	uses := make(map[string]int)
	for _, v := range variants {
		v.Name = map[wire.Lane]string{wire.SSE: "SSE", wire.WS: "WebSocket"}[v.Lane]
		if engines && v.Engine != "" {
			v.Name += " " + v.Engine
		}
		if v.Encoding != client.JSON {
			v.Name += " " + v.Encoding
		}
		switch v.Compression() {
		case client.Gzip:
			v.Name += " gzip"
		case client.PerMessageDeflate:
			v.Name += " deflate"
		}
		uses[v.Name]++
	}
	for k, v := range variants {
		if uses[v.Name] > 1 {
			v.Name += " " + report.Letter(k)
		}
	}
}
