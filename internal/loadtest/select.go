package loadtest

import (
	"net/url"
	"slices"
	"strings"

	"ticklane/internal/loadtest/client"
	"ticklane/internal/wire"
)

// failFunc reports a mistake in the options.
type failFunc func(format string, a ...any)

// selectVariants sets o.variants, or reports why it can't.
func (o *Options) selectVariants(fail failFunc) {
	o.variants = nil
	var chosen []*Variant
	byFlag := len(o.Lanes)+len(o.Engines)+len(o.Encodings)+len(o.Compressions) > 0
	switch {
	case len(o.Variants) > 0 && byFlag:
		fail("--variants: excludes --lane, --engine, --encoding and --compress")
	case len(o.Variants) > 0:
		chosen = o.namedVariants(fail)
	case byFlag || !o.standard():
		chosen = o.flagVariants(fail)
	default:
		chosen = o.everyEngine()
	}
	if chosen == nil {
		return
	}
	for k, v := range chosen {
		if !o.setQuery(k, v, fail) {
			return
		}
	}
	if !o.haveEngines(chosen, fail) {
		return
	}
	nameVariants(chosen)
	o.variants = chosen
}

// haveEngines reports whether the server to start has the engines of the variants. A running server rejects unknown
// engines itself.
func (o *Options) haveEngines(variants []*Variant, fail failFunc) bool {
	ok := true
	for _, v := range variants {
		if all := o.Offered[v.Lane]; o.URL == "" && v.Engine != "" && len(all) > 0 && !slices.Contains(all, v.Engine) {
			fail("engine %q: want %s on %s", v.Engine, strings.Join(all, " or "), v.Lane)
			ok = false
		}
	}
	return ok
}

// standard reports whether no option asks for certain variants: then every engine is measured on every lane.
func (o *Options) standard() bool {
	return o.URL == "" && o.Drill == "" && o.QueryA == "" && o.QueryB == ""
}

// everyEngine returns a variant for every engine on every lane of the server to start.
func (o *Options) everyEngine() []*Variant {
	var all []*Variant
	for lane := range wire.Lanes {
		engines := o.Offered[lane]
		if len(engines) == 0 {
			engines = []string{""}
		}
		for _, e := range engines {
			all = append(all, &Variant{Request: client.Request{Lane: wire.Lane(lane), Engine: e, Encoding: client.JSON}})
		}
	}
	return all
}

// namedVariants returns the variants of --variants, nil if one is wrong.
func (o *Options) namedVariants(fail failFunc) []*Variant {
	if len(o.Variants) > maxVariants {
		fail("--variants: %d; want at most %d", len(o.Variants), maxVariants)
		return nil
	}
	if (o.QueryA != "" || o.QueryB != "") && len(o.Variants) != 2 {
		fail("--variants: --query-a and --query-b need two variants, not %d", len(o.Variants))
		return nil
	}
	var all []*Variant
	ok := true
	for _, text := range o.Variants {
		v, err := ParseVariant(text)
		if err != nil {
			fail("--variants %q: %v", text, err)
			ok = false
			continue
		}
		all = append(all, v)
	}
	if !ok {
		return nil
	}
	return all
}

// flagVariants returns one or two variants from --lane, --engine, --encoding and --compress, each of which has a value for
// both or one for each; nil if one is wrong.
func (o *Options) flagVariants(fail failFunc) []*Variant {
	lanes := o.Lanes
	if len(lanes) == 0 {
		lanes = []string{"sse", "ws"}
	}
	if !o.checkLists(lanes, fail) {
		return nil
	}
	n := max(len(lanes), len(o.Engines), len(o.Encodings), len(o.Compressions))
	if o.needsLab() {
		n = 2
	}
	nth := func(values []string, k int, none string) string {
		if len(values) == 0 {
			return none
		}
		return values[min(k, len(values)-1)]
	}
	var all []*Variant
	for k := range n {
		lane, _ := parseLane(nth(lanes, k, ""))
		v := &Variant{Request: client.Request{Lane: lane, Engine: nth(o.Engines, k, ""), Encoding: nth(o.Encodings, k, client.JSON),
			Compress: nth(o.Compressions, k, "off") == "on"}}
		if v.Encoding == client.Protobuf && lane != wire.WS {
			fail("--encoding protobuf: SSE is text; only ws supports protobuf (--lane ws, or --variants sse,ws+protobuf)")
			return nil
		}
		all = append(all, v)
	}
	return all
}

// checkLists checks the flags that have one value or two.
func (o *Options) checkLists(lanes []string, fail failFunc) bool {
	ok := true
	report := func(format string, a ...any) { fail(format, a...); ok = false }
	if len(lanes) > 2 {
		report("--lane: want one lane or two, such as sse,ws; --variants compares more")
	}
	if len(o.Engines) > 2 || slices.Contains(o.Engines, "") {
		report("--engine: want one engine or two, such as stream,shard; --variants compares more")
	}
	for _, l := range lanes {
		if _, known := parseLane(l); !known {
			report("--lane %q: want sse or ws", l)
		}
	}
	list := func(flag string, values, allowed []string) {
		if len(values) > 2 {
			report("--%s: want one value or two, such as %s", flag, strings.Join(allowed, ","))
		}
		for _, v := range values {
			if !slices.Contains(allowed, v) {
				report("--%s %q: want %s", flag, v, strings.Join(allowed, " or "))
			}
		}
	}
	list("encoding", o.Encodings, encodings)
	list("compress", o.Compressions, []string{"off", "on"})
	return ok
}

// setQuery sets the query of a variant's requests.
func (o *Options) setQuery(k int, v *Variant, fail failFunc) bool {
	flag, text := "query-a", o.QueryA
	if k == 1 {
		flag, text = "query-b", o.QueryB
	}
	extra, err := url.ParseQuery(text)
	if err != nil {
		fail("--%s %q: want parameters such as delay=2ms&interval=100ms", flag, text)
		return false
	}
	v.Query = url.Values{"topics": {o.Topics}, "mode": {o.Mode}, "user": {"load"}}
	if o.URL != "" { // the lab applies them; a server of our own is started with the variant's settings
		if v.Engine != "" {
			v.Query.Set("engine", v.Engine)
		}
		if v.Compress {
			v.Query.Set("compress", "on")
		}
	}
	for name, values := range extra {
		if v.Query.Has(name) || name == "compress" { // without an offer it has no effect
			fail("--%s: %s is set by its own flag", flag, name)
		}
		v.Query[name] = values
	}
	return true
}
