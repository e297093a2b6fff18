package handlers

import (
	"crypto/tls"
	"errors"
	"time"
)

// Settings configures a Server. New doesn't check them.
type Settings struct {
	Addr            string   // server.addr; its host is an allowed Host
	BasePath        string   // server.base_path: everything is served below it; a slash at its start and none at its end, or empty
	Hosts           []string // further allowed Host names
	Origins         []string // further allowed origins, in lower case
	CORSCredentials bool     // pages of Origins may send credentials
	TrustedProxies  []string // addresses and ranges
	ReadTimeout     time.Duration
	IdleTimeout     time.Duration
	WriteTimeout    time.Duration // how long one write to a socket may block
	CloseWait       time.Duration // time for a client to answer a close frame (RFC 6455 §7.1.1); 0 for 2 s
	TokenWait       time.Duration // time for a client of a WebSocket without credentials to send its token; 0 for 5 s
	CommandWait     time.Duration // time that a POST waits for a stream whose client doesn't read; 0 for 5 s
	WriteBuffer     int           // the kernel's send buffer in bytes; 0 for its default
	Engine          string        // stream (default) or shard; stream where the system has no shard
	Shards          int           // writers of engine shard; 0 for one for each two processors
	Interval        time.Duration // default of interval in mode latest
	MaxStreams      int
	MaxPerAddress   int         // streams
	AcceptRate      float64     // new streams per second; 0 for no limit
	RequestRate     float64     // requests of a client address per second; 0 for no limit
	SharedLog       bool        // other servers have the same log: a client may resume here from a position that this one doesn't have yet
	MaxTopics       int         // of a stream
	MessageSize     int         // of a command, in bytes
	MessageRate     float64     // commands of a stream, per second
	MessageBurst    int         // commands
	HeaderSize      int         // of a request, in bytes
	BodySize        int         // of a request, in bytes
	IngestToken     string      // of clients that send a feed; empty: only those on this machine may
	Reports         string      // folder of the load tester's reports; it need not exist
	TLS             *tls.Config // nil for plain HTTP
}

// FeedInfo describes the feed, for pages and /api/stats.
type FeedInfo struct {
	Source string // "simulator", "replay" or "ingest"
	Seed   int64
	File   string // name without folders
	Timed  bool   // due times are real, so latency has a meaning

	// Ended returns when the last tick was published; ok is false before. It is nil for a feed without an end.
	Ended func() (at time.Time, ok bool)
	// Stale returns since when there was no tick; ok is false while ticks come. It is nil for a feed that is never stale.
	Stale func() (since time.Time, ok bool)
	// StaleReason returns why the feed is stale, empty if all that is known is that there was no tick. nil does so always.
	StaleReason func() string
}

// endedAt returns when the feed ended, in µs since 1970; nil while it runs.
func (f FeedInfo) endedAt() *int64 {
	return microseconds(f.Ended)
}

// staleSince returns since when there was no tick, in µs since 1970; nil while ticks come.
func (f FeedInfo) staleSince() *int64 { return microseconds(f.Stale) }

func microseconds(read func() (at time.Time, ok bool)) *int64 {
	if read == nil {
		return nil
	}
	at, ok := read()
	if !ok {
		return nil
	}
	us := at.UnixMicro()
	return &us
}

// ErrUnavailable is returned by functions of a Lab that need other servers which can't be reached. Nothing was changed.
var ErrUnavailable = errors.New("other servers can't be reached")

// Lab changes what experiments may change besides their streams. Functions are nil where the feed or the system doesn't
// support them.
type Lab struct {
	Rate    func() float64
	SetRate func(ticksPerSecond float64) error // changes the feed of all clients; the error is ErrUnavailable, or of an invalid rate
	// Background runs this many extra clients on each lane, in another process, instead of the previous ones.
	Background func(sse, ws int) error
	Clients    func() (sse, ws int) // how many of them run now
}
