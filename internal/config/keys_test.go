package config

import (
	"flag"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func TestTableAndStructsAgree(t *testing.T) {
	fields := map[string]bool{}
	var collect func(prefix string, of reflect.Type)
	collect = func(prefix string, of reflect.Type) {
		for f := range of.Fields() {
			name := prefix + f.Tag.Get("key")
			if f.Type.Kind() == reflect.Struct {
				collect(name+".", f.Type)
				continue
			}
			fields[name] = true
		}
	}
	collect("", reflect.TypeFor[Config]())
	envs := map[string]string{}
	for _, g := range sections {
		for _, k := range g.keys {
			if !fields[k.name] {
				t.Errorf("%s has no field", k.name)
			}
			delete(fields, k.name)
			if !strings.HasPrefix(k.name, g.name+".") {
				t.Errorf("%s is in section %s", k.name, g.name)
			}
			if other, taken := envs[k.env()]; taken {
				t.Errorf("%s and %s share %s", k.name, other, k.env())
			}
			envs[k.env()] = k.name
		}
	}
	for name := range fields {
		t.Errorf("the field of %s has no key", name)
	}
	if got := byName["stream.log_size"].env(); got != "TICKLANE_STREAM_LOG_SIZE" {
		t.Errorf("got %s", got)
	}
}

func TestAllowed(t *testing.T) {
	tests := []struct {
		key       string
		good, bad []string
	}{
		{"server.addr", []string{":80", "0.0.0.0:0", "localhost:3000", "[::1]:80", "[fe80::1%eth0]:80"},
			[]string{"", "80", "localhost", "a:http", ":65536", "::1:80", "a b:80", "http://a:80"}},
		{"server.admin_addr", []string{"", "localhost:6060", "127.1.2.3:1", "[::1]:1"}, []string{"6060", "localhost", "a b:1", "localhost:65536"}},
		{"server.hosts", []string{"", "a.example", "a, b", "10.0.0.1"}, []string{"a:80", "http://a", "a,,b", "*", "a/b"}},
		{"server.origins", []string{"", "https://a.example", "http://a:8080", "http://[::1]:3000"},
			[]string{"a.example", "https://a/", "https://a/b", "ftp://a", "https://u@a", "https://a?b", "null", "*"}},
		{"server.trusted_proxies", []string{"", "10.0.0.1", "10.0.0.0/8,::1"}, []string{"10.0.0.0/33", "a.example", "10.0.0"}},
		{"server.shutdown_timeout", []string{"0s", "10m"}, []string{"-1s", "10m1s", "10", ""}},
		{"market.rate", []string{"0.1", "1000000", "1e3"}, []string{"0", "0.09", "1000001", "NaN", "Inf", "-1", "fast"}},
		{"market.symbols", []string{"1", "5000"}, []string{"0", "5001", "1.5", "0x10"}},
		{"market.seed", []string{"0", "9223372036854775807"}, []string{"-1", "9223372036854775808"}},
		{"market.arrivals", []string{"hawkes", "steady"}, []string{"Hawkes", "poisson", ""}},
		{"market.warmup", []string{"0s", "24h"}, []string{"25h", "-1h"}},
		{"stream.engine", []string{"stream", "shard"}, []string{"Shard", "body", ""}},
		{"stream.log_size", []string{"16", "16777216"}, []string{"15", "16777217"}},
		{"stream.max_lag", []string{"0", "1"}, []string{"-1"}},
		{"stream.heartbeat", []string{"100ms", "5m"}, []string{"99ms", "5m1s", "0"}},
		{"stream.interval", []string{"0s", "5s"}, []string{"5001ms"}},
		{"stream.flush_interval", []string{"0s", "1s"}, []string{"1001ms"}},
		{"stream.write_buffer", []string{"0", "4096", "16777216"}, []string{"1", "4095", "-1"}},
		{"stream.retry", []string{"100ms", "1m"}, []string{"99ms", "61s"}},
		{"data.dir", []string{"", "data", "/var/lib/ticklane"}, []string{"a\x00b"}},
		{"history.keep.10s", []string{"1h", "90m", "2d", "1d12h", "3650d", "0.5d"}, []string{"59m", "3651d", "2", "d", "1h1d", "-1d", "1w", "", "NaNd", "Infd", "1e400d"}},
		{"feed.speed", []string{"0.5", "max", "10"}, []string{"0", "-1", "Max", "Inf", "NaN"}},
		{"feed.format.date", []string{"auto", "dmy", "excel"}, []string{"", "DMY", "yyyy-mm-dd"}},
		{"feed.format.zone", []string{"UTC", "America/New_York"}, []string{"", "Local", "EDT", "Nowhere/City"}},
		{"feed.format.columns", []string{"", "time,open,-", "Settle=close"}, []string{"a\nb"}},
		{"feed.file", []string{"", "-", "a b.csv"}, []string{"a\x00b", "a\nb"}},
		{"limits.accept_rate", []string{"auto", "0", "0.1", "1000000"}, []string{"0.09", "-1", "1000001", "Auto", "NaN", ""}},
		{"limits.requests", []string{"0", "0.1", "1000000"}, []string{"auto", "0.09", "-1"}},
		{"auth.delays", []string{"", "15m", "1s, 168h"}, []string{"15", "0s", "169h", "15m,,1h"}},
		{"auth.jwt.jwks_url", []string{"", "https://id.example/keys", "http://127.0.0.1:9/k", "http://[::1]/k", "http://localhost"},
			[]string{"http://id.example/keys", "id.example", "ftp://id.example", "https://u:p@id.example", "https://", "http://127.0.0.1.evil.example/"}},
		{"auth.session_time", []string{"1m", "720h"}, []string{"59s", "721h"}},
		{"bus.node", []string{"", "a:3000", "node 1", "ü"}, []string{strings.Repeat("a", 101), "a\tb", "a\x80"}},
		{"bus.nats.url", []string{"", "nats://10.0.0.1:4222", "a, b:4223", "tls://u:p@a.example", "wss://a,wss://b/", "[::1]:4222"},
			[]string{",", "a,", "http://a", "nats://a:port", "nats://a:65536", "nats://", "a b", "nats://a/b", "nats://a?b", "ws://a,nats://a"}},
		{"bus.nats.stream", []string{"ticklane", "a-B_9", strings.Repeat("a", 64)}, []string{"", "a.b", "a b", "a>", "ü", strings.Repeat("a", 65)}},
		{"log.level", []string{"debug", "info", "warn", "error"}, []string{"INFO", "warning", "info+1", ""}},
		{"lab.enabled", []string{"true", "false"}, []string{"yes", "1", "TRUE", ""}},
	}
	for _, tt := range tests {
		k := byName[tt.key]
		for _, s := range tt.good {
			if _, ok := k.kind.parse(s); !ok {
				t.Errorf("%s rejected %q", tt.key, s)
			}
		}
		for _, s := range tt.bad {
			if v, ok := k.kind.parse(s); ok {
				t.Errorf("%s accepted %q as %v", tt.key, s, v)
			}
		}
	}
}

func TestAllowedTexts(t *testing.T) {
	for _, c := range []struct {
		k    kind
		want string
	}{
		{integer{0, 9999, "", ""}, "0 to 9999"},
		{integer{10_000, 123_456, "ticks", "0: all"}, "10,000 to 123,456 ticks; 0: all"},
		{integer{1_000_000, math.MaxInt64, "", ""}, "1,000,000 to 2^63-1"},
		{number{0.25, 10_000, "per second"}, "0.25 to 10,000 per second"},
		{duration{0, 90 * time.Minute, ""}, "0s to 1h30m"},
		{duration{time.Second, 24 * time.Hour, "0s: never"}, "1s to 24h; 0s: never"},
		{duration{time.Minute, 10 * time.Minute, ""}, "1m to 10m"},
		{days{time.Hour, 3650 * 24 * time.Hour}, "1h to 3650d"},
		{choice{"a", "b"}, "a or b"},
		{choice{"a", "b", "c"}, "a, b or c"},
		{list{prefix{}}, "a list of IP addresses or ranges such as 10.0.0.0/8"},
	} {
		if got := c.k.allowed(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestHostNameLength(t *testing.T) {
	for n, want := range map[int]bool{1: true, 253: true, 254: false} {
		if _, ok := (hostName{}).parse(strings.Repeat("a", n)); ok != want {
			t.Errorf("host name of %d bytes accepted: %v", n, ok)
		}
	}
}

func TestNearestKey(t *testing.T) {
	for name, want := range map[string]string{
		"server.adr": "server.addr", "stream.rate": "market.rate", "addr": "server.addr", "stream.logsize": "stream.log_size",
		"stream.heart_beat": "stream.heartbeat", "limit.per_address": "limits.per_address", "colour": "", "x.y": "",
		"x.sed": "market.seed", "x.sad": "", // a third of the last part may differ
		"server.tls_c": "server.tls_cert", // as near as server.tls_key, but before it in the table
	} {
		if k, ok := nearestKey(name); k.name != want || ok != (want != "") {
			t.Errorf("%s: got %q, want %q", name, k.name, want)
		}
	}
}

func TestFlagErrorNamesTheNearest(t *testing.T) {
	fs := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	Flags(fs)
	err := FlagError(fs.Parse([]string{"--market.rates=5"}))
	if err == nil || !strings.Contains(err.Error(), "did you mean --market.rate?") {
		t.Errorf("got %v", err)
	}
	if err := FlagError(fs.Parse([]string{"--server.addr"})); err == nil || strings.Contains(err.Error(), "mean") {
		t.Errorf("got %v", err)
	}
}

func TestUsageHasEveryKey(t *testing.T) {
	u := Usage()
	for k := range everyKey() {
		for _, want := range []string{"--" + k.name + k.between() + k.shownDefault(), "$" + k.env()} {
			if !strings.Contains(u, want+" ") && !strings.Contains(u, want+"\n") {
				t.Errorf("%q is missing", want)
			}
		}
		// Ranges may be wrapped.
		if !strings.Contains(strings.Join(strings.Fields(u), " "), k.kind.allowed()) {
			t.Errorf("%s: %q is missing", k.name, k.kind.allowed())
		}
	}
	for _, want := range []string{
		"\n  --config config.yaml              YAML file to read. The default file may be missing.\n                                    $TICKLANE_CONFIG\n\nServer: ",
		"\n  --stream.shards 0                 Number of writers of engine shard.\n" +
			"                                    0 to 1024 writers; 0: one for every two processors\n                                    $TICKLANE_STREAM_SHARDS\n",
		"\n  --lab.enabled=false               Whether visitors may run comparisons that load this server. Keep it\n" +
			"                                    disabled on public servers.\n                                    true or false  $TICKLANE_LAB_ENABLED\n\nLoad: ",
	} {
		if !strings.Contains(u, want) {
			t.Errorf("missing:\n%s", want)
		}
	}
	for line := range strings.Lines(u) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 112 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  []string
	}{
		{"ab cd", 5, []string{"ab cd"}}, {"ab cd", 4, []string{"ab", "cd"}}, {"abcdef g", 3, []string{"abcdef", "g"}},
		{"é é é", 3, []string{"é é", "é"}}, {"ab  cd", 6, []string{"ab  cd"}}, {"ab  cd", 5, []string{"ab", "cd"}},
	} {
		if got := wrap(c.text, c.width); !slices.Equal(got, c.want) {
			t.Errorf("%q at %d: %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

var update = flag.Bool("update", false, "write config.yaml from the table")

// TestShippedFile checks that config.yaml has every key with its description, default, unit and range, and nothing else.
// After a change of the table: go test ./internal/config -run ShippedFile -update
func TestShippedFile(t *testing.T) {
	const path = "../../config.yaml"
	want := shippedFile()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s differs from the table; run this test with -update", path)
	}
	c, err := Load(nil, nil, path)
	if err != nil {
		t.Fatal(err)
	}
	if want := newSettings().config; !reflect.DeepEqual(c, want) {
		t.Errorf("the shipped file changes a default:\ngot  %+v\nwant %+v", c, want)
	}
}

const shippedHead = `# The settings of Ticklane. Every line has the default, so that it can be left out; so can the whole file.
#
# Environment variables override this file, and flags override both:
#   server.addr here   =   TICKLANE_SERVER_ADDR   =   --server.addr
# Durations have units: 250ms, 15s, 2h. The server reports all unknown keys and invalid values at once and does not
# start with any.
`

func shippedFile() string {
	var b strings.Builder
	b.WriteString(shippedHead)
	for _, g := range sections {
		fmt.Fprintf(&b, "\n# %s.\n%s:\n", g.doc, g.name)
		inner := "" // the section within this one
		for i, k := range g.keys {
			if i > 0 {
				b.WriteString("\n")
			}
			indent := "  "
			if parts := strings.Split(k.name, "."); len(parts) == 3 {
				if parts[1] != inner {
					inner = parts[1]
					fmt.Fprintf(&b, "  %s:\n", inner)
				}
				indent = "    "
			}
			for _, line := range wrap(k.doc, 120-len(indent)) {
				fmt.Fprintf(&b, "%s# %s\n", indent, line)
			}
			for _, line := range wrap(fmt.Sprintf("Default %s; allowed: %s.", k.shownDefault(), k.kind.allowed()), 120-len(indent)) {
				fmt.Fprintf(&b, "%s# %s\n", indent, line)
			}
			fmt.Fprintf(&b, "%s%s: %s\n", indent, last(k.name), k.shownDefault())
		}
	}
	return b.String()
}
