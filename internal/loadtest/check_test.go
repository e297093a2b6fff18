package loadtest

import (
	"strings"
	"testing"
	"time"

	"ticklane/internal/loadtest/report"
)

func TestCheckOptions(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Options)
		want   []string // parts of the error; empty: no error
	}{
		{"the standard comparison", func(*Options) {}, nil},
		{"localhost", func(o *Options) { o.URL = "http://localhost:3000/" }, nil},
		{"IPv6 loopback", func(o *Options) { o.URL = "http://[::1]:3000" }, nil},
		{"remote, allowed", func(o *Options) { o.URL, o.AllowRemote = "https://example.com", true }, nil},
		{"remote", func(o *Options) { o.URL = "https://example.com" }, []string{"--url https://example.com: is not this machine", "--allow-remote"}},
		{"a remote host that looks local", func(o *Options) { o.URL = "http://localhost.example.com" }, []string{"--allow-remote"}},
		{"every address", func(o *Options) { o.URL = "http://0.0.0.0:3000" }, []string{"--allow-remote"}},
		{"not a URL", func(o *Options) { o.URL = "127.0.0.1:3000" }, []string{"--url"}},
		{"another scheme", func(o *Options) { o.URL = "ws://127.0.0.1:3000" }, []string{"--url"}},
		{"settings of a running server", func(o *Options) { o.URL, o.Set = "http://127.0.0.1:1", []string{"a=b"} }, []string{"--set"}},
		{"a setting without value", func(o *Options) { o.Set = []string{"market.rate"} }, []string{`--set "market.rate"`}},
		{"everything at once", func(o *Options) {
			o.Lanes, o.Conns, o.Rounds, o.Duration, o.Warmup, o.Ramp = []string{"grpc"}, 0, -1, 0, -1, -time.Second
			o.Encodings, o.Compressions = []string{"xml"}, []string{"brotli"}
			o.Mode, o.Drill, o.Churn, o.SlowReaders, o.Topics = "some", "fire", -1, -1, "A,,B"
		}, []string{"--lane", "--conns 0", "--rounds -1", "--duration 0s", "--warmup", "--ramp", "--mode", `--encoding "xml"`, `--compress "brotli"`, "--drill", "--churn", "--slow-readers", "--topics"}},
		{"three lanes", func(o *Options) { o.Lanes = []string{"sse", "ws", "sse"} }, []string{"--lane"}},
		{"an empty engine", func(o *Options) { o.Engines = []string{""} }, []string{"--engine"}},
		{"a query parameter that has a flag", func(o *Options) { o.QueryB = "delay=2ms&topics=A" }, []string{"--query-b: topics"}},
		{"a broken query", func(o *Options) { o.QueryA = "a=%zz" }, []string{"--query-a"}},
		{"resume in mode latest", func(o *Options) { o.Drill, o.Mode = report.DrillResume, "latest" }, []string{"--mode latest"}},
		{"a drill with churn", func(o *Options) { o.Drill, o.Churn = report.DrillStorm, 1 }, []string{"--drill storm"}},
	} {
		o := DefaultOptions()
		o.Serve = []string{"ticklane"}
		c.change(&o)
		err := o.Check()
		if (err == nil) != (len(c.want) == 0) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q doesn't contain %q", c.name, err, part)
			}
		}
	}
}
