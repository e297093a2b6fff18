package stream

import (
	"time"

	"ticklane/internal/auth"
	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// Mode selects which ticks of its topics a subscriber gets.
type Mode uint8

// The modes.
const (
	ModeAll    Mode = iota // every tick
	ModeLatest             // the newest tick of each symbol; ticks in between are conflated
)

// String returns the mode's name in queries and messages.
func (m Mode) String() string {
	if m == ModeLatest {
		return "latest"
	}
	return "all"
}

// From selects where a stream starts.
type From uint8

// The starts.
const (
	FromLatest   From = iota // at the head, after a snapshot
	FromOldest               // at the oldest tick kept
	FromPosition             // after Options.Position
	FromUnknown              // after a position that can't be parsed; treated as one of another epoch
)

// Options configures a subscriber. Only Topics is required.
type Options struct {
	Format     wire.Format
	Channels   wire.Channels                         // besides quotes
	Engine     string                                // for the hello and lists
	User       string                                // for lists
	Address    string                                // for lists
	Principal  *auth.Principal                       // whose rights bound Topics; nil for auth.Unrestricted
	OnRefused  func(*Subscriber, *wire.CommandError) // called with each command whose error is sent on the stream, by its owner; may be nil
	Topics     quote.Topics
	MaxTopics  int // most topics after a command; 0 for no limit
	From       From
	Position   quote.Position // for FromPosition
	Mode       Mode
	Interval   time.Duration // least time between writes of ticks; 0 for none
	Limit      uint64        // ends the stream after this many ticks; 0 for none
	Duration   time.Duration // ends the stream this long after the hello; 0 for none
	NoSnapshot bool

	// CheckRenewal returns why a renewal is refused when it takes effect, which may be long after its request; may be nil.
	CheckRenewal func(*auth.Principal, wire.Command) *wire.CommandError

	Compress      Compression // offered by the client; Config.Compress decides
	ForceCompress bool        // compress even where CompressAuto would not

	MaxRead int    // most bytes that Next returns at once, except for a single tick; default 64 KiB
	Group   *Group // of the writer that serves the subscriber; nil for a goroutine per subscriber
	Owner   any    // for the writer, see Subscriber.Owner
	Meter   *Meter // counts the bytes written to the socket, by the caller; nil for none
}

// format returns the format with its channels.
func (o *Options) format() wire.Format { return o.Format.With(o.Channels) }
