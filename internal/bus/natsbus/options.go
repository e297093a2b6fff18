package natsbus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"ticklane/internal/quote"
	"ticklane/internal/quote/batch"
)

// Values of Options.Ack: when the ticks of the writer are passed to its own sinks. The other nodes always get what is stored.
const (
	AckAfter  = "after"  // once they are stored in the stream
	AckBefore = "before" // at once; if they can't be stored, all nodes get a new epoch
)

// Options are the options of a Bus. Name is required, and one of URL and Dir; of the log all but From and Source.
type Options struct {
	Name string // of the node, in the lease and in the list of nodes

	URL         string // addresses of the servers, separated by commas; empty for an embedded server with its store in Dir
	CA          string // file with the certificates that sign the servers' (PEM); empty for those of the system
	Cert, Key   string // files of a client certificate (PEM); empty for none
	Credentials string // file with the JWT and the seed of a user; empty for none

	Dir        string // of the embedded server
	SyncAlways bool   // the embedded server syncs each message to disk before it is acknowledged

	Prefix   string        // of the names of the stream, its subject and the buckets; default "ticklane"
	MaxBytes int64         // of the stream, after which its oldest batches are deleted; default 1 GiB
	MaxAge   time.Duration // after which batches are deleted; default 24 h
	Replicas int           // of the stream and the buckets; default 1

	Settings []Setting    // that must be the same on all nodes
	Ack      string       // AckAfter (default) or AckBefore
	Lead     bool         // the node may write
	Logger   *slog.Logger // slog.Default() if nil
	OnWait   func(error)  // called with each error after which Connect or OpenLog tries again; may be nil

	Log // of Open

	timing timing // shorter in tests
	faults faults // in tests only
}

// Log is the options of a node's log.
type Log struct {
	LogSize  int             // ticks that the node's log keeps, so how many are read at the start
	From     From            // which earlier ticks are wanted; nil for none
	Universe *quote.Universe // that of Source, if there is one
	Events   *quote.Events   // gets the events of the ticks that are read
	Source   Source          // of a feed with a growing universe; nil for one whose instruments are fixed
}

// Source has what the batches of a live feed contain besides ticks: instruments, and the progress of those who send lines. It must be
// new for each bus. Its methods are called one at a time. An error is of instruments that contradict those that it has.
type Source interface {
	// Apply adds a batch, before the sinks get its ticks.
	Apply(*batch.Batch) error
	// Resume replaces what the source knows by a state.
	Resume(*batch.Batch) error
	// State returns the state after the newest batch.
	State() *batch.Batch
}

// From returns, for the epoch of the stream, a number of a tick after which the ticks are wanted if the stream has them: 0 for all. It
// may use the connection.
type From = func(ctx context.Context, conn *nats.Conn, epoch uint64) (seq uint64, err error)

// timing has the times of the protocol.
type timing struct {
	heartbeat time.Duration // between messages of the server to a reader; after two that are missing the reader makes another consumer
	lease     time.Duration // after its last renewal the lease expires
	renew     time.Duration // between renewals
	stepDown  time.Duration // after its last renewal the writer stops: before the lease expires
	campaign  time.Duration // between attempts to get the lease
	check     time.Duration // between comparisons of the log with the stream
	mark      time.Duration // between writes of the high-water mark
	state     time.Duration // between writes of the state record
	ack       time.Duration // to wait for most answers
	// request is how long to wait for an acknowledgement and for answers that are requested again: what is sent while the connection
	// fails, or while the stream gets another leader, is never answered.
	request time.Duration
}

// defaultTiming lets another node write within 5 s: at most the lease, 250 ms until the server deletes it, and an attempt.
var defaultTiming = timing{
	heartbeat: time.Second, lease: 3 * time.Second, renew: 750 * time.Millisecond, stepDown: 2 * time.Second, campaign: 400 * time.Millisecond,
	check: 2 * time.Second, mark: 500 * time.Millisecond, state: 30 * time.Second, ack: 5 * time.Second, request: 2 * time.Second,
}

// faults are what tests make fail.
type faults struct {
	loseAck   func(sequence uint64) bool // the acknowledgement of a message doesn't arrive
	keepLease func() bool                // the writer doesn't notice that it has lost the lease
	skew      time.Duration              // of the server's clock
	lag       func() uint64              // how many messages the leader of the stream doesn't know
}

func (o *Options) setDefaults() {
	o.Prefix = cmp.Or(o.Prefix, "ticklane")
	o.MaxBytes = cmp.Or(o.MaxBytes, 1<<30)
	o.MaxAge = cmp.Or(o.MaxAge, 24*time.Hour)
	o.Replicas = cmp.Or(o.Replicas, 1)
	o.Ack = cmp.Or(o.Ack, AckAfter)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	if o.OnWait == nil {
		o.OnWait = func(error) {}
	}
	o.timing = cmp.Or(o.timing, defaultTiming)
}

// minAge is the least MaxAge: a batch must outlive some state records.
const minAge = 2 * time.Minute

func (o *Options) validate() error {
	switch {
	case o.Name == "":
		return errors.New("no name")
	case (o.URL == "") == (o.Dir == ""):
		return errors.New("want either the address of a server or a directory for an embedded one")
	case (o.Cert == "") != (o.Key == ""):
		return errors.New("want the certificate and its key, or neither")
	case o.URL == "" && o.Replicas != 1:
		return fmt.Errorf("replicas %d: an embedded server has 1", o.Replicas)
	case o.Replicas < 1 || o.Replicas > 5:
		return fmt.Errorf("replicas %d: want 1 to 5", o.Replicas)
	case o.MaxAge < minAge:
		return fmt.Errorf("max age %s: want at least %s", o.MaxAge, minAge)
	case o.MaxBytes < 1<<20:
		return fmt.Errorf("max bytes %d: want at least 1 MiB", o.MaxBytes)
	case o.Ack != AckAfter && o.Ack != AckBefore:
		return fmt.Errorf("ack %q: want %s or %s", o.Ack, AckAfter, AckBefore)
	}
	return nil
}

func (l *Log) validate() error {
	switch {
	case l.Universe == nil || l.Events == nil:
		return errors.New("no universe or no events")
	case l.LogSize < 1:
		return fmt.Errorf("log size %d: want at least 1", l.LogSize)
	}
	return nil
}
