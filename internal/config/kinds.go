package config

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// kind is the type of a key: the values it allows and how they are parsed.
type kind interface {
	// parse returns the value of a text; ok is false if it is not allowed.
	parse(s string) (v any, ok bool)
	// allowed describes the allowed values, for use after the word "want".
	allowed() string
}

type integer struct {
	min, max   int64
	unit, zero string // zero, if not empty, is the meaning of 0 and allows it below min
}

func (k integer) parse(s string) (any, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && (n >= k.min && n <= k.max || n == 0 && k.zero != "")
}

func (k integer) allowed() string {
	return join(commas(k.min)+" to "+commas(k.max), k.unit, k.zero)
}

type number struct {
	min, max float64
	unit     string
}

func (k number) parse(s string) (any, bool) {
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && f >= k.min && f <= k.max // NaN fails both
}

func (k number) allowed() string {
	return join(strconv.FormatFloat(k.min, 'g', -1, 64)+" to "+commas(int64(k.max)), k.unit, "")
}

type duration struct {
	min, max time.Duration
	zero     string
}

func (k duration) parse(s string) (any, bool) {
	d, err := time.ParseDuration(s)
	return d, err == nil && d >= k.min && d <= k.max
}

func (k duration) allowed() string { return join(short(k.min)+" to "+short(k.max), "", k.zero) }

// days is a duration that may begin with a number of days: "30d", "1d12h".
type days struct{ min, max time.Duration }

func (k days) parse(s string) (any, bool) {
	whole, rest, found := strings.Cut(s, "d")
	if !found {
		whole, rest = "0", s
	}
	n, err := strconv.ParseFloat(whole, 64)
	if err != nil || !(n >= 0 && n <= 100_000) { // a duration has at most 106,751 days; NaN fails
		return nil, false
	}
	d := time.Duration(n * 24 * float64(time.Hour))
	if rest != "" {
		more, err := time.ParseDuration(rest)
		if err != nil || more < 0 {
			return nil, false
		}
		d += more
	}
	return d, d >= k.min && d <= k.max && s != ""
}

func (k days) allowed() string { return inDays(k.min) + " to " + inDays(k.max) }

func inDays(d time.Duration) string {
	if d%(24*time.Hour) == 0 {
		return strconv.Itoa(int(d/(24*time.Hour))) + "d"
	}
	return short(d)
}

// choice is one of at least two texts.
type choice []string

func (k choice) parse(s string) (any, bool) { return s, slices.Contains(k, s) }

func (k choice) allowed() string {
	last := len(k) - 1
	return strings.Join(k[:last], ", ") + " or " + k[last]
}

// level is one of the log levels.
type level struct{}

var levels = choice{"debug", "info", "warn", "error"}

func (level) parse(s string) (any, bool) {
	var l slog.Level
	ok := slices.Contains(levels, s) && l.UnmarshalText([]byte(s)) == nil
	return l, ok
}

func (level) allowed() string { return levels.allowed() }

type boolean struct{}

func (boolean) parse(s string) (any, bool) { return s == "true", s == "true" || s == "false" }
func (boolean) allowed() string            { return "true or false" }

// speed is a factor, or "max" for +Inf.
type speed struct{}

func (speed) parse(s string) (any, bool) {
	if s == "max" {
		return math.Inf(1), true
	}
	return number{0.001, mega, ""}.parse(s)
}

func (speed) allowed() string { return "0.001 to 1,000,000 times, or max" }

// rateLimit is a rate, or 0 for no limit. With auto it may be "auto", for autoAcceptRate.
type rateLimit struct{ auto bool }

func (k rateLimit) parse(s string) (any, bool) {
	if s == "auto" {
		return autoAcceptRate(), k.auto
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && f == 0 {
		return 0.0, true
	}
	return number{0.1, mega, ""}.parse(s)
}

func (k rateLimit) allowed() string {
	if k.auto {
		return "auto, or 0.1 to 1,000,000 per second; 0: no limit"
	}
	return "0.1 to 1,000,000 per second; 0: no limit"
}

// autoAcceptRate returns the value of limits.accept_rate auto, in streams per second. Opening a stream of one symbol takes
// about 0.1 ms of processor time, so four fifths of each processor are left for snapshots and open streams.
func autoAcceptRate() float64 { return float64(2000 * runtime.GOMAXPROCS(0)) }

// Secret is a text that is not printed.
type Secret string

// Format implements fmt.Formatter for all verbs.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.shown()) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.shown()) }

// MarshalText implements encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.shown()), nil }

func (s Secret) shown() string {
	if s == "" {
		return ""
	}
	return "(secret)"
}

// secret is a line of text that errors don't show.
type secret struct{}

func (secret) parse(s string) (any, bool) { return text{}.parse(s) }
func (secret) allowed() string            { return "a secret" }

// text is any line of text; what describes its meaning.
type text struct{ what string }

func (text) parse(s string) (any, bool) { return s, !strings.ContainsAny(s, "\x00\r\n") }
func (k text) allowed() string          { return k.what }

// streamName is the name of a stream of NATS from which those of buckets and subjects are made.
type streamName struct{}

func (streamName) parse(s string) (any, bool) {
	other := strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
	return s, s != "" && len(s) <= 64 && !other
}

func (streamName) allowed() string { return "1 to 64 letters (a to z), digits, - and _" }

// natsURLs are addresses of servers of NATS, as nats.go splits and reads them. Errors don't show them: they may contain a password.
type natsURLs struct{}

func (natsURLs) parse(s string) (any, bool) {
	if s == "" {
		return s, true
	}
	sockets := 0
	all := strings.Split(s, ",")
	for _, one := range all {
		one = strings.TrimSpace(one)
		if !strings.Contains(one, "://") {
			one = "nats://" + one
		}
		u, err := url.Parse(one)
		if err != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
			return nil, false
		}
		switch u.Scheme {
		case "ws", "wss":
			sockets++
		case "nats", "tls":
		default:
			return nil, false
		}
		_, host := hostName{}.parse(u.Hostname())
		if _, err := strconv.ParseUint(cmp.Or(u.Port(), "4222"), 10, 16); err != nil || !host {
			return nil, false
		}
	}
	return s, sockets == 0 || sockets == len(all)
}

