package loadtest

import (
	"reflect"
	"strings"
	"testing"

	"ticklane/internal/loadtest/client"
	"ticklane/internal/loadtest/report"
	"ticklane/internal/wire"
)

func TestFlagVariants(t *testing.T) {
	for _, c := range []struct {
		name         string
		lanes        []string
		engines      []string
		queryB       string
		variants     string
		second, last string // parts of the last variant's path
	}{
		{"two lanes", []string{"sse", "ws"}, nil, "", "SSE|WebSocket", "/ws/subscribe?", "mode=all"},
		{"one lane", []string{"ws"}, nil, "", "WebSocket", "/ws/subscribe?", "topics=%2A"},
		{"A/A", []string{"sse", "sse"}, nil, "", "SSE A|SSE B", "/sse/subscribe?", "user=load"},
		{"an injected delay", []string{"sse"}, nil, "delay=2ms", "SSE A|SSE B", "/sse/subscribe?", "delay=2ms"},
		{"two engines", []string{"sse"}, []string{"stream", "shard"}, "", "SSE stream|SSE shard", "/sse/subscribe?", "mode=all"},
		{"both", []string{"sse", "ws"}, []string{"shard", "stream"}, "", "SSE shard|WebSocket stream", "/ws/subscribe?", "mode=all"},
	} {
		o := DefaultOptions()
		o.Serve, o.Lanes, o.Engines, o.QueryB = []string{"x"}, c.lanes, c.engines, c.queryB
		if err := o.Check(); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var names []string
		for _, s := range o.variants {
			names = append(names, s.Name)
		}
		last := o.variants[len(o.variants)-1].Path("")
		if got := strings.Join(names, "|"); got != c.variants || !strings.Contains(last, c.second) || !strings.Contains(last, c.last) {
			t.Errorf("%s: %s, %s", c.name, got, last)
		}
	}
}

func TestParseVariant(t *testing.T) {
	for text, want := range map[string]client.Request{
		"sse":                       {Encoding: "json"},
		"ws/shard":                  {Lane: wire.WS, Engine: "shard", Encoding: "json"},
		"sse/shard+gzip":            {Engine: "shard", Encoding: "json", Compress: true},
		"ws+json":                   {Lane: wire.WS, Encoding: "json"},
		"ws/shard+protobuf+deflate": {Lane: wire.WS, Engine: "shard", Encoding: "protobuf", Compress: true},
		"ws/shard+deflate+protobuf": {Lane: wire.WS, Engine: "shard", Encoding: "protobuf", Compress: true},
	} {
		s, err := ParseVariant(text)
		if err != nil || s.Lane != want.Lane || s.Engine != want.Engine || s.Encoding != want.Encoding || s.Compress != want.Compress {
			t.Errorf("%s: %+v, %v", text, s, err)
		}
	}
	for text, want := range map[string]string{
		"": `lane ""`, "grpc": `lane "grpc"`, "sse/": `engine ""`, "sse/a/b": `engine "a/b"`, "sse+protobuf": "only ws supports protobuf", "ws+gzip": "gzip on sse",
		"sse+deflate": "deflate on ws", "ws+zstd": `"zstd"`, "ws+": `""`, "ws+deflate+deflate": "twice", "ws+json+protobuf": "one of them", "WS": `lane "WS"`,
	} {
		if s, err := ParseVariant(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v; want %s", text, s, err, want)
		}
	}
}

// FuzzParseVariant: what is read can be written again and means the same.
func FuzzParseVariant(f *testing.F) {
	for _, s := range []string{"sse", "ws/shard+protobuf+deflate", "sse/shard+gzip", "ws+json", "+", "ws//+"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseVariant(text)
		if err != nil {
			return
		}
		again := s.Lane.String()
		if s.Engine != "" {
			again += "/" + s.Engine
		}
		if s.Encoding != client.JSON {
			again += "+" + s.Encoding
		}
		switch s.Compression() {
		case client.Gzip:
			again += "+gzip"
		case client.PerMessageDeflate:
			again += "+deflate"
		}
		if back, err := ParseVariant(again); err != nil || !reflect.DeepEqual(back, s) {
			t.Errorf("%q: %+v; written %q: %+v, %v", text, s, again, back, err)
		}
	})
}

func variantNames(o *Options) string {
	var all []string
	for _, s := range o.variants {
		all = append(all, s.Name)
	}
	return strings.Join(all, "|")
}

