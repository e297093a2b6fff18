package loadtest

import (
	"strings"
	"testing"

	"ticklane/internal/wire"
)

func TestParseSide(t *testing.T) {
	for text, want := range map[string]Side{
		"sse":                       {Lane: "sse", Encoding: "json"},
		"ws/shard":                  {Lane: "ws", Engine: "shard", Encoding: "json", lane: wire.WS},
		"sse/shard+gzip":            {Lane: "sse", Engine: "shard", Encoding: "json", Compress: true},
		"ws+json":                   {Lane: "ws", Encoding: "json", lane: wire.WS},
		"ws/shard+protobuf+deflate": {Lane: "ws", Engine: "shard", Encoding: "protobuf", Compress: true, lane: wire.WS},
		"ws/shard+deflate+protobuf": {Lane: "ws", Engine: "shard", Encoding: "protobuf", Compress: true, lane: wire.WS},
	} {
		s, err := parseSide(text)
		if err != nil || s.Lane != want.Lane || s.Engine != want.Engine || s.Encoding != want.Encoding || s.Compress != want.Compress || s.lane != want.lane {
			t.Errorf("%s: %+v, %v", text, s, err)
		}
	}
	for text, want := range map[string]string{
		"": `lane ""`, "grpc": `lane "grpc"`, "sse/": `engine ""`, "sse/a/b": `engine "a/b"`, "sse+protobuf": "only ws carries protobuf", "ws+gzip": "gzip on sse",
		"sse+deflate": "deflate on ws", "ws+zstd": `"zstd"`, "ws+": `""`, "ws+deflate+deflate": "twice", "ws+json+protobuf": "one of them", "WS": `lane "WS"`,
	} {
		if s, err := parseSide(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v; want %s", text, s, err, want)
		}
	}
}

// FuzzParseSide: what is read can be written again and means the same.
func FuzzParseSide(f *testing.F) {
	for _, s := range []string{"sse", "ws/shard+protobuf+deflate", "sse/shard+gzip", "ws+json", "+", "ws//+"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSide(text)
		if err != nil {
			return
		}
		again := s.Lane
		if s.Engine != "" {
			again += "/" + s.Engine
		}
		if s.Encoding != encodingJSON {
			again += "+" + s.Encoding
		}
		switch s.compression() {
		case compressGzip:
			again += "+gzip"
		case compressDeflate:
			again += "+deflate"
		}
		if back, err := parseSide(again); err != nil || !back.alike(s) {
			t.Errorf("%q: %+v; written %q: %+v, %v", text, s, again, back, err)
		}
	})
}

func names(o *Options) string {
	var all []string
	for _, s := range o.sides {
		all = append(all, s.Name)
	}
	return strings.Join(all, "|")
}

func TestNamedSides(t *testing.T) {
	for _, c := range []struct{ sides, names, encoding, compress string }{
		{"sse/stream,sse/shard,ws/stream,ws/shard", "SSE stream|SSE shard|WebSocket stream|WebSocket shard", "json", "off"},
		{"sse/stream,ws/shard+protobuf+deflate", "SSE stream|WebSocket shard protobuf deflate", "mixed", "mixed"},
		{"sse+gzip,ws+deflate", "SSE gzip|WebSocket deflate", "json", "on"},
		{"ws,ws,ws+protobuf", "WebSocket A|WebSocket B|WebSocket protobuf", "mixed", "off"},
	} {
		o := DefaultOptions()
		o.Serve, o.Sides = []string{"x"}, strings.Split(c.sides, ",")
		if err := o.Check(); err != nil {
			t.Errorf("%s: %v", c.sides, err)
			continue
		}
		if got := names(&o); got != c.names || o.encoding() != c.encoding || o.compress() != c.compress {
			t.Errorf("%s: %s, %s, %s", c.sides, got, o.encoding(), o.compress())
		}
	}
	for want, change := range map[string]func(*Options){
		"leave out --lane":        func(o *Options) { o.Sides, o.Lanes = []string{"sse"}, []string{"ws"} },
		"at most 12":              func(o *Options) { o.Sides = make([]string, 13) },
		"are of two sides":        func(o *Options) { o.Sides, o.QueryB = []string{"sse", "ws", "ws"}, "delay=2ms" },
		`--sides "tcp"`:           func(o *Options) { o.Sides = []string{"sse", "tcp"} },
		"only ws carries":         func(o *Options) { o.Lanes, o.Encodings = []string{"sse", "ws"}, []string{"protobuf"} },
		"--encoding: want one":    func(o *Options) { o.Encodings = []string{"json", "json", "json"} },
		"--query-b: compress has": func(o *Options) { o.QueryB = "compress=on" },
		`"body": want stream or shard`: func(o *Options) {
			o.Sides, o.Offered = []string{"sse/body", "ws/stream"}, [wire.Lanes][]string{wire.SSE: {"stream", "shard"}, wire.WS: {"stream", "shard"}}
		},
		`--compress "some": want`: func(o *Options) { o.Compressions = []string{"some"} },
	} {
		o := DefaultOptions()
		o.Serve = []string{"x"}
		change(&o)
		if err := o.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %s", err, want)
		}
	}
}

