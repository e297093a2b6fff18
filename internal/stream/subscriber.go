package stream

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// Mode is what a subscriber gets of the ticks it asked for.
type Mode uint8

// The modes.
const (
	ModeAll    Mode = iota // every tick
	ModeLatest             // the newest tick of each symbol
)

// String returns the mode's name in queries and messages.
func (m Mode) String() string {
	if m == ModeLatest {
		return "latest"
	}
	return "all"
}

// From is where a subscriber starts.
type From uint8

// The starts.
const (
	FromLatest From = iota
	FromOldest
	FromPosition
	FromUnknown // a position that can't be read: it counts as one of another epoch
)

// Options is what a client asks for. The zero value, with Topics, is the contract's default.
type Options struct {
	Format        wire.Format
	Engine        string
	User          string
	Address       string
	Topics        quote.Topics
	MaxTopics     int
	From          From
	Position      quote.Position // for FromPosition
	Mode          Mode
	Interval      time.Duration // least time between writes of ticks; 0 for none
	Limit         uint64        // end after so many ticks; 0 for none
	Duration      time.Duration // end so long after the hello; 0 for none
	NoSnapshot    bool
	Compress      Compression // what the client offered; Config.Compress decides
	ForceCompress bool        // compress for this one even where CompressAuto finds it not worth while
	MaxRead       int         // most bytes that Next returns at once, but for one message; default 64 KiB
	Group         *Group      // of the writer that serves it; nil when it has a goroutine of its own
	Owner         any         // what the writer knows it by
	// Meter counts the socket's bytes; the caller wires it to the connection. Nil for none.
	Meter *Meter
}

// Subscriber is one client's stream: a cursor in the log with what the contract says around it. One goroutine
// calls Next and Deadline; all other methods are safe for any.
//
// Its owner loops: Next until it returns nothing, flush, then wait for Notified, Deadline or the client's end.
type Subscriber struct {
	cursor

	opt   Options
	conn  string // secret
	id    string // public
	group *Group
	bell  chan struct{} // nil in a writer's group

	since  time.Time
	parked atomic.Bool   // wants to be woken by a tick; not used in a writer's group, which collects it for each
	told   atomic.Uint64 // the newest seq that the client holds an id for
	places []place       // guarded by group.mu
	round  uint64        // the last one that it was collected in; guarded by group.mu
	rung   bool          // guarded by group.rings

	pack    *packing // nil for one that gets everything as it is
	agreed  Compression
	crowd   *crowd // nil when it offered nothing, or in mode latest
	more    []byte // of ticks that were read, what a write of MaxRead didn't take
	out     []byte // messages of its own that are due, framed
	outAt   int
	greeted bool
	ended   bool
	last    time.Time // of the last message
	end     time.Time // when Options.Duration is over; zero for never

	interval time.Duration
	nextAt   time.Time // ticks are not due before
	waiting  bool      // there are ticks, but nextAt isn't reached
	window   uint64    // with an interval: what is being handed over reaches up to here; 0 for none
	barred   bool      // a request waits until everything up to barrier was handed over
	barrier  uint64
	todo     []request

	mu       sync.Mutex
	requests []request
	names    []string // topics, for lists
	ending   string   // why it shall end; empty while it shan't
	closed   bool
	asked    atomic.Bool // there are requests, or a reason to end: a tick in peace takes no lock

	// said is the messages but the ticks.
	count struct {
		ticks, said, payload, gaps, conflated, packIn, packOut atomic.Uint64
	}
	slow       atomic.Bool
	conflating atomic.Bool  // mode all became latest, by Config.OnLag
	reason     atomic.Value // string: the bye's reason
	position   atomic.Uint64
}

// ErrClosed says that a stream ended before it could answer.
var ErrClosed = errors.New("the stream has ended")

// Subscribe opens a stream. The caller must Close it.
func (l *Log) Subscribe(opt Options) *Subscriber {
	if opt.MaxRead <= 0 {
		opt.MaxRead = 64 << 10
	}
	if opt.Meter == nil {
		opt.Meter = new(Meter)
	}
	s := &Subscriber{
		opt:   opt,
		conn:  random(16),
		id:    random(4),
		group: opt.Group,
		since: time.Now(),
		names: opt.Topics.Names(),
	}
	if s.group == nil {
		s.group, s.bell = l.waker, make(chan struct{}, 1)
	}
	s.cursor = cursor{log: l, format: opt.Format, topics: opt.Topics, mode: opt.Mode}
	l.inUse[opt.Format].Add(1)
	s.offer()
	l.subs.add(s)
	s.group.enlist(s, opt.Topics)
	return s
}