func TestNamedVariants(t *testing.T) {
	for _, c := range []struct{ variants, names, encoding, compress string }{
		{"sse/stream,sse/shard,ws/stream,ws/shard", "SSE stream|SSE shard|WebSocket stream|WebSocket shard", "json", "off"},
		{"sse/stream,ws/shard+protobuf+deflate", "SSE stream|WebSocket shard protobuf deflate", "mixed", "mixed"},
		{"sse+gzip,ws+deflate", "SSE gzip|WebSocket deflate", "json", "on"},
		{"ws,ws,ws+protobuf", "WebSocket A|WebSocket B|WebSocket protobuf", "mixed", "off"},
	} {
		o := DefaultOptions()
		o.Serve, o.Variants = []string{"x"}, strings.Split(c.variants, ",")
		if err := o.Check(); err != nil {
			t.Errorf("%s: %v", c.variants, err)
			continue
		}
		if got := variantNames(&o); got != c.names || o.encoding() != c.encoding || o.compress() != c.compress {
			t.Errorf("%s: %s, %s, %s", c.variants, got, o.encoding(), o.compress())
		}
	}
	for want, change := range map[string]func(*Options){
		"excludes --lane":      func(o *Options) { o.Variants, o.Lanes = []string{"sse"}, []string{"ws"} },
		"at most 12":           func(o *Options) { o.Variants = make([]string, 13) },
		"need two variants":    func(o *Options) { o.Variants, o.QueryB = []string{"sse", "ws", "ws"}, "delay=2ms" },
		`--variants "tcp"`:     func(o *Options) { o.Variants = []string{"sse", "tcp"} },
		"only ws supports":     func(o *Options) { o.Lanes, o.Encodings = []string{"sse", "ws"}, []string{"protobuf"} },
		"--encoding: want one": func(o *Options) { o.Encodings = []string{"json", "json", "json"} },
		"--query-b: compress is set by its own flag": func(o *Options) { o.QueryB = "compress=on" },
		`"body": want stream or shard`: func(o *Options) {
			o.Variants, o.Offered = []string{"sse/body", "ws/stream"}, [wire.Lanes][]string{wire.SSE: {"stream", "shard"}, wire.WS: {"stream", "shard"}}
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

// TestStandardVariants: without flags every engine is measured on every lane; a flag, a drill or a server that runs asks for
// the two lanes.
func TestStandardVariants(t *testing.T) {
	const all, two = "SSE stream|SSE shard|WebSocket stream|WebSocket shard", "SSE|WebSocket"
	for _, c := range []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"nothing", func(*Options) {}, all},
		{"more connections", func(o *Options) { o.Conns = 2000 }, all},
		{"a server that runs", func(o *Options) { o.URL = "http://127.0.0.1:1" }, two},
		{"a drill", func(o *Options) { o.Drill = report.DrillStorm }, two},
		{"an injected delay", func(o *Options) { o.QueryB = "delay=1ms" }, two},
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
		if got := variantNames(&o); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
		// A comparison of all has to fit into two minutes, at less than a second for a server to start and to stop.
		if window := o.Duration + o.Warmup + o.Ramp; window.Seconds()*float64(len(o.variants)*o.Rounds) > 95 {
			t.Errorf("%s: windows of %v", c.name, window)
		}
	}
}

// TestSettingsOfAVariant: its server runs with its engine as it would in production, without a lab.
func TestSettingsOfAVariant(t *testing.T) {
	o := DefaultOptions()
	o.Serve, o.Variants = []string{"x"}, []string{"sse", "ws/shard+deflate"}
	if err := o.Check(); err != nil {
		t.Fatal(err)
	}
	a, b := strings.Join(serverArgs(&o, o.variants[0]), " "), strings.Join(serverArgs(&o, o.variants[1]), " ")
	if strings.Contains(a, "stream.") || !strings.Contains(b, "--stream.engine=shard --stream.compress=on") || !strings.Contains(b, "lab.enabled=false") {
		t.Errorf("%s\n%s", a, b)
	}
	o.Set = []string{"stream.compress=auto"}
	if b = strings.Join(serverArgs(&o, o.variants[1]), " "); strings.Contains(b, "compress=on") || !strings.Contains(b, "compress=auto") {
		t.Errorf("%s", b)
	}
	o.URL, o.Set = "http://127.0.0.1:1", nil
	if err := o.Check(); err != nil || !strings.Contains(o.variants[1].Path(""), "compress=on&engine=shard") || strings.Contains(o.variants[0].Path(""), "compress") {
		t.Errorf("%v: %s", err, o.variants[1].Path(""))
	}
}
