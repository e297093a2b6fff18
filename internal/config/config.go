// Package config loads the settings of the server: defaults, then a YAML file, then TICKLANE_ environment
// variables, then flags, each over the one before. One table (sections, in keys.go) is the source of the
// defaults, the checks, the flags and the help text.
package config

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

// Config holds every setting, checked. The koanf tags are the keys of the table.
type Config struct {
	Server Server   `koanf:"server"`
	Market Market   `koanf:"market"`
	Feed   Feed     `koanf:"feed"`
	Stream Stream   `koanf:"stream"`
	Limits Limits   `koanf:"limits"`
	Lab    Lab      `koanf:"lab"`
	Load   LoadTest `koanf:"load"`
	Log    Log      `koanf:"log"`
}

// Server says where the process listens and whom it trusts.
type Server struct {
	Addr            string        `koanf:"addr"`       // host:port; port 0 takes a free one
	PprofAddr       string        `koanf:"pprof_addr"` // loopback host:port; empty: no pprof
	Hosts           []string      `koanf:"hosts"`      // lower case, without port and brackets
	Origins         []string      `koanf:"origins"`    // lower case scheme://host[:port]
	TrustedProxies  []string      `koanf:"trusted_proxies"`
	ReadTimeout     time.Duration `koanf:"read_timeout"`
	IdleTimeout     time.Duration `koanf:"idle_timeout"`
	ShutdownTimeout time.Duration `koanf:"shutdown_timeout"`
	TLSCert         string        `koanf:"tls_cert"` // both or neither of these two are set
	TLSKey          string        `koanf:"tls_key"`
}

// Market shapes the simulation.
type Market struct {
	Rate     float64       `koanf:"rate"` // ticks per second of all symbols together
	Symbols  int           `koanf:"symbols"`
	Seed     int64         `koanf:"seed"`     // 0: the caller draws one and tells it
	Arrivals string        `koanf:"arrivals"` // "hawkes" or "steady"
	DayShape bool          `koanf:"day_shape"`
	Warmup   time.Duration `koanf:"warmup"`
}

// Feed says where ticks come from.
type Feed struct {
	Source   string  `koanf:"source"` // "simulator" or "replay"
	File     string  `koanf:"file"`   // readable when Source is "replay"
	Speed    float64 `koanf:"speed"`  // times the file's own pace; +Inf for "max"
	Loop     bool    `koanf:"loop"`
	OnBadRow string  `koanf:"on_bad_row"` // "stop" or "skip"
}

// Stream shapes the log and what subscribers get from it.
type Stream struct {
	Engine        string        `koanf:"engine"`
	Shards        int           `koanf:"shards"`
	LogSize       int           `koanf:"log_size"` // ticks
	MaxLag        int           `koanf:"max_lag"`  // ticks; 0: the whole log
	OnLag         string        `koanf:"on_lag"`   // "gap" or "latest"
	Heartbeat     time.Duration `koanf:"heartbeat"`
	Interval      time.Duration `koanf:"interval"`
	FlushInterval time.Duration `koanf:"flush_interval"` // 0: no bound
	WriteTimeout  time.Duration `koanf:"write_timeout"`
	WriteBuffer   int           `koanf:"write_buffer"` // bytes; 0: the kernel's own
	Retry         time.Duration `koanf:"retry"`
	Compress      string        `koanf:"compress"` // "off", "on" or "auto"
	CompressSets  int           `koanf:"compress_sets"`
}

// Limits protect the process.
type Limits struct {
	Connections  int     `koanf:"connections"` // streams
	PerAddress   int     `koanf:"per_address"` // streams
	Topics       int     `koanf:"topics"`
	MessageSize  int     `koanf:"message_size"` // bytes
	MessageRate  float64 `koanf:"message_rate"` // per second
	MessageBurst int     `koanf:"message_burst"`
	HeaderSize   int     `koanf:"header_size"` // bytes
	BodySize     int     `koanf:"body_size"`   // bytes
}

// Lab opens what is meant for experiments.
type Lab struct {
	Enabled bool `koanf:"enabled"`
}

// LoadTest says where the load tester's reports are.
type LoadTest struct {
	Reports string `koanf:"reports"` // a folder, which need not exist
}

// Log shapes the records on standard error.
type Log struct {
	Level  slog.Level `koanf:"level"`
	Format string     `koanf:"format"` // "text" or "json"
}

// Default returns the settings of a server that nobody configured.
func Default() Config {
	c, err := newSettings().decode()
	if err != nil {
		panic(err) // the table and the structs disagree; TestTableAndStructsAgree holds them together
	}
	return c
}

// Load merges and checks all sources. flags may be nil or must have been made by Flags and parsed; environ has
// os.Environ's form. file names the YAML file and must exist; when empty, --config, then TICKLANE_CONFIG name it,
// and else ./config.yaml is read if it is there.
//
// All mistakes come together in one *Error, also those in a source that another one overrides. An error of another
// type says that the file can't be read or is no YAML.
func Load(flags *pflag.FlagSet, environ []string, file string) (Config, error) {
	s := newSettings()
	path, origin, must := filePath(flags, environ, file)
	if err := s.readFile(path, origin, must); err != nil {
		return Config{}, err
	}
	s.readEnv(environ)
	if err := s.readFlags(flags); err != nil {
		return Config{}, err
	}
	c, err := s.decode()
	if err != nil {
		return Config{}, err
	}
	s.cross(c)
	if len(s.problems) > 0 {
		return Config{}, &Error{Problems: s.problems}
	}
	return c, nil
}

// settings collects the checked values of all sources, where each came from, and what is wrong.
type settings struct {
	merged   *koanf.Koanf
	origins  map[string]string // of keys that some source gave
	bad      map[string]bool   // keys with a problem, which cross must not judge again
	problems []Problem
}

func newSettings() *settings {
	s := &settings{merged: koanf.New("."), origins: map[string]string{}, bad: map[string]bool{}}
	values := map[string]any{}
	for k := range everyKey() {
		v, ok := k.kind.parse(k.def)
		if !ok {
			panic(fmt.Sprintf("config: the default of %s is not allowed", k.name))
		}
		values[k.name] = v
	}
	s.merge(values)
	return s
}

// take checks one source's values and lays the good ones over what is there.
func (s *settings) take(values map[string]any, origin func(name string) string) {
	good := map[string]any{}
	for _, name := range inOrder(values) {
		raw, from := values[name], origin(name)
		k, known := lookup(name)
		if !known {
			if section(name) && empty(raw) {
				continue // every line under the section's name is commented out
			}
			s.refuse(unknown(name, raw, from))
			continue
		}
		v, err := k.read(raw)
		if err != nil {
			s.refuse(Problem{Key: name, Origin: from, Value: show(raw), Want: err.Error()})
			continue
		}
		good[name], s.origins[name] = v, from
	}
	s.merge(good)
}

func (s *settings) merge(values map[string]any) {
	// confmap only copies a map in memory: it has no way to fail.
	if err := s.merged.Load(confmap.Provider(values, "."), nil); err != nil {
		panic(err)
	}
}

func (s *settings) refuse(p Problem) {
	s.bad[p.Key] = true
	s.problems = append(s.problems, p)
}

func (s *settings) decode() (Config, error) {
	var c Config
	if err := s.merged.Unmarshal("", &c); err != nil {
		return Config{}, fmt.Errorf("config: %w", err)
	}
	return c, nil
}