// Close gives the place back. Requests that wait get ErrClosed. It is the owner's, after its last Next.
func (s *Subscriber) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	waiting := append(s.todo, s.requests...)
	s.requests = nil
	s.mu.Unlock()
	for _, r := range waiting {
		if r.answer != nil {
			r.answer <- Answer{Err: ErrClosed}
		}
	}
	s.group.delist(s)
	s.log.subs.remove(s)
	if s.crowd != nil {
		s.part()
		s.log.sets.leave(s.crowd)
	}
	s.log.inUse[s.format].Add(-1)
}

// Owner is what its Options named.
func (s *Subscriber) Owner() any { return s.opt.Owner }

// Notify makes the owner look again: it wakes a goroutine that waits for Notified, or a group's writer.
func (s *Subscriber) Notify() { s.ring() }

// Notified receives when there may be something for Next; never in a writer's group.
func (s *Subscriber) Notified() <-chan struct{} { return s.bell }

// wake is the waker's: only a parked subscriber is told.
func (s *Subscriber) wake() {
	if s.parked.Load() && s.parked.CompareAndSwap(true, false) {
		s.ring()
	}
}

func (s *Subscriber) ring() {
	if s.group.written {
		s.group.ring(s)
		return
	}
	select {
	case s.bell <- struct{}{}:
	default:
	}
}

// End asks the stream to say bye for this reason and end; the first reason counts.
func (s *Subscriber) End(reason string) {
	s.mu.Lock()
	if s.ending == "" {
		s.ending = reason
	}
	s.asked.Store(true)
	s.mu.Unlock()
	s.ring()
}

// Stop ends the stream without a bye, as far as the client can see by accident.
func (s *Subscriber) Stop() { s.End(silently) }

// silently is the reason of an end without a bye.
const silently = "-"

// MarkSlow counts the stream as one whose client didn't read.
func (s *Subscriber) MarkSlow() { s.slow.Store(true) }

// Reason is the bye's reason once it was handed over, before that empty.
func (s *Subscriber) Reason() string {
	r, _ := s.reason.Load().(string)
	return r
}

// Compression is what the stream was opened with: CompressNone when nothing was offered, or an offer of gzip not taken.
func (s *Subscriber) Compression() Compression { return s.agreed }

// Conn is the stream's secret id; ID its public one.
func (s *Subscriber) Conn() string { return s.conn }

// ID is the stream's id in lists.
func (s *Subscriber) ID() string { return s.id }

// Lane is the way to this client.
func (s *Subscriber) Lane() wire.Lane { return s.format.Lane() }

func (s *Subscriber) resumed() bool {
	return s.opt.From == FromPosition || s.opt.From == FromUnknown
}

// Counters returns what was counted of this stream.
func (s *Subscriber) Counters() Counters {
	ticks := s.count.ticks.Load()
	return Counters{
		Ticks:       ticks,
		Messages:    ticks + s.count.said.Load(),
		Writes:      s.opt.Meter.Writes.Load(),
		Payload:     s.count.payload.Load(),
		Wire:        s.opt.Meter.Bytes.Load(),
		Gaps:        s.count.gaps.Load(),
		Conflated:   s.count.conflated.Load(),
		CompressIn:  s.count.packIn.Load(),
		CompressOut: s.count.packOut.Load(),
	}
}

// Info is a stream in a list.
type Info struct {
	ID       string   `json:"id"`
	Lane     string   `json:"lane"`
	Encoding string   `json:"encoding"`
	Engine   string   `json:"engine"`
	User     string   `json:"user"`
	Address  string   `json:"address,omitempty"`
	Topics   []string `json:"topics"`
	Mode     string   `json:"mode"`
	Since    int64    `json:"since"` // µs since 1970
	Position uint64   `json:"position"`
	Lag      uint64   `json:"lag"` // ticks of the log that it has not looked at yet
	Slow     bool     `json:"slow"`
	// Compression is what was agreed on: none, gzip or permessage-deflate.
	Compression string `json:"compression"`
	Counters
}

// Info returns the stream's counters with what it is.
func (s *Subscriber) Info() Info {
	s.mu.Lock()
	names := s.names
	s.mu.Unlock()
	mode := s.opt.Mode
	if s.conflating.Load() {
		mode = ModeLatest
	}
	pos, head := s.position.Load(), s.log.head.Load()
	return Info{
		ID: s.id, Lane: s.Lane().String(), Encoding: s.format.Encoding().String(), Engine: s.opt.Engine, User: s.opt.User, Address: s.opt.Address,
		Topics: append([]string{}, names...), Mode: mode.String(), Since: s.since.UnixMicro(),
		Position: pos, Lag: head - min(head, pos), Slow: s.slow.Load(), Compression: s.Compression().String(), Counters: s.Counters(),
	}
}

func random(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails since Go 1.24
	return hex.EncodeToString(b)
}
