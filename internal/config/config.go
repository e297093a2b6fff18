// Package config loads the server's settings from four sources, each overriding those before it: defaults, a YAML file,
// environment variables that start with TICKLANE_, and flags. One table (sections, in keys.go) defines the defaults, the
// allowed values, the flags and the help text.
package config

import (
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// Config holds all settings, validated. The tags are the names of the table: a section's, and within it a key's or a further
// section's.
type Config struct {
	Server  Server   `key:"server"`
	Market  Market   `key:"market"`
	Feed    Feed     `key:"feed"`
	Data    Data     `key:"data"`
	History History  `key:"history"`
	Bus     Bus      `key:"bus"`
	Stream  Stream   `key:"stream"`
	Auth    Auth     `key:"auth"`
	Limits  Limits   `key:"limits"`
	Lab     Lab      `key:"lab"`
	Load    LoadTest `key:"load"`
	Log     Log      `key:"log"`
	Audit   Audit    `key:"audit"`
}

// Audit has the options of the audit log.
type Audit struct {
	File string `key:"file"` // empty for none
}

// Server has the listening address and the hosts that are trusted.
type Server struct {
	Addr            string        `key:"addr"`       // host:port; port 0 chooses a free port
	BasePath        string        `key:"base_path"`  // such as /quotes; empty for the root
	AdminAddr       string        `key:"admin_addr"` // host:port; empty for none
	Hosts           []string      `key:"hosts"`      // lower case, without port and brackets
	Origins         []string      `key:"origins"`    // lower case scheme://host[:port]
	CORSCredentials bool          `key:"cors_credentials"`
	TrustedProxies  []string      `key:"trusted_proxies"`
	ReadTimeout     time.Duration `key:"read_timeout"`
	IdleTimeout     time.Duration `key:"idle_timeout"`
	ShutdownTimeout time.Duration `key:"shutdown_timeout"`
	DrainDelay      time.Duration `key:"drain_delay"`
	TLSCert         string        `key:"tls_cert"` // set if and only if TLSKey is
	TLSKey          string        `key:"tls_key"`
}

// Market has the options of the simulator.
type Market struct {
	Rate     float64       `key:"rate"` // ticks per second of the whole market
	Symbols  int           `key:"symbols"`
	Seed     int64         `key:"seed"`     // 0: the caller chooses a random seed and logs it
	Arrivals string        `key:"arrivals"` // "hawkes" or "steady"
	DayShape bool          `key:"day_shape"`
	Warmup   time.Duration `key:"warmup"`
}

// Feed selects the source of ticks.
type Feed struct {
	Source   string  `key:"source"` // "simulator", "replay" or "ingest"
	File     string  `key:"file"`   // if Source is "replay" a regular file, or "-" for standard input
	Speed    float64 `key:"speed"`  // factor of the file's speed; +Inf for "max"
	Start    string  `key:"start"`  // a time of the file; empty for its first row
	Loop     bool    `key:"loop"`
	OnBadRow string  `key:"on_bad_row"` // "stop" or "skip"
	Format   Format  `key:"format"`

	StaleAfter time.Duration `key:"stale_after"` // 0 for never
	Ingest     Ingest        `key:"ingest"`
}

// Format has what a replayed file doesn't show. "auto" leaves it to detection.
type Format struct {
	Delimiter string   `key:"delimiter"`
	Decimal   string   `key:"decimal"`
	Thousands string   `key:"thousands"`
	Date      string   `key:"date"`
	Zone      string   `key:"zone"`    // IANA time zone
	Symbol    string   `key:"symbol"`  // of all rows; empty for those of the file
	Columns   []string `key:"columns"` // meanings in order, or pairs NAME=meaning
}

// Ingest has the options of a feed that clients send.
type Ingest struct {
	Token       Secret  `key:"token"`       // empty: only clients on this machine may send
	Instruments int     `key:"instruments"` // at most
	Rate        float64 `key:"rate"`        // lines per second; 0 for no limit
	LineSize    int     `key:"line_size"`   // bytes
}

// Data has the place of stored data.
type Data struct {
	Dir string `key:"dir"` // empty: nothing is stored
}

// History has the times for which stored bars are kept.
type History struct {
	Keep Keep `key:"keep"`
}

// Keep has the time for each interval.
type Keep struct {
	Bars10s time.Duration `key:"10s"`
	Bars1m  time.Duration `key:"1m"`
	Bars5m  time.Duration `key:"5m"`
	Bars15m time.Duration `key:"15m"`
	Bars1h  time.Duration `key:"1h"`
	Bars1d  time.Duration `key:"1d"`
}

// Bus has the way of ticks from the feed to the logs.
type Bus struct {
	Kind string `key:"kind"` // "memory" or "nats"
	Ack  string `key:"ack"`  // "after" or "before"
	Node string `key:"node"` // empty: the host's name
	Lead bool   `key:"lead"`
	NATS NATS   `key:"nats"`
}

// NATS has the options of a bus on NATS JetStream.
type NATS struct {
	URL         string        `key:"url"` // addresses, separated by commas; empty: an embedded server
	Stream      string        `key:"stream"`
	Replicas    int           `key:"replicas"`
	Sync        bool          `key:"sync"`
	MaxAge      time.Duration `key:"max_age"`
	MaxBytes    int           `key:"max_bytes"`
	Credentials string        `key:"credentials"` // file
	CA          string        `key:"ca"`          // PEM file
	Cert        string        `key:"cert"`        // PEM file; set if and only if Key is
	Key         string        `key:"key"`         // PEM file
}

// Stream has the options of the log and its subscribers.
type Stream struct {
	Engine        string        `key:"engine"`
	Shards        int           `key:"shards"`
	LogSize       int           `key:"log_size"` // ticks
	MaxLag        int           `key:"max_lag"`  // ticks; 0 for the whole log
	OnLag         string        `key:"on_lag"`   // "gap" or "latest"
	Heartbeat     time.Duration `key:"heartbeat"`
	Interval      time.Duration `key:"interval"`
	FlushInterval time.Duration `key:"flush_interval"` // 0 for no minimum
	SnapshotChunk int           `key:"snapshot_chunk"`
	WriteTimeout  time.Duration `key:"write_timeout"`
	WriteBuffer   int           `key:"write_buffer"` // bytes; 0 for the kernel's default
	Retry         time.Duration `key:"retry"`
	Compress      string        `key:"compress"` // "off", "on" or "auto"
	CompressSets  int           `key:"compress_sets"`
}

// Auth has the options of authentication.
type Auth struct {
	Mode           string          `key:"mode"`             // "none", "token" or "jwt"
	Tokens         string          `key:"tokens"`           // file; set if Mode is "token"
	Revocations    string          `key:"revocations"`      // file; empty: in memory only
	SessionKeyFile string          `key:"session_key_file"` // empty: a random key
	SessionTime    time.Duration   `key:"session_time"`
	Grace          time.Duration   `key:"grace"`
	Delays         []time.Duration `key:"delays"`
	JWT            JWT             `key:"jwt"`
	OIDC           OIDC            `key:"oidc"`
}

// JWT has the keys and the rules of signed tokens.
type JWT struct {
	Keys       []string      `key:"keys"` // PEM files
	JWKSURL    string        `key:"jwks_url"`
	Issuer     string        `key:"issuer"`
	Audience   string        `key:"audience"`
	Leeway     time.Duration `key:"leeway"`
	SecretFile string        `key:"secret_file"`
}

// OIDC has the provider by which people sign in.
type OIDC struct {
	Issuer           string   `key:"issuer"` // empty: none
	ClientID         string   `key:"client_id"`
	ClientSecretFile string   `key:"client_secret_file"`
	Scopes           []string `key:"scopes"`
	RightsClaim      string   `key:"rights_claim"`
	Rights           string   `key:"rights"` // JSON
	RedirectURL      string   `key:"redirect_url"`
}

// Limits has the limits that protect the process.
type Limits struct {
	Connections  int     `key:"connections"` // streams
	PerAddress   int     `key:"per_address"` // streams
	AcceptRate   float64 `key:"accept_rate"` // streams per second; 0 for no limit
	Requests     float64 `key:"requests"`    // per second; 0 for no limit
	Topics       int     `key:"topics"`
	MessageSize  int     `key:"message_size"` // bytes
	MessageRate  float64 `key:"message_rate"` // per second
	MessageBurst int     `key:"message_burst"`
	HeaderSize   int     `key:"header_size"` // bytes
	BodySize     int     `key:"body_size"`   // bytes
}

// Lab has the options of experiments.
type Lab struct {
	Enabled bool `key:"enabled"`
}

// LoadTest has the options of the load tester's reports.
type LoadTest struct {
	Reports string `key:"reports"` // a directory, which need not exist
}

// Log has the options of the log on standard error.
type Log struct {
	Level  slog.Level `key:"level"`
	Format string     `key:"format"` // "text" or "json"
}

// Load merges and validates all sources. flags is nil or has been set up by Flags and parsed; environ has the form of
// os.Environ. file is the path of the YAML file, which must exist. If it is empty, --config or else TICKLANE_CONFIG is the
// path, or else ./config.yaml is read if it exists.
//
// An *Error lists all invalid settings of all sources, including those that a later source overrides. Any other error means
// that the file can't be read or isn't YAML.
func Load(flags *pflag.FlagSet, environ []string, file string) (Config, error) {
	s := newSettings()
	path, origin, required := filePath(flags, environ, file)
	if err := s.readFile(path, origin, required); err != nil {
		return Config{}, err
	}
	s.readEnv(environ)
	s.readFlags(flags)
	s.checkDependencies()
	if len(s.problems) > 0 {
		return Config{}, &Error{Problems: s.problems}
	}
	return s.config, nil
}

// Default returns the settings without any source.
func Default() Config { return newSettings().config }

// Check checks settings of the form key=value without the other sources, for a server that gets no more than them. origin
// names their source. The error is an *Error.
func Check(list []string, origin string) error {
	s, values := newSettings(), map[string]any{}
	for _, setting := range list {
		name, value, _ := strings.Cut(setting, "=")
		values[name] = value
	}
	s.take(values, func(string) string { return origin })
	s.checkDependencies()
	if len(s.problems) > 0 {
		return &Error{Problems: s.problems}
	}
	return nil
}

// settings collects the valid values of all sources and the problems of the others.
type settings struct {
	config   Config
	origins  map[string]string // source of each key that a source has set
	bad      map[string]bool   // keys with a problem
	problems []Problem
}

func newSettings() *settings {
	s := &settings{origins: map[string]string{}, bad: map[string]bool{}}
	for k := range everyKey() {
		v, ok := k.kind.parse(k.def)
		if !ok {
			panic(fmt.Sprintf("config: the default of %s is not allowed", k.name))
		}
		s.config.set(k.name, v)
	}
	return s
}

// take validates the values of one source and stores the valid ones.
func (s *settings) take(values map[string]any, origin func(name string) string) {
	for _, name := range inOrder(values) {
		raw, from := values[name], origin(name)
		k, known := byName[name]
		if !known {
			if !isSection(name) || !isEmpty(raw) { // all keys of an empty section may be commented out
				s.addProblem(unknownKey(name, raw, from))
			}
			continue
		}
		v, err := k.read(raw)
		if err != nil {
			value := show(raw)
			switch k.kind.(type) {
			case secret, natsURLs:
				value = ""
			}
			s.addProblem(Problem{Key: name, Origin: from, Value: value, Want: err.Error()})
			continue
		}
		s.config.set(name, v)
		s.origins[name] = from
	}
}

func (s *settings) addProblem(p Problem) {
	s.bad[p.Key] = true
	s.problems = append(s.problems, p)
}

// set stores the value of a key, as its kind parsed it, in the field with its tags.
func (c *Config) set(name string, v any) {
	field := reflect.ValueOf(c).Elem()
	for tag := range strings.SplitSeq(name, ".") {
		field = tagged(field, tag)
	}
	field.Set(reflect.ValueOf(v).Convert(field.Type()))
}

// tagged returns the field of a struct with a tag.
func tagged(v reflect.Value, tag string) reflect.Value {
	for field := range v.Type().Fields() {
		if field.Tag.Get("key") == tag {
			return v.FieldByIndex(field.Index)
		}
	}
	panic("config: no field for " + tag)
}
