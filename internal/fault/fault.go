// Package fault injects faults into live streams, for experiments: it resets connections, holds bytes back, and answers a
// client's next request in an unusual way. The lab's pages call a fault a drill.
package fault

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// The kinds of faults.
const (
	Cut       = "cut"    // reset the connection
	End       = "end"    // end the stream without a bye
	Stall     = "stall"  // write nothing for stallTime
	Status503 = "503"    // Cut, and answer the client's next request with this status
	Status204 = "204"    // the same
	Buffer    = "buffer" // for bufferTime, hold bytes back until there are bufferSize, as a buffering proxy does
	Slow      = "slow"   // for slowTime, write slowRate, as if the client read slowly
	Epoch     = "epoch"  // Cut, and treat the position of the client's next request as one of another epoch
)

// Kinds lists all kinds.
func Kinds() []string {
	return []string{Cut, End, Stall, Status503, Status204, Buffer, Slow, Epoch}
}

const (
	stallTime  = 5 * time.Second
	bufferTime = 5 * time.Second
	bufferSize = 64 << 10 // bytes; nginx has 8 buffers of 8 KiB
	slowTime   = 10 * time.Second
	slowRate   = 4 << 10 // bytes/s
	slowPause  = 250 * time.Millisecond
	slowPiece  = slowRate / 4 // bytes written after each slowPause

	pendingTime = 30 * time.Second // longer than a client waits before it reconnects
)

// ErrTooManyPending is returned by Inject when Injector.MaxPending faults wait for their clients' next requests.
var ErrTooManyPending = errors.New("too many faults wait for their clients to reconnect")

// UnknownStreamError is returned by Inject for an id that no live stream has.
type UnknownStreamError struct{ Conn string }

func (e UnknownStreamError) Error() string { return "no live stream has the id " + e.Conn }

// SharedUserError is returned by Inject for a fault of the next request if other clients may have the same user.
type SharedUserError struct{ User string }

func (e SharedUserError) Error() string { return "the user " + e.User + " is shared" }

// sharedUsers are the users of clients that didn't choose one.
var sharedUsers = []string{"anonymous", "dashboard", "background"}

// Injector injects faults into streams. A nil Injector is valid and injects none.
type Injector struct {
	MaxPending int // how many faults may wait for their clients' next requests; set before use

	mu      sync.Mutex
	streams map[string]*faults // by secret id
	pending map[clientKey]pendingFault
}

// clientKey identifies a client that reconnects.
type clientKey struct {
	user, address string
	lane          wire.Lane
}

// pendingFault waits for a client's next request.
type pendingFault struct {
	kind    string
	expires time.Time
}

// New returns an Injector without streams, whose MaxPending is 1,000.
func New() *Injector {
	return &Injector{MaxPending: 1000, streams: make(map[string]*faults), pending: make(map[clientKey]pendingFault)}
}

// faults are the faults in effect on one stream.
type faults struct {
	sub   *stream.Subscriber
	reset func()        // resets the connection
	delay time.Duration // before each write, to check that a measurement finds it

	stall, buffer, slow atomic.Int64  // end of each, in ns since 1970
	cut                 chan struct{} // closed when the connection is reset
	cutOnce             sync.Once
}

// register makes a stream known to Inject until the returned function is called.
func (i *Injector) register(sub *stream.Subscriber, reset func(), delay time.Duration) (f *faults, done func()) {
	f = &faults{sub: sub, reset: reset, delay: delay, cut: make(chan struct{})}
	conn := sub.Conn()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.streams[conn] = f
	return f, func() {
		i.mu.Lock()
		delete(i.streams, conn)
		i.mu.Unlock()
	}
}

// Inject injects a fault into the streams with these secret ids, or into none if it returns an error: UnknownStreamError,
// SharedUserError or ErrTooManyPending.
func (i *Injector) Inject(kind string, conns []string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	nextRequest := kind == Status503 || kind == Status204 || kind == Epoch
	for _, conn := range conns {
		f := i.streams[conn]
		if f == nil {
			return UnknownStreamError{conn}
		}
		if user := f.sub.Info().User; nextRequest && slices.Contains(sharedUsers, user) {
			return SharedUserError{user}
		}
	}
	if nextRequest && !i.makeRoom(len(conns)) {
		return ErrTooManyPending
	}
	for _, conn := range conns {
		f := i.streams[conn]
		if nextRequest {
			info := f.sub.Info()
			i.pending[clientKey{info.User, info.Address, f.sub.Lane()}] = pendingFault{kind, time.Now().Add(pendingTime)}
		}
		f.inject(kind)
	}
	return nil
}

// makeRoom removes expired faults, and reports whether n more may wait.
func (i *Injector) makeRoom(n int) bool {
	now := time.Now()
	for k, p := range i.pending {
		if now.After(p.expires) {
			delete(i.pending, k)
		}
	}
	return len(i.pending)+n <= i.MaxPending
}

// Take returns and removes the fault that waits for this request of a client: Status503, Status204, Epoch, or "".
func (i *Injector) Take(user, address string, lane wire.Lane) string {
	if i == nil {
		return ""
	}
	k := clientKey{user, address, lane}
	i.mu.Lock()
	defer i.mu.Unlock()
	p := i.pending[k]
	delete(i.pending, k)
	if time.Now().After(p.expires) {
		return ""
	}
	return p.kind
}

func (f *faults) inject(kind string) {
	until := func(d time.Duration) int64 { return time.Now().Add(d).UnixNano() }
	switch kind {
	case Stall:
		f.stall.Store(until(stallTime))
	case Buffer:
		f.buffer.Store(until(bufferTime))
	case Slow:
		f.slow.Store(until(slowTime))
	case End:
		f.sub.Stop()
	default:
		f.cutOnce.Do(func() { close(f.cut) })
		f.reset()
	}
}

// idle reports whether no fault is in effect. A stream must then cost no more than without an Injector, because
// measurements run with the lab enabled.
func (f *faults) idle() bool {
	now := time.Now().UnixNano()
	return f.delay == 0 && now >= f.stall.Load() && now >= f.buffer.Load() && now >= f.slow.Load()
}