func (natsURLs) allowed() string {
	return "addresses, separated by commas, such as nats://10.0.0.1:4222; scheme nats, tls, or for all ws or wss"
}

// nodeName is the name of a node, which others show in a list.
type nodeName struct{}

func (nodeName) parse(s string) (any, bool) {
	return s, len(s) <= 100 && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

func (nodeName) allowed() string { return "a name of at most 100 bytes, all printable" }

// zone is a time zone of the IANA database.
type zone struct{}

func (zone) parse(s string) (any, bool) {
	_, err := time.LoadLocation(s)
	return s, err == nil && s != "" && s != "Local"
}

func (zone) allowed() string { return "a time zone such as UTC or America/New_York" }

// address is a host:port.
type address struct{ optional bool }

func (k address) parse(s string) (any, bool) {
	if s == "" {
		return s, k.optional
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return nil, false
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return nil, false
	}
	_, ok := hostName{}.parse(host)
	return s, ok || host == ""
}

func (k address) allowed() string {
	if k.optional {
		return "host:port, such as 127.0.0.1:6060, or empty"
	}
	return "host:port, such as 127.0.0.1:3000 or :8080"
}

// onLoopback reports whether an address is one of loopback.
func onLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	ip, notIP := netip.ParseAddr(host)
	return err == nil && (host == "localhost" || notIP == nil && ip.IsLoopback())
}

var dnsName = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?$`)

// hostName is a host name or an IP address, in brackets or not.
type hostName struct{}

func (hostName) parse(s string) (any, bool) {
	s = strings.ToLower(s)
	if in, ok := strings.CutPrefix(s, "["); ok {
		s = strings.TrimSuffix(in, "]")
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return s, true
	}
	return s, len(s) <= 253 && dnsName.MatchString(s)
}

func (hostName) allowed() string { return "host names or IP addresses, without scheme and port" }

// origin is the origin of a web page.
type origin struct{}

func (origin) parse(s string) (any, bool) {
	u, err := url.Parse(strings.ToLower(s))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, false
	}
	if _, ok := (hostName{}).parse(u.Hostname()); !ok {
		return nil, false
	}
	// An Origin header has only scheme and host, so a trailing slash would never match.
	return u.String(), *u == url.URL{Scheme: u.Scheme, Host: u.Host}
}

func (origin) allowed() string { return "origins such as https://desk.example.com, without a path" }

var pathSegments = regexp.MustCompile(`^(/[A-Za-z0-9_~][A-Za-z0-9._~-]*)+$`)

// basePath is the path of an address, without characters that would have to be escaped, or empty.
type basePath struct{}

func (basePath) parse(s string) (any, bool) { return s, s == "" || pathSegments.MatchString(s) }
func (basePath) allowed() string {
	return "a path such as /quotes, of letters, digits and -._~, without a slash at its end; or empty"
}

// webAddress is an https:// address, or http:// on loopback, or empty.
type webAddress struct{}

func (webAddress) parse(s string) (any, bool) {
	u, err := url.Parse(s)
	if s == "" || err != nil {
		return s, s == ""
	}
	if _, ok := (hostName{}).parse(u.Hostname()); !ok || u.User != nil || u.Fragment != "" {
		return nil, false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return s, u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && ip.IsLoopback())
}

func (webAddress) allowed() string {
	return "an address such as https://id.example.com (http only on loopback), or empty"
}

// prefix is an IP address or a range of addresses.
type prefix struct{}

func (prefix) parse(s string) (any, bool) {
	if _, err := netip.ParseAddr(s); err == nil {
		return s, true
	}
	_, err := netip.ParsePrefix(s)
	return s, err == nil
}

func (prefix) allowed() string { return "IP addresses or ranges such as 10.0.0.0/8" }

// list is any number of items of one kind: a YAML list, or a text with commas.
type list struct{ of kind }

func (k list) parse(s string) (any, bool) {
	if _, ok := k.of.(duration); ok {
		return listOf[time.Duration](s, k.of)
	}
	return listOf[string](s, k.of)
}

func listOf[T any](s string, of kind) (any, bool) {
	all := []T{}
	if strings.TrimSpace(s) == "" {
		return all, true
	}
	for item := range strings.SplitSeq(s, ",") {
		v, ok := of.parse(strings.TrimSpace(item))
		if !ok {
			return nil, false
		}
		all = append(all, v.(T))
	}
	return all, true
}

func (k list) allowed() string {
	if _, ok := k.of.(duration); ok {
		return "a list of durations, each " + k.of.allowed()
	}
	return "a list of " + k.of.allowed()
}

// join returns a range with its unit and the meaning of zero, if it has them.
func join(rng, unit, zero string) string {
	if unit != "" {
		rng += " " + unit
	}
	if zero != "" {
		rng += "; " + zero
	}
	return rng
}

// commas formats n with its digits grouped if there are five or more.
func commas(n int64) string {
	if n == math.MaxInt64 {
		return "2^63-1"
	}
	s := strconv.FormatInt(n, 10)
	if len(s) < 5 {
		return s
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// short returns d without the zero units that String appends: "2h" for "2h0m0s".
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