// TestStandardSides: without flags every engine is measured on every lane; a flag, a drill or a server that runs asks for
// the two lanes.
func TestStandardSides(t *testing.T) {
	const all, two = "SSE stream|SSE shard|WebSocket stream|WebSocket shard", "SSE|WebSocket"
	for _, c := range []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"nothing", func(*Options) {}, all},
		{"more connections", func(o *Options) { o.Conns = 2000 }, all},
		{"a server that runs", func(o *Options) { o.URL = "http://127.0.0.1:1" }, two},
		{"a drill", func(o *Options) { o.Drill = DrillStorm }, two},
		{"a planted delay", func(o *Options) { o.QueryB = "delay=1ms" }, two},
		{"lanes", func(o *Options) { o.Lanes = []string{"sse", "ws"} }, two},
		{"an engine", func(o *Options) { o.Engines = []string{"shard"} }, two},
		{"a server without engines to choose", func(o *Options) { o.Offered = [wire.Lanes][]string{} }, two},
	} {
		o := DefaultOptions()
		o.Serve, o.Offered = []string{"x"}, [wire.Lanes][]string{wire.SSE: {"stream", "shard"}, wire.WS: {"stream", "shard"}}
		c.change(&o)
		if err := o.Check(); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := names(&o); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
		// A comparison of all has to fit into two minutes, at less than a second for a server to start and to stop.
		if slot := o.Duration + o.Warmup + o.Ramp; slot.Seconds()*float64(len(o.sides)*o.Rounds) > 95 {
			t.Errorf("%s: slots of %v", c.name, slot)
		}
	}
}

// TestSettingsOfASide: its server runs with its engine as it would in production, without a lab.
func TestSettingsOfASide(t *testing.T) {
	o := DefaultOptions()
	o.Serve, o.Sides = []string{"x"}, []string{"sse", "ws/shard+deflate"}
	if err := o.Check(); err != nil {
		t.Fatal(err)
	}
	a, b := strings.Join(serverArgs(&o, o.sides[0]), " "), strings.Join(serverArgs(&o, o.sides[1]), " ")
	if strings.Contains(a, "stream.") || !strings.Contains(b, "--stream.engine=shard --stream.compress=on") || !strings.Contains(b, "lab.enabled=false") {
		t.Errorf("%s\n%s", a, b)
	}
	o.Set = []string{"stream.compress=auto"}
	if b = strings.Join(serverArgs(&o, o.sides[1]), " "); strings.Contains(b, "compress=on") || !strings.Contains(b, "compress=auto") {
		t.Errorf("%s", b)
	}
	o.URL, o.Set = "http://127.0.0.1:1", nil
	if err := o.Check(); err != nil || !strings.Contains(o.sides[1].path(""), "compress=on&engine=shard") || strings.Contains(o.sides[0].path(""), "compress") {
		t.Errorf("%v: %s", err, o.sides[1].path(""))
	}
}
