package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// load runs Load as the command does, with flags parsed from args and a file with the text of yaml.
func load(t *testing.T, yaml string, environ []string, args ...string) (Config, error) {
	t.Helper()
	fs := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	Flags(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return Load(fs, environ, writeFile(t, "test.yaml", yaml))
}

func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func problems(t *testing.T, err error) []Problem {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error", err)
	}
	return e.Problems
}

func TestDefaults(t *testing.T) {
	c := newSettings().config
	want := Config{
		Server: Server{Addr: "127.0.0.1:3000", Hosts: []string{}, Origins: []string{}, TrustedProxies: []string{},
			ReadTimeout: 10 * time.Second, IdleTimeout: time.Minute, ShutdownTimeout: 10 * time.Second},
		Market: Market{Rate: 100, Symbols: 50, Seed: 42, Arrivals: "hawkes", Warmup: 2 * time.Hour},
		Feed: Feed{Source: "simulator", Speed: 1, Loop: true, OnBadRow: "stop",
			Format:     Format{Delimiter: "auto", Decimal: "auto", Thousands: "auto", Date: "auto", Zone: "UTC", Columns: []string{}},
			StaleAfter: 30 * time.Second, Ingest: Ingest{Instruments: 1000, LineSize: 4096}},
		History: History{Keep: Keep{Bars10s: 48 * time.Hour, Bars1m: 720 * time.Hour, Bars5m: 720 * time.Hour, Bars15m: 8760 * time.Hour,
			Bars1h: 8760 * time.Hour, Bars1d: 87600 * time.Hour}},
		Bus: Bus{Kind: "memory", Ack: "after", Lead: true, NATS: NATS{Stream: "ticklane", Replicas: 1, MaxAge: 24 * time.Hour, MaxBytes: 1 << 30}},
		Stream: Stream{Engine: "stream", LogSize: 65536, OnLag: "gap", Heartbeat: 15 * time.Second,
			Interval: 250 * time.Millisecond, SnapshotChunk: 32 << 10, WriteTimeout: 10 * time.Second, Retry: time.Second,
			Compress: "auto", CompressSets: 16},
		Auth: Auth{Mode: "none", SessionTime: 12 * time.Hour, Grace: 25 * time.Second, Delays: []time.Duration{},
			JWT: JWT{Keys: []string{}, Audience: "ticklane", Leeway: 30 * time.Second}, OIDC: OIDC{Scopes: []string{}, RightsClaim: "ticklane"}},
		Limits: Limits{Connections: 20000, PerAddress: 256, AcceptRate: autoAcceptRate(), Requests: 100, Topics: 512, MessageSize: 4096, MessageRate: 10,
			MessageBurst: 20, HeaderSize: 8192, BodySize: 65536},
		Load: LoadTest{Reports: "docs/reports"},
		Log:  Log{Level: slog.LevelInfo, Format: "text"},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

func TestPrecedence(t *testing.T) {
	const yaml = "market: {rate: 1.5, symbols: 2, seed: 3}"
	environ := []string{"TICKLANE_MARKET_SYMBOLS=20", "TICKLANE_MARKET_SEED=30", "HOME=/"}
	c, err := load(t, yaml, environ, "--market.seed=300")
	if err != nil {
		t.Fatal(err)
	}
	want := Market{Rate: 1.5, Symbols: 20, Seed: 300, Arrivals: "hawkes", Warmup: 2 * time.Hour}
	if c.Market != want {
		t.Errorf("got %+v, want %+v", c.Market, want)
	}
}

func TestEverySourceSetsEveryType(t *testing.T) {
	tls := writeFile(t, "pem", "pem")
	want := newSettings().config
	want.Server.Addr = "[::1]:0"
	want.Server.Hosts = []string{"a.example", "::1"}
	want.Server.TLSCert, want.Server.TLSKey = tls, tls
	want.Stream.Heartbeat = 1500 * time.Millisecond
	want.Stream.MaxLag = 65536
	want.Market.Seed = math.MaxInt64
	want.Lab.Enabled = true
	want.Feed.Loop = false
	want.Feed.Speed = math.Inf(1)
	want.Log.Level = slog.LevelWarn
	want.History.Keep.Bars1m = 36 * time.Hour
	values := map[string]string{
		"history.keep.1m": "1d12h",
		"server.addr":     "[::1]:0", "server.hosts": "A.example, [::1]", "server.tls_cert": tls, "server.tls_key": tls,
		"stream.heartbeat": "1500ms", "stream.max_lag": "65536", "market.seed": "9223372036854775807",
		"lab.enabled": "true", "feed.loop": "false", "feed.speed": "max", "log.level": "warn",
	}
	var environ, args []string
	var yaml strings.Builder
	for name, v := range values {
		environ = append(environ, byName[name].env()+"="+v)
		args = append(args, "--"+name+"="+v)
		if name == "server.hosts" {
			v = "[A.example, '[::1]']"
		} else if strings.HasPrefix(v, "[") {
			v = "'" + v + "'"
		}
		s, key, _ := strings.Cut(name, ".")
		yaml.WriteString(s + "." + key + ": " + v + "\n")
	}
	check := func(source string, c Config, err error) {
		if err != nil {
			t.Errorf("%s: %v", source, err)
		} else if !reflect.DeepEqual(c, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", source, c, want)
		}
	}
	c, err := load(t, yaml.String(), nil)
	check("file", c, err)
	c, err = load(t, "", environ)
	check("environment", c, err)
	c, err = load(t, "", nil, args...)
	check("flags", c, err)
}

// TestSectionWithinASection: its keys are nested in a file, in either style, and are reported with their whole name.
func TestSectionWithinASection(t *testing.T) {
	for _, yaml := range []string{"history: {keep: {10s: 3h, 1d: 100d}}", "history:\n  keep:\n    10s: 3h\n    1d: 100d\n"} {
		c, err := load(t, yaml, nil)
		if k := c.History.Keep; err != nil || k.Bars10s != 3*time.Hour || k.Bars1d != 2400*time.Hour || k.Bars1m != 720*time.Hour {
			t.Errorf("%q: %+v, %v", yaml, k, err)
		}
	}
	if _, err := load(t, "history:\n  keep:\n", nil); err != nil {
		t.Errorf("without keys: %v", err)
	}
	for yaml, want := range map[string]string{
		"history:\n  keep:\n    10s: 5\n":  `history.keep.10s = "5" (file `,
		"history:\n  keep:\n    10s: 6\n ": "test.yaml:3): want 1h to 3650d, with a unit, such as 6h or 6d",
		"history:\n  keep:\n    2m: 5d\n":  "test.yaml:3): no such key; did you mean history.keep.1m?",
		"history:\n  keep: 5d\n":           "this is a section: indent its keys below it",
	} {
		if _, err := load(t, yaml, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", yaml, err, want)
		}
	}
}

func TestListFlagCanBeRepeated(t *testing.T) {
	c, err := load(t, "server: {hosts: [gone.example]}", nil, "--server.hosts", "a.example", "--server.hosts=b.example,c.example")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.Server.Hosts, " "); got != "a.example b.example c.example" {
		t.Errorf("got %s", got)
	}
}

func TestAllErrorsAtOnce(t *testing.T) {
	yaml := "server:\n  addr: localhost\nmarket:\n  rat: 5\n  rate: 0\nstream:\n  log_size: 8\n  max_lag: 100000\n"
	environ := []string{"TICKLANE_MARKET_RATE=fast", "TICKLANE_STREAM_LOGSIZE=9", "TICKLANE_LIMITS_TOPICS="}
	_, err := load(t, yaml, environ, "--log.level=loud", "--market.rate=2000000")
	got := problems(t, err)
	want := []struct{ key, origin, value, want string }{
		{"server.addr", "test.yaml:2", `"localhost"`, "want host:port"},
		{"market.rate", "test.yaml:5", `"0"`, "want 0.1 to 1,000,000 ticks per second"},
		{"stream.log_size", "test.yaml:7", `"8"`, "want 16 to 16,777,216 ticks"},
		{"market.rat", "test.yaml:4", "", "no such key; did you mean market.rate?"},
		{"market.rate", "env TICKLANE_MARKET_RATE", `"fast"`, "want 0.1 to 1,000,000 ticks per second"},
		{"limits.topics", "env TICKLANE_LIMITS_TOPICS", `""`, "want 1 to 65,536 topics"},
		{"TICKLANE_STREAM_LOGSIZE", "env", "", "no such setting; did you mean TICKLANE_STREAM_LOG_SIZE?"},
		{"market.rate", "flag --market.rate", `"2000000"`, "want 0.1 to 1,000,000 ticks per second"},
		{"log.level", "flag --log.level", `"loud"`, "want debug, info, warn or error"},
	}
	if len(got) != len(want) {
		t.Fatalf("got %d problems, want %d: %v", len(got), len(want), err)
	}
	for i, w := range want {
		p := got[i]
		if p.Key != w.key || !strings.HasSuffix(p.Origin, w.origin) || p.Value != w.value || !strings.HasPrefix(p.Want, w.want) {
			t.Errorf("problem %d: got %s", i, p)
		}
		if !strings.Contains(err.Error(), p.String()) {
			t.Errorf("the error doesn't contain %q", p)
		}
	}
}

func TestErrorText(t *testing.T) {
	one := Problem{Key: "market.rate", Origin: "flag --market.rate", Value: `"x"`, Want: "want 1 to 2"}
	two := Problem{Key: "feed.file", Want: "missing"}
	for _, c := range []struct {
		err  Error
		want string
	}{
		{Error{[]Problem{one}}, "1 mistake in the settings:\n  market.rate = \"x\" (flag --market.rate): want 1 to 2"},
		{Error{[]Problem{two, one}}, "2 mistakes in the settings:\n  feed.file: missing\n  market.rate = \"x\" (flag --market.rate): want 1 to 2"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("%s\nwant\n%s", got, c.want)
		}
	}
}

// TestShownValues: an error repeats at most 80 characters of a value.
func TestShownValues(t *testing.T) {
	for _, c := range []struct {
		raw  any
		want string
	}{
		{nil, ""}, {5, `"5"`}, {1.5, `"1.5"`}, {map[string]any{"a": 1}, "a section"}, {[]any{"a", 1}, `["a" "1"]`},
		{strings.Repeat("é", 78), `"` + strings.Repeat("é", 78) + `"`}, {strings.Repeat("é", 79), `"` + strings.Repeat("é", 79) + "…"},
	} {
		if got := show(c.raw); got != c.want {
			t.Errorf("%v: %s, want %s", c.raw, got, c.want)
		}
	}
}

// TestOriginHasALineIfKnown: a key that comes from a YAML alias has no line.
func TestOriginHasALineIfKnown(t *testing.T) {
	_, err := load(t, "market: &m\n  rate: 0\nlimits: *m\n", nil)
	got := problems(t, err)
	if len(got) != 2 || !strings.HasSuffix(got[0].Origin, "test.yaml:2") || !strings.HasSuffix(got[1].Origin, "test.yaml") {
		t.Errorf("got %v", err)
	}
}

// TestKeysThatAreNoText are reported as unknown.
func TestKeysThatAreNoText(t *testing.T) {
	_, err := load(t, "market: {1: 2}\n", nil)
	if got := problems(t, err); len(got) != 1 || got[0].Key != "market.1" {
		t.Errorf("got %v", err)
	}
}

func TestCrossChecks(t *testing.T) {
	pem := writeFile(t, "pem", "pem")
	missing := filepath.Join(t.TempDir(), "missing")
	tests := []struct {
		name string
		args []string
		key  string // of the only problem; empty for none
	}{
		{"lag beyond the log", []string{"--stream.log_size=100", "--stream.max_lag=101"}, "stream.max_lag"},
		{"lag of the whole log", []string{"--stream.log_size=100", "--stream.max_lag=100"}, ""},
		{"certificate without key", []string{"--server.tls_cert", pem}, "server.tls_key"},
		{"key without certificate", []string{"--server.tls_key", pem}, "server.tls_cert"},
		{"missing key file", []string{"--server.tls_cert", pem, "--server.tls_key", missing}, "server.tls_key"},
		{"certificate that is a directory", []string{"--server.tls_cert", t.TempDir(), "--server.tls_key", pem}, "server.tls_cert"},
		{"replay without a file", []string{"--feed.source=replay"}, "feed.file"},
		{"replay of a missing file", []string{"--feed.source=replay", "--feed.file", missing}, "feed.file"},
		{"replay", []string{"--feed.source=replay", "--feed.file", pem}, ""},
		{"replay of standard input", []string{"--feed.source=replay", "--feed.file=-"}, ""},
		{"replay of a device", []string{"--feed.source=replay", "--feed.file", os.DevNull}, "feed.file"},
		{"replay of a directory", []string{"--feed.source=replay", "--feed.file", t.TempDir()}, "feed.file"},
		{"a missing file that is not used", []string{"--feed.file", missing}, ""},
		{"a base path", []string{"--server.base_path=/desk/v2.quotes"}, ""},
		{"base path with a slash at its end", []string{"--server.base_path=/quotes/"}, "server.base_path"},
		{"base path without a slash at its start", []string{"--server.base_path=quotes"}, "server.base_path"},
		{"base path with dots", []string{"--server.base_path=/a/../b"}, "server.base_path"},
		{"base path with an empty part", []string{"--server.base_path=//evil.example"}, "server.base_path"},
		{"base path that would be escaped", []string{"--server.base_path=/a b"}, "server.base_path"},
		{"admin address on all interfaces", []string{"--server.admin_addr=:6060"}, "server.admin_addr"},
		{"admin address on all interfaces with authentication", []string{"--server.admin_addr=:6060", "--auth.mode=token", "--auth.tokens", pem}, ""},
		{"nats without a place for its store", []string{"--bus.kind=nats"}, "data.dir"},
		{"nats in data.dir", []string{"--bus.kind=nats", "--data.dir=data"}, ""},
		{"nats on other machines", []string{"--bus.kind=nats", "--bus.nats.url=nats://10.0.0.1:4222", "--bus.nats.replicas=3"}, ""},
		{"replicas in one process", []string{"--bus.kind=nats", "--data.dir=data", "--bus.nats.replicas=3"}, "bus.nats.replicas"},
		{"no server that runs the feed", []string{"--bus.kind=nats", "--data.dir=data", "--bus.lead=false"}, "bus.lead"},
		{"another server runs the feed", []string{"--bus.kind=nats", "--bus.nats.url=nats://10.0.0.1:4222", "--bus.lead=false"}, ""},
		{"a replayed file on nats", []string{"--bus.kind=nats", "--data.dir=data", "--feed.source=replay", "--feed.file", pem}, "feed.source"},
		{"nats certificate without key", []string{"--bus.kind=nats", "--data.dir=data", "--bus.nats.cert", pem}, "bus.nats.key"},
		{"missing nats credentials", []string{"--bus.kind=nats", "--data.dir=data", "--bus.nats.credentials", missing}, "bus.nats.credentials"},
		{"nats settings that are not used", []string{"--bus.nats.credentials", missing}, ""},
		{"admin address on loopback", []string{"--server.admin_addr=[::1]:6060"}, ""},
		{"one problem for two keys", []string{"--stream.log_size=1", "--stream.max_lag=70000"}, "stream.log_size"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(t, "", nil, tt.args...)
			if tt.key == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if got := problems(t, err); len(got) != 1 || got[0].Key != tt.key {
				t.Errorf("got %v, want one about %s", got, tt.key)
			}
		})
	}
}

