package config

import (
	"iter"
	"math"
	"strings"
	"time"
)

// key is one row of the table.
type key struct {
	name string // "stream.log_size", or with a further section "history.keep.1m"; the keys of such a section follow each other
	def  string // the default, as in a file; empty for a list
	kind kind
	doc  string // one or two sentences, without range and default
}

type group struct {
	name, doc string
	keys      []key
}

const (
	mega     = 1_000_000
	tenYears = 3650 * 24 * time.Hour
)

// sections defines all settings, in the order of the help text and of config.yaml.
var sections = []group{
	{"server", "Addresses, timeouts and trusted hosts", []key{
		{"server.addr", "127.0.0.1:3000", address{}, "Address to listen on. Without a host: all interfaces. Port 0: a free port."},
		{"server.base_path", "", basePath{}, "Path below which everything is served, for a proxy that has other servers beside it. The proxy must keep it in the path (docs/proxies.md). /healthz and /readyz work without it too."},
		{"server.shutdown_timeout", "10s", duration{0, 10 * time.Minute, ""}, "Time for open streams and requests to finish at shutdown."},
		{"server.drain_delay", "0s", duration{0, 10 * time.Minute, ""}, "Time at shutdown during which /readyz already fails and clients are still served, so that a load balancer can notice it."},
		{"server.hosts", "", list{hostName{}}, "Accepted names in the Host header, besides those of loopback and the host of server.addr; other requests are rejected (protection against DNS rebinding)."},
		{"server.origins", "", list{origin{}}, "Other sites whose pages may open streams (WebSocket Origin check, CORS)."},
		{"server.cors_credentials", "false", boolean{}, "Whether pages of server.origins may send cookies and Authorization (CORS credentials)."},
		{"server.trusted_proxies", "", list{prefix{}}, "Proxies whose X-Forwarded-For header is used for client addresses, and X-Forwarded-Proto for the scheme (docs/proxies.md)."},
		{"server.read_timeout", "10s", duration{100 * time.Millisecond, 5 * time.Minute, ""}, "Maximum time to receive a request."},
		{"server.idle_timeout", "60s", duration{time.Second, time.Hour, ""}, "Maximum time between two requests on a connection."},
		{"server.tls_cert", "", text{"a PEM file"}, "Certificate chain; together with server.tls_key it enables HTTPS. Read again when it changes and on SIGHUP."},
		{"server.tls_key", "", text{"a PEM file"}, "Private key of server.tls_cert."},
		{"server.admin_addr", "", address{optional: true}, "Additional address for /metrics, /api/stats, /api/connections, /api/lab, /api/revocations and the Go profiler, which are then served there only: without credentials on loopback, with the right admin elsewhere, which needs auth.mode. Empty: they are served on server.addr."},
	}},
	{"market", "The simulated market", []key{
		{"market.rate", "100", number{0.1, mega, "ticks per second"}, "Mean tick rate of the whole market."},
		{"market.symbols", "50", integer{1, 5000, "symbols", ""}, "Number of symbols."},
		{"market.seed", "42", integer{0, math.MaxInt64, "", "0: a random seed at each start, which is logged"}, "Seed of the random numbers: the same seed produces the same market."},
		{"market.arrivals", "hawkes", choice{"hawkes", "steady"}, "When ticks are due. hawkes: in bursts, as in real markets. steady: one every 1/rate seconds, for load tests."},
		{"market.day_shape", "false", boolean{}, "Whether the market is busier at the start and the end of the UTC day."},
		{"market.warmup", "2h", duration{0, 24 * time.Hour, ""}, "Simulated time before the start, which fills the charts; daily bars go back up to 250 days. 0s: no past."},
	}},
	{"feed", "The source of ticks", []key{
		{"feed.source", "simulator", choice{"simulator", "replay", "ingest"}, "The simulated market, a CSV file of ticks or bars, or what clients send to /api/ingest (docs/ingest.md)."},
		{"feed.file", "", text{"a CSV file, also as gzip or zip; -: standard input"}, "File to replay, absolute or relative to the working directory. docs/replay.md describes it, with examples."},
		{"feed.speed", "1", speed{}, "Speed of the replay as a factor of the file's own, or max for as fast as possible."},
		{"feed.start", "", text{"a time of the file, such as 2026-03-02T14:30:00Z or 2026-03-02"}, "Time of the file from which on it is replayed. Rows before it fill the charts at once."},
		{"feed.loop", "true", boolean{}, "Whether the replay restarts at the end of the file."},
		{"feed.on_bad_row", "stop", choice{"stop", "skip"}, "Reaction to an invalid row of the file, which is reported with file and line in both cases."},
		{"feed.format.delimiter", "auto", choice{"auto", "comma", "semicolon", "tab", "pipe"}, "Delimiter of the fields of the replayed file. auto here and below: as detected, which the log shows."},
		{"feed.format.decimal", "auto", choice{"auto", "point", "comma"}, "Character before the decimals of a number."},
		{"feed.format.thousands", "auto", choice{"auto", "none", "comma", "point", "space", "apostrophe"}, "Character between groups of digits."},
		{"feed.format.date", "auto", choice{"auto", "ymd", "mdy", "dmy", "s", "ms", "us", "ns", "excel"}, "Order of year, month and day of a date; or the unit of a number since 1970; or serial days, as in Excel."},
		{"feed.format.zone", "UTC", zone{}, "Time zone of times that have none."},
		{"feed.format.symbol", "", text{"a symbol"}, "Symbol of all rows. Without it, and without a column for it, the file's name is the symbol."},
		{"feed.format.columns", "", list{text{"time, clock, symbol, bid, ask, last, open, high, low, close, bid_size, ask_size, volume, day_volume or -, as Name=meaning or one for each column"}}, "What columns mean that have no known name, such as Settle=close; or the meanings of all columns in order, for a file without column names. A dash ignores a column."},
		{"feed.stale_after", "30s", duration{0, 24 * time.Hour, "0s: never"}, "Time without a tick of feed.source ingest after which streams, pages and /readyz report that the feed is stale."},
		{"feed.ingest.token", "", secret{}, "Token that clients must send to feed this server (Authorization: Bearer). Empty: only clients on this machine may, without one."},
		{"feed.ingest.instruments", "1000", integer{1, 65536, "instruments", ""}, "Maximum number of instruments that clients may add."},
		{"feed.ingest.rate", "0", rateLimit{}, "Maximum rate of lines of all clients together; they are read no faster."},
		{"feed.ingest.line_size", "4096", integer{256, 1 << 20, "bytes", ""}, "Maximum size of a line."},
	}},
	{"data", "Stored data", []key{
		{"data.dir", "", text{"a directory"}, "Directory in which bars are stored, for one process at a time. It is created if it is missing. Empty: bars are in memory only, and end with the process."},
	}},
	{"history", "How long stored bars are kept", []key{
		{"history.keep.10s", "2d", days{time.Hour, tenYears}, "How long 10s bars are kept in data.dir."},
		{"history.keep.1m", "30d", days{time.Hour, tenYears}, "How long 1m bars are kept."},
		{"history.keep.5m", "30d", days{time.Hour, tenYears}, "How long 5m bars are kept. They are merged from 1m bars, which are stored for the longer of both times."},
		{"history.keep.15m", "365d", days{time.Hour, tenYears}, "How long 15m bars are kept."},
		{"history.keep.1h", "365d", days{time.Hour, tenYears}, "How long 1h bars are kept. They are merged from 15m bars, which are stored for the longer of both times."},
		{"history.keep.1d", "3650d", days{24 * time.Hour, tenYears}, "How long daily bars are kept."},
	}},
	{"bus", "The way of ticks from the feed to the servers (docs/cluster.md)", []key{
		{"bus.kind", "memory", choice{"memory", "nats"}, "memory: within this process. nats: through NATS JetStream, which keeps the log over restarts and connects several servers."},
		{"bus.ack", "after", choice{"after", "before"}, "When the server that runs the feed shows a tick to its own clients. after: once NATS has stored it, as all others do. before: at once; if NATS then loses the tick, all clients start anew."},
		{"bus.node", "", nodeName{}, "Name of this server among the servers of the bus, each of which needs its own. Empty: the host's name and the port of server.addr."},
		{"bus.lead", "true", boolean{}, "Whether this server may run the feed for all. One of those that may does."},
		{"bus.nats.url", "", natsURLs{}, "NATS servers to use, with JetStream. Empty: a server within this process, which stores in data.dir."},
		{"bus.nats.stream", "ticklane", streamName{}, "Name of the JetStream stream, and prefix of the names of what belongs to it. Servers with the same name show the same feed."},
		{"bus.nats.replicas", "1", integer{1, 5, "servers", ""}, "Number of NATS servers that store each message. A cluster of three needs 3 to survive the loss of one."},
		{"bus.nats.sync", "false", boolean{}, "Whether the NATS server within this process writes each message to the disk before it is shown. Without it, a crash of the machine (not of the process) can lose the newest 2 minutes."},
		{"bus.nats.max_age", "24h", duration{2 * time.Minute, tenYears, ""}, "How long ticks are kept in the stream."},
		{"bus.nats.max_bytes", "1073741824", integer{1 << 20, math.MaxInt64, "bytes", ""}, "Maximum size of the stream, after which the oldest ticks are dropped."},
		{"bus.nats.credentials", "", text{"a file"}, "Credentials of NATS (JWT and key, as nsc makes them)."},
		{"bus.nats.ca", "", text{"a PEM file"}, "Certificates that sign those of the NATS servers. Empty: those of the system."},
		{"bus.nats.cert", "", text{"a PEM file"}, "Certificate of this server for NATS servers that require one."},
		{"bus.nats.key", "", text{"a PEM file"}, "Private key of bus.nats.cert."},
	}},
	{"stream", "The log and its subscribers", []key{
		{"stream.engine", "stream", choice{"stream", "shard"}, "How streams are written: stream uses goroutines for each connection, shard a few writers for all connections (Linux, without TLS)."},
		{"stream.shards", "0", integer{0, 1024, "writers", "0: one for every two processors"}, "Number of writers of engine shard."},
		{"stream.log_size", "65536", integer{16, 16 << 20, "ticks", ""}, "Number of ticks that the log keeps, from which clients can resume."},
		{"stream.max_lag", "0", integer{0, 16 << 20, "ticks", "0: the whole log"}, "How far a client may fall behind, at most stream.log_size."},
		{"stream.on_lag", "gap", choice{"gap", "latest"}, "What happens to a client that falls further behind. gap: it gets a gap and a snapshot. latest: the same, and from then on only the newest tick of each symbol."},
		{"stream.heartbeat", "15s", duration{100 * time.Millisecond, 5 * time.Minute, ""}, "Silence after which a heartbeat is sent. Clients reconnect after 2.5 times as long."},
		{"stream.interval", "250ms", duration{0, 5 * time.Second, ""}, "Minimum time between writes to a client in mode latest that requests no interval."},
		{"stream.flush_interval", "0s", duration{0, time.Second, "0s: notify them immediately"}, "Minimum time between two notifications of subscribers: longer intervals cause fewer, larger writes and more latency."},
		{"stream.snapshot_chunk", "32768", integer{1024, 60 << 10, "bytes", ""}, "Maximum size of a message of a snapshot: a larger snapshot is sent in parts. Some clients can't read messages above 64 KiB."},
		{"stream.write_timeout", "10s", duration{100 * time.Millisecond, 5 * time.Minute, ""}, "Maximum time of a blocked write, after which the client is disconnected (at most 1.1 times as long)."},
		{"stream.write_buffer", "0", integer{4096, 16 << 20, "bytes", "0: the kernel's default"}, "Send buffer of each socket. With the kernel's default, about 3.7 MB are buffered for a client that doesn't read before it counts as slow; with 16384 about 140 KB, at the cost of more blocked writes on long, fast links."},
		{"stream.retry", "1s", duration{100 * time.Millisecond, time.Minute, ""}, "Time that browsers wait before they reconnect (SSE field retry)."},
		{"stream.compress", "auto", choice{"off", "on", "auto"}, "Whether streams are compressed for clients that support it (gzip on SSE, permessage-deflate on WebSocket). auto: if several clients read the same topics, so that each message is compressed once for all of them."},
		{"stream.compress_sets", "16", integer{1, 1024, "sets of topics", ""}, "Maximum number of different sets of topics that are compressed at the same time, 1 to 4 MB of memory each. Clients with further sets receive uncompressed streams."},
	}},
	{"auth", "Who may use the server (docs/access.md)", []key{
		{"auth.mode", "none", choice{"none", "token", "jwt"}, "none: everyone may do everything. token: the tokens of a file. jwt: tokens that others have signed."},
		{"auth.tokens", "", text{"a file"}, "Tokens of auth.mode token: ticklane token new NAME --file FILE makes one. Read again when it changes."},
		{"auth.revocations", "", text{"a file"}, "Tokens, subjects and sessions that were revoked, one in each line as JSON; POST /api/revocations adds to it. Read again when it changes. Empty: in memory only."},
		{"auth.session_key_file", "", text{"a file"}, "Secret that signs the cookies of signed-in browsers. Empty: a random one, so that they end with the process."},
		{"auth.session_time", "12h", duration{time.Minute, 30 * 24 * time.Hour, ""}, "Time after which a browser must sign in again, unless its page has renewed the session."},
		{"auth.grace", "25s", duration{0, 5 * time.Minute, ""}, "Time after a token's expiry during which its open streams may be renewed."},
		{"auth.delays", "", list{duration{time.Second, 7 * 24 * time.Hour, ""}}, "Delays of tokens whose rights have one: each needs memory for the ticks of that time. Those of auth.tokens and auth.oidc.rights are added."},
		{"auth.jwt.keys", "", list{text{"PEM files"}}, "Public keys or certificates of those who sign tokens: RSA, ECDSA, Ed25519. Read again when they change."},
		{"auth.jwt.jwks_url", "", webAddress{}, "Address of the keys of auth.jwt.issuer (JSON Web Key Set)."},
		{"auth.jwt.issuer", "", text{"a text"}, "Claim iss of the tokens. Empty: any, if the keys are in files."},
		{"auth.jwt.audience", "ticklane", text{"a text"}, "Claim aud of the tokens."},
		{"auth.jwt.leeway", "30s", duration{0, 5 * time.Minute, ""}, "Tolerated difference between the clocks of those who sign tokens and this one."},
		{"auth.jwt.secret_file", "", text{"a file"}, "Secret of tokens signed by HMAC, at least 32 bytes. A server that can verify such a token can make one: prefer keys."},
		{"auth.oidc.issuer", "", webAddress{}, "OpenID Connect provider by which people sign in to the pages, in addition to tokens."},
		{"auth.oidc.client_id", "", text{"a text"}, "Client ID that the provider knows this server by."},
		{"auth.oidc.client_secret_file", "", text{"a file"}, "Secret of that client. Empty: a public client; PKCE is used in both cases."},
		{"auth.oidc.scopes", "", list{text{"texts"}}, "Scopes to request besides openid, such as offline_access, with which pages renew their rights by themselves."},
		{"auth.oidc.rights_claim", "ticklane", text{"a text"}, "Claim of the ID token that has the rights."},
		{"auth.oidc.rights", "", text{"rights as JSON"}, `Rights of people without that claim, such as [{"read":["*"]}]. Empty: they may not sign in.`},
		{"auth.oidc.redirect_url", "", webAddress{}, "Address of this server's /sign-in/callback, as it is registered with the provider."},
	}},
	{"limits", "Limits that protect the process", []key{
		{"limits.connections", "20000", integer{1, mega, "streams", ""}, "Maximum number of open streams on both lanes."},
		{"limits.per_address", "256", integer{1, mega, "streams", ""}, "Maximum number of open streams of a client address. Loopback is exempt unless server.trusted_proxies is set."},
		{"limits.accept_rate", "auto", rateLimit{auto: true}, "Maximum rate of new streams; as many as in one second may come at once. Further clients get a time to reconnect, one after the other at this rate. auto: 2,000 for each processor."},
		{"limits.requests", "100", rateLimit{}, "Maximum rate of HTTP requests of a client address; as many as in ten seconds may come at once. /healthz and /readyz are exempt, /metrics is not. Loopback is exempt unless server.trusted_proxies is set."},
		{"limits.topics", "512", integer{1, 65536, "topics", ""}, "Maximum number of topics of a stream."},
		{"limits.message_size", "4096", integer{64, 1 << 20, "bytes", ""}, "Maximum size of a command."},
		{"limits.message_rate", "10", number{0.1, 10000, "per second"}, "Maximum rate of a client's commands."},
		{"limits.message_burst", "20", integer{1, 10000, "commands", ""}, "Number of commands that a client may send at once, above the rate."},
		{"limits.header_size", "8192", integer{1024, 1 << 20, "bytes", ""}, "Maximum size of a request's header; also the size of each connection's read buffer."},
		{"limits.body_size", "65536", integer{1024, 16 << 20, "bytes", ""}, "Maximum size of a request's body."},
	}},
	{"lab", "Experiments", []key{
		{"lab.enabled", "false", boolean{}, "Whether visitors may run comparisons that load this server. Keep it disabled on public servers."},
	}},
	{"load", "Reports of the load tester", []key{
		{"load.reports", "docs/reports", text{"a directory"}, "Directory of the reports on the Reports page, absolute or relative to the working directory."},
	}},
	{"log", "The log on standard error", []key{
		{"log.level", "info", level{}, "Minimum severity of logged records."},
		{"log.format", "text", choice{"text", "json"}, "text for people, json for programs."},
	}},
	{"audit", "The audit log", []key{
		{"audit.file", "", text{"a file"}, "File to which one JSON object per line is added for each sign-in, opened and ended stream, refused request and change of the server. SIGHUP opens it again, after another program has renamed it. Empty: none."},
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

// isSection reports whether a name is a section of a file, such as "feed" or "feed.ingest".
func isSection(name string) bool {
	for k := range everyKey() {
		if strings.HasPrefix(k.name, name+".") {
			return true
		}
	}
	return false
}

// envPrefix is the prefix of the environment variables of settings.
const envPrefix = "TICKLANE_"

// env returns the key's environment variable. Dots become underscores, so the name of the key can't be derived from the
// variable; a test checks that no two keys share one.
func (k key) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(k.name, ".", "_"))
}
