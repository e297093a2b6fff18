package stream

import (
	"sync/atomic"
	"time"

	"ticklane/internal/auth"
	"ticklane/internal/wire"
)

// Subscriber is one client's stream: a cursor in the log, and the messages of the protocol around its ticks.
//
// One goroutine, the owner, calls Next, Ended, CaughtUp, Deadline, Run and Close; all other methods may be called from any
// goroutine. The owner calls Run, or it is a writer with a Group that returns the subscribers to serve. Both loop: they call
// Next until that returns nothing, flush, and wait for a notification, Deadline or the end of the connection.
type Subscriber struct {
	// Of the owner.
	cursor
	state     state
	outbox    outbox
	pacing    pacing
	requests  []request   // taken from queue and not yet executed
	change    topicChange // the first of requests that changes topics
	delivery  delivery    // the snapshot that is due
	farBehind bool        // at the start, by more than bulkTicks; until the head is reached
	snapshotWait
	compressor  *compressor // nil for an uncompressed stream
	topicGroup  *topicGroup // nil when the client offered no compression, or in mode latest
	lastMessage time.Time
	symbols     int64     // of the universe, as of the last report: see feedStatus
	stale       int64     // as of the last report
	endsAt      time.Time // by Options.Duration; zero for never

	// Constant.
	identity    identity
	origin      origin
	limits      limits
	noSnapshot  bool
	compression Compression
	group       *Group
	notifyCh    chan struct{} // receives when Next may have something to return; nil in a writer's group
	owner       any
	onRefused   func(*Subscriber, *wire.CommandError) // nil for none
	meter       *Meter

	checkRenewal func(*auth.Principal, wire.Command) *wire.CommandError // nil for none

	membership
	authorization
	queue    requestQueue
	counters streamCounters

	topicNames  atomic.Pointer[[]string]
	position    atomic.Uint64 // pos, for lists
	slow        atomic.Bool
	conflating  atomic.Bool // OnLagLatest has changed mode all to latest
	endedReason atomic.Pointer[string]
}

// limits is what a client's options allow.
type limits struct {
	maxRead   int           // see Options.MaxRead
	maxTopics int           // 0 for none
	ticks     uint64        // 0 for none
	duration  time.Duration // 0 for none
}

// Subscribe opens a stream. The caller must Close it.
func (l *Log) Subscribe(opt Options) *Subscriber {
	if opt.MaxRead <= 0 {
		opt.MaxRead = 64 << 10
	}
	// Loaded before the topics are resolved: symbols that are added in between are reported.
	symbols := l.feed.symbols.Load()
	opt.Topics = l.cfg.Universe.Current(opt.Topics)
	if opt.Meter == nil {
		opt.Meter = new(Meter)
	}
	s := &Subscriber{
		cursor:     cursor{log: l, format: opt.format(), topics: opt.Topics, mode: opt.Mode},
		pacing:     pacing{interval: opt.Interval},
		symbols:    symbols,
		identity:   newIdentity(&opt),
		origin:     origin{opt.From, opt.Position},
		limits:     limits{maxRead: opt.MaxRead, maxTopics: opt.MaxTopics, ticks: opt.Limit, duration: opt.Duration},
		noSnapshot: opt.NoSnapshot,
		group:      opt.Group,
		owner:      opt.Owner,
		onRefused:  opt.OnRefused,
		meter:      opt.Meter,

		checkRenewal: opt.CheckRenewal,
	}
	if s.group == nil {
		s.group, s.notifyCh = l.notifier, make(chan struct{}, 1)
	}
	if opt.Principal == nil {
		opt.Principal = auth.Unrestricted
	}
	s.authorize(opt.Principal)
	s.visible = s.visibleSymbols(symbols)
	s.publishTopics()
	l.subscribers[s.format].Add(1)
	l.inUse.Or(1 << s.format)
	s.negotiate(&opt)
	l.registry.add(s)
	s.group.join(s, opt.Topics)
	return s
}

// Close removes the subscriber from the log. Requests that wait fail with ErrClosed. It may be called more than once.
func (s *Subscriber) Close() {
	waiting, first := s.queue.close()
	if !first {
		return
	}
	for _, r := range append(s.requests, waiting...) {
		r.reply(result{err: ErrClosed})
	}
	s.group.leave(s)
	s.log.bulk.release(s)
	if s.job != nil {
		s.log.snapshots.forget(s.job, s)
	}
	s.log.registry.remove(s)
	if s.compressor != nil {
		s.compressor.releaseEncoder()
	}
	if s.topicGroup != nil {
		s.log.topicGroups.remove(s.topicGroup)
	}
	s.log.subscribers[s.format].Add(-1)
}

// Notify makes the owner call Next soon: it wakes Run, or the writer's next Collect returns the subscriber.
func (s *Subscriber) Notify() {
	if s.group.ofWriter {
		s.group.notify(s)
		return
	}
	select {
	case s.notifyCh <- struct{}{}:
	default:
	}
}

// End makes the stream send a bye with this reason and end. Only the first reason counts.
func (s *Subscriber) End(reason string) {
	s.queue.requestEnd(reason)
	s.Notify()
}

// Stop makes the stream end without a bye, as if the connection had broken.
func (s *Subscriber) Stop() { s.End(stopReason) }

// stopReason is the reason of an end without a bye.
const stopReason = "-"

// MarkSlow counts the stream as one whose client read too slowly.
func (s *Subscriber) MarkSlow() { s.slow.Store(true) }

// Reason returns the reason of the bye, or "" before there was one.
func (s *Subscriber) Reason() string {
	if reason := s.endedReason.Load(); reason != nil {
		return *reason
	}
	return ""
}

// Compression returns how the stream is compressed. It is CompressNone when the client offered none, or on SSE when the
// offer wasn't accepted.
func (s *Subscriber) Compression() Compression { return s.compression }

// Conn returns the secret id of the stream, which authorizes commands to it.
func (s *Subscriber) Conn() string { return s.identity.conn }

// ID returns the public id of the stream, for lists.
func (s *Subscriber) ID() string { return s.identity.id }

// Owner returns Options.Owner.
func (s *Subscriber) Owner() any { return s.owner }

// Lane returns the lane of the stream's format.
func (s *Subscriber) Lane() wire.Lane { return s.format.Lane() }

// seek moves the subscriber to a position.
func (s *Subscriber) seek(pos uint64) {
	s.cursor.seek(pos)
	if s.compressor != nil {
		s.compressor.misalign()
	}
}