func TestFile(t *testing.T) {
	tests := []struct{ name, yaml, want string }{
		{"empty", "", ""},
		{"only comments below a section", "server:\n  # addr: x\n", ""},
		{"empty section", "server: {}\n", ""},
		{"no value", "market:\n  rate:\n", "market.rate"},
		{"empty section as a value", "market: {rate: {}}\n", "market.rate"},
		{"section as a value", "market: 5\n", "market"},
		{"value as a section", "market: {rate: {a: 1}}\n", "market.rate.a"},
		{"list for one value", "market: {rate: [1, 2]}\n", "market.rate"},
		{"list with a comma inside", "server: {hosts: ['a,b']}\n", "server.hosts"},
		{"yes for true", "lab: {enabled: yes}\n", "lab.enabled"},
		{"fraction for a whole number", "market: {symbols: 1.5}\n", "market.symbols"},
		{"not a number", "market: {rate: .nan}\n", "market.rate"},
		{"duration without unit", "stream: {heartbeat: 15}\n", "stream.heartbeat"},
		{"key without section", "heartbeat: 15s\n", "heartbeat"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(t, tt.yaml, nil)
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if got := problems(t, err); len(got) != 1 || got[0].Key != tt.want {
				t.Errorf("got %v, want one about %s", got, tt.want)
			}
		})
	}
	if _, err := load(t, "---\nmarket: {rate: 5}\n...\n# end\n", nil); err != nil {
		t.Errorf("marks of one document: %v", err)
	}
	if _, err := load(t, "market: [", nil); err == nil || !strings.Contains(err.Error(), "test.yaml") {
		t.Errorf("broken YAML: got %v", err)
	}
	for _, c := range []struct{ name, yaml, want string }{
		{"a second document", "lab: {enabled: true}\n---\nmarket: {rate: 5}\n", "test.yaml\": line 2: a second YAML document"},
		{"a second document, empty", "lab: {enabled: true}\n---\n", "a second YAML document"},
		{"UTF-16 with a byte order mark", "\xff\xfel\x00a\x00b\x00:\x00\n\x00", "UTF-16"},
		{"UTF-16 without one", "\x00l\x00a\x00b\x00:\x00\n", "UTF-16"},
		{"Latin-1", "# Z\xfcrich\n", "save it as UTF-8"},
		{"a duration without unit", "stream: {heartbeat: 15}\n", "want 100ms to 5m, with a unit, such as 15ms or 15s"},
	} {
		if _, err := load(t, c.yaml, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, yaml := range []string{"---\nlab: {enabled: true}\n", "\xef\xbb\xbflab: {enabled: true}\n", "lab: {enabled: true}\n...\n"} {
		if c, err := load(t, yaml, nil); err != nil || !c.Lab.Enabled {
			t.Errorf("%q: %v, %+v", yaml, err, c.Lab)
		}
	}
	if _, err := load(t, "lab: {enabled: true}\nlab: {enabled: false}", nil); err == nil {
		t.Error("a duplicate section was accepted")
	}
}

// TestCheck checks settings that a command passes on to a server.
func TestCheck(t *testing.T) {
	if err := Check([]string{"market.rate=5", "market.rate=500", "server.hosts=a.example,b.example", "lab.enabled=true", "stream.log_size=16", "stream.max_lag=16"}, "--set"); err != nil {
		t.Error(err)
	}
	err := Check([]string{"market.rat=5", "stream.max_lag=99999", "market.symbols=x"}, "--set")
	for _, want := range []string{"3 mistakes", "market.rat (--set): no such key; did you mean market.rate?", "stream.max_lag = ", `market.symbols = "x" (--set): want`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v doesn't have %q", err, want)
		}
	}
}

