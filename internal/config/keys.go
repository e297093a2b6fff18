package config

import (
	"iter"
	"math"
	"strings"
	"time"
)

// key is one row of the table.
type key struct {
	name string // "stream.log_size"
	def  string // the default, as a person would write it; a list's is empty
	kind kind
	doc  string // a sentence or two, without range and default
}

type group struct {
	name, doc string
	keys      []key
}

const mega = 1_000_000

// sections is the single truth about settings, in the order in which people should meet them.
var sections = []group{
	{"server", "Where it listens, and whom it trusts", []key{
		{"server.addr", "127.0.0.1:3000", address{}, "Address to listen on. Without a host: every interface. Port 0: a free one."},
		{"server.shutdown_timeout", "10s", duration{0, 10 * time.Minute, ""}, "Time that open streams and requests get to end at a stop."},
		{"server.hosts", "", list{hostName{}}, "Names in the Host header that are answered besides loopback's and the one in server.addr; others are refused (DNS rebinding)."},
		{"server.origins", "", list{origin{}}, "Other sites whose pages may open streams here (WebSocket's Origin, CORS)."},
		{"server.trusted_proxies", "", list{prefix{}}, "Proxies whose X-Forwarded-For is believed."},
		{"server.read_timeout", "10s", duration{100 * time.Millisecond, 5 * time.Minute, ""}, "Time in which a client must have sent its request."},
		{"server.idle_timeout", "60s", duration{time.Second, time.Hour, ""}, "How long a connection may wait for its next request."},
		{"server.tls_cert", "", text{"a PEM file"}, "Certificate chain; with server.tls_key it turns HTTPS on."},
		{"server.tls_key", "", text{"a PEM file"}, "Private key of server.tls_cert."},
		{"server.pprof_addr", "", address{optional: true, loopback: true}, "A second, loopback-only address for Go's profiler. Empty: none."},
	}},
	{"market", "The simulated market", []key{
		{"market.rate", "100", number{0.1, mega, "ticks per second"}, "Mean rate of the whole market."},
		{"market.symbols", "50", integer{1, 5000, "symbols", ""}, "How many symbols are traded."},
		{"market.seed", "42", integer{0, math.MaxInt64, "", "0: another one at each start, told in the log"}, "The same seed gives the same market."},
		{"market.arrivals", "hawkes", choice{"hawkes", "steady"}, "When ticks are due: in bursts as in real markets, or one each 1/rate seconds for load tests."},
		{"market.day_shape", "false", boolean{}, "Whether a day is busiest at its start and its end (a UTC day)."},
		{"market.warmup", "2h", duration{0, 24 * time.Hour, ""}, "Simulated time before the start, so that charts open with a past."},
	}},
	{"feed", "Where ticks come from", []key{
		{"feed.source", "simulator", choice{"simulator", "replay"}, "The simulated market, or a CSV file of ticks or bars."},
		{"feed.file", "", text{"a CSV file"}, "What replay plays; a relative path starts at the working directory."},
		{"feed.speed", "1", speed{}, "How fast replay plays: times the file's own pace, or max for as fast as possible."},
		{"feed.loop", "true", boolean{}, "Whether replay starts again at the file's end."},
		{"feed.on_bad_row", "stop", choice{"stop", "skip"}, "What replay does at a row that it can't read; either way it names file and line."},
	}},
	{"stream", "The log, and what subscribers get from it", []key{
		{"stream.engine", "stream", choice{"stream", "shard"}, "What moves bytes from the log to the sockets: stream has goroutines for each connection, shard a few writers for all of them (Linux, without TLS)."},
		{"stream.shards", "0", integer{0, 1024, "writers", "0: one for each two processors"}, "Writers of engine shard."},
		{"stream.log_size", "65536", integer{16, 16 << 20, "ticks", ""}, "How many of the newest ticks the log keeps: so far back can a client resume."},
		{"stream.max_lag", "0", integer{0, 16 << 20, "ticks", "0: the whole log"}, "How far a client may fall behind, at most stream.log_size."},
		{"stream.on_lag", "gap", choice{"gap", "latest"}, "What a client gets that fell behind further: a gap and a snapshot, or the newest tick of each symbol from then on."},
		{"stream.heartbeat", "15s", duration{100 * time.Millisecond, 5 * time.Minute, ""}, "Silence after which a heartbeat is sent. Clients give up after 2.5 of them."},
		{"stream.interval", "250ms", duration{0, 5 * time.Second, ""}, "Least time between writes to a client of mode latest that names no interval."},
		{"stream.flush_interval", "0s", duration{0, time.Second, "0s: wake them at once"}, "Least time between two wake-ups of the subscribers: fewer, larger writes for some latency."},
		{"stream.write_timeout", "10s", duration{100 * time.Millisecond, 5 * time.Minute, ""}, "A client whose write blocks longer is disconnected, at the latest after 1.1 times as long."},
		{"stream.write_buffer", "0", integer{4096, 16 << 20, "bytes", "0: the kernel's own"}, "Send buffer of each socket. The kernel's own lets a client that doesn't read tie up about 3.7 MB before it is seen to be slow; 16384 makes that about 140 KB, for more blocked writes on long, fast links."},
		{"stream.retry", "1s", duration{100 * time.Millisecond, time.Minute, ""}, "What SSE's retry: tells browsers to wait before they reconnect."},
		{"stream.compress", "auto", choice{"off", "on", "auto"}, "Whether streams are compressed for clients that offer it (gzip on SSE, permessage-deflate on WebSocket). auto: where several read the same topics, so that compressing once serves all of them."},
		{"stream.compress_sets", "16", integer{1, 1024, "sets of topics", ""}, "How many different sets of topics are compressed at the same time; each takes 1 to 4 MB. Clients of a further one get it as it is."},
	}},
	{"limits", "What protects the process", []key{
		{"limits.connections", "20000", integer{1, mega, "streams", ""}, "Open streams of both lanes together."},
		{"limits.per_address", "256", integer{1, mega, "streams", ""}, "Open streams of one client address. Loopback is exempt unless server.trusted_proxies is set."},
		{"limits.topics", "512", integer{1, 65536, "topics", ""}, "Topics of one stream."},
		{"limits.message_size", "4096", integer{64, 1 << 20, "bytes", ""}, "Largest command that a client may send."},
		{"limits.message_rate", "10", number{0.1, 10000, "per second"}, "Commands of one client."},
		{"limits.message_burst", "20", integer{1, 10000, "commands", ""}, "Commands of one client at once, above the rate."},
		{"limits.header_size", "8192", integer{1024, 1 << 20, "bytes", ""}, "Largest head of a request; also the read buffer of each connection."},
		{"limits.body_size", "65536", integer{1024, 16 << 20, "bytes", ""}, "Largest body of a request."},
	}},
	{"lab", "Experiments", []key{
		{"lab.enabled", "false", boolean{}, "Whether visitors may run comparisons that load this server. Keep it off in public."},
	}},
	{"load", "The load tester's reports", []key{
		{"load.reports", "docs/reports", text{"a folder"}, "Folder whose reports the page Reports lists; a relative path starts at the working directory."},
	}},
	{"log", "Records on standard error", []key{
		{"log.level", "info", choice{"debug", "info", "warn", "error"}, "The least severity that is written."},
		{"log.format", "text", choice{"text", "json"}, "For people, or for machines."},
	}},
}

func everyKey() iter.Seq[key] {
	return func(yield func(key) bool) {
		for _, g := range sections {
			for _, k := range g.keys {
				if !yield(k) {
					return
				}
			}
		}
	}
}

var byName = func() map[string]key {
	m := map[string]key{}
	for k := range everyKey() {
		m[k.name] = k
	}
	return m
}()

func lookup(name string) (key, bool) {
	k, ok := byName[name]
	return k, ok
}

func section(name string) bool {
	for _, g := range sections {
		if g.name == name {
			return true
		}
	}
	return false
}

// EnvPrefix starts the name of every environment variable that is a setting.
const EnvPrefix = "TICKLANE_"

// env is the key's environment variable. Dots and underscores both become underscores, so names are only ever
// looked up in the table, never taken apart; a test holds that no two keys share one.
func (k key) env() string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(k.name, ".", "_"))
}