func TestWhichFile(t *testing.T) {
	t.Chdir(t.TempDir())
	flags := func(args ...string) *pflag.FlagSet {
		fs := pflag.NewFlagSet("serve", pflag.ContinueOnError)
		Flags(fs)
		if err := fs.Parse(args); err != nil {
			t.Fatal(err)
		}
		return fs
	}
	symbols := func(want int, c Config, err error) {
		t.Helper()
		if err != nil || c.Market.Symbols != want {
			t.Errorf("got %d symbols, %v; want %d", c.Market.Symbols, err, want)
		}
	}
	c, err := Load(nil, nil, "")
	symbols(50, c, err)
	one := writeFile(t, "one.yaml", "market: {symbols: 1}")
	two := writeFile(t, "two.yaml", "market: {symbols: 2}")
	if err := os.WriteFile("config.yaml", []byte("market: {symbols: 3}"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err = Load(flags(), nil, "")
	symbols(3, c, err)
	c, err = Load(flags(), []string{"TICKLANE_CONFIG=" + one}, "")
	symbols(1, c, err)
	c, err = Load(flags("--config", two), []string{"TICKLANE_CONFIG=" + one}, "")
	symbols(2, c, err)
	for source, load := range map[string]func() (Config, error){
		"argument":        func() (Config, error) { return Load(nil, nil, "nowhere.yaml") },
		"--config":        func() (Config, error) { return Load(flags("--config=nowhere.yaml"), nil, "") },
		"TICKLANE_CONFIG": func() (Config, error) { return Load(nil, []string{"TICKLANE_CONFIG=nowhere.yaml"}, "") },
	} {
		if _, err := load(); err == nil || !strings.Contains(err.Error(), "nowhere.yaml") {
			t.Errorf("%s: got %v", source, err)
		}
	}
}

func TestServiceLinksAreIgnored(t *testing.T) {
	// What Kubernetes sets in every pod of a namespace that has a service named "ticklane".
	environ := []string{
		"TICKLANE_SERVICE_HOST=10.0.0.1", "TICKLANE_SERVICE_PORT=80", "TICKLANE_SERVICE_PORT_HTTP=80",
		"TICKLANE_PORT=tcp://10.0.0.1:80", "TICKLANE_PORT_80_TCP=tcp://10.0.0.1:80",
		"TICKLANE_PORT_80_TCP_PROTO=tcp", "TICKLANE_PORT_80_TCP_PORT=80", "TICKLANE_PORT_80_TCP_ADDR=10.0.0.1",
	}
	if _, err := load(t, "", environ); err != nil {
		t.Error(err)
	}
	if _, err := load(t, "", []string{"TICKLANE_PORT=8080"}); err == nil {
		t.Error("TICKLANE_PORT=8080 was ignored")
	}
}

// TestSecretIsNotPrinted: neither by an error nor with the settings.
func TestSecretIsNotPrinted(t *testing.T) {
	const secret = "9f86d081884c7d65"
	c, err := load(t, "feed: {ingest: {token: "+secret+"}}", nil)
	if err != nil || string(c.Feed.Ingest.Token) != secret {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("settings", "token", c.Feed.Ingest.Token, "ingest", c.Feed.Ingest)
	text, err := json.Marshal(c.Feed)
	if err != nil {
		t.Fatal(err)
	}
	for _, printed := range []string{fmt.Sprint(c), fmt.Sprintf("%v %+v %#v %s %q %x", c, c, c, c.Feed.Ingest.Token, c.Feed.Ingest.Token, c.Feed.Ingest.Token), log.String(), string(text)} {
		if strings.Contains(printed, secret) || !strings.Contains(printed, "(secret)") {
			t.Errorf("%s", printed)
		}
	}
	for _, err := range []error{
		func() error { _, err := load(t, "feed: {ingest: {token: ["+secret+"]}}", nil); return err }(),
		func() error { _, err := load(t, "", []string{"TICKLANE_FEED_INGEST_TOKEN=a\n" + secret}); return err }(),
		func() error {
			_, err := load(t, "", nil, "--bus.nats.url=nats://user:"+secret+"@10.0.0.1:port")
			return err
		}(),
	} {
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%v", err)
		}
	}
}

func TestAuthSettingsNeedEachOther(t *testing.T) {
	for args, want := range map[string]string{
		"--auth.mode=token": "auth.tokens: missing",
		"--auth.mode=jwt":   "auth.jwt.keys: missing",
		"--auth.mode=jwt --auth.jwt.jwks_url=https://id.example": "auth.jwt.issuer: missing",
		"--auth.tokens=x": "auth.mode = \"none\": want token or jwt",
		"--auth.mode=token --auth.tokens=/none/such":                        "auth.tokens = \"/none/such\"",
		"--auth.mode=token --auth.tokens=/etc --auth.session_key_file=/etc": "auth.session_key_file",
		"--auth.mode=jwt --auth.jwt.keys=k --auth.oidc.issuer=https://id":   "auth.oidc.client_id: missing",
	} {
		if _, err := load(t, "", nil, strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", args, err, want)
		}
	}
}
