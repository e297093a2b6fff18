package storm

import (
	"maps"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"
)

const (
	sources  = 16 // loopback addresses of the clients: one has 28,000 ports to one server
	readSize = 256 << 10
	burst    = 64 // connections started between two looks at the sockets
)

// Fleet is a number of clients of one server. One thread runs them all.
type Fleet struct {
	target Target
	market Market
	epoll  int

	mu       sync.Mutex // guards what follows and the clients; the loop holds it while it handles a batch of events
	clients  []*client
	byFD     []*client
	timers   timers
	inflater *inflater
	parser   *parser
	counts   Counts
	losses   Losses
	ticks    []quoted                // of the first client, if latency is recorded
	latency  *hdrhistogram.Histogram // received − due, µs; nil: not recorded
	engine   string
	reasons  map[string]int
	began    time.Time
	now      time.Time // when the newest bytes were read
	failed   error

	whole   atomic.Int64
	closing atomic.Bool
	ended   chan struct{}
}

// Counts are what the clients of a fleet did.
type Counts struct {
	Attempts    int64            `json:"attempts"`
	Unreachable int64            `json:"unreachable"`       // attempts that were refused or cut before a response
	Refused     map[string]int64 `json:"refused,omitempty"` // byes and statuses, by reason
	Resumes     map[string]int64 `json:"resumes,omitempty"` // hellos, by what became of the position
	Gaps        int64            `json:"gaps"`
	Compressed  int64            `json:"compressed"` // streams
	Bytes       int64            `json:"bytes"`      // read from the sockets
}

// Settings of a fleet.
type Settings struct {
	Clients int
	Target  Target
	Market  Market
	Files   int  // descriptors of this process
	Latency bool // record the latency of every tick
	Nice    int  // priority of the thread below that of others
}

// New returns a fleet whose clients have not connected yet. Close must be called.
func New(s Settings) (*Fleet, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := &Fleet{target: s.Target, market: s.Market, epoll: epoll, byFD: make([]*client, s.Files+1), inflater: newInflater(),
		parser: newParser(), counts: NewCounts(), reasons: map[string]int{}, now: time.Now(), ended: make(chan struct{})}
	for i := range s.Clients {
		f.clients = append(f.clients, &client{f: f, index: i, fd: -1})
	}
	if s.Latency {
		f.latency = newHistogram()
	}
	go f.loop(s.Nice)
	return f, nil
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(10*time.Minute/time.Microsecond), 3)
}

// loop runs the clients until Close. It stays on one thread, so that its priority is its own.
func (f *Fleet) loop(nice int) {
	runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine, since its priority has changed
	defer close(f.ended)
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), nice)
	buf := make([]byte, readSize)
	events := make([]unix.EpollEvent, 256)
	for !f.closing.Load() {
		n, err := unix.EpollWait(f.epoll, events, f.timeout())
		if err != nil && err != unix.EINTR {
			panic(err) // the descriptor is the fleet's own, so this is a bug
		}
		f.mu.Lock()
		for _, e := range events[:max(0, n)] {
			c := f.byFD[e.Fd]
			if c == nil {
				continue
			}
			if c.phase == connecting {
				c.connected()
			} else {
				c.read(buf)
			}
		}
		now := time.Now()
		for range burst {
			c := f.timers.due(now)
			if c == nil {
				break
			}
			if c.phase == waiting {
				c.connect()
			}
		}
		f.mu.Unlock()
	}
	f.mu.Lock()
	for _, c := range f.clients {
		c.close(true)
	}
	f.mu.Unlock()
}

// timeout returns how long the loop may wait for sockets, in ms.
func (f *Fleet) timeout() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.timers) == 0 {
		return 20
	}
	return int(min(20*time.Millisecond, max(0, time.Until(f.timers[0].at)+time.Millisecond-1)) / time.Millisecond)
}

// Begin starts a measurement: counts are 0, and no client counts as having whole state until it has reconnected.
func (f *Fleet) Begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts, f.losses, f.began = NewCounts(), Losses{}, time.Now()
	clear(f.parser.snapshots)
	f.reasons = map[string]int{}
	for _, c := range f.clients {
		c.since, c.reached = false, time.Time{}
	}
	f.whole.Store(0)
	if f.latency != nil {
		f.latency.Reset()
	}
}

// Connect lets all clients that are away connect at once, without state.
func (f *Fleet) Connect() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.clients {
		if c.phase == away {
			c.state, c.failures, c.asked = state{}, 0, 0
			c.wait(0)
		}
	}
}

// Cut cuts all connections by RST. The clients reconnect at once, with their positions.
func (f *Fleet) Cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.clients {
		if c.fd >= 0 {
			c.close(true)
			c.failures, c.asked = 0, 0
			c.wait(0)
		}
	}
}

// Leave cuts all connections by RST, for good.
func (f *Fleet) Leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.timers = nil
	for _, c := range f.clients {
		c.close(true)
		c.phase = away
	}
}

// Whole returns how many clients have whole state since Begin.
func (f *Fleet) Whole() int { return int(f.whole.Load()) }

// Away returns how many clients don't have whole state now.
func (f *Fleet) Away() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.clients {
		if c.phase != reading || !c.state.whole() {
			n++
		}
	}
	return n
}

// Clients returns the number of clients.
func (f *Fleet) Clients() int { return len(f.clients) }

// Close ends the fleet.
func (f *Fleet) Close() {
	f.closing.Store(true)
	<-f.ended
	_ = unix.Close(f.epoll)
}

// Outcome is what became of a fleet since Begin.
type Outcome struct {
	Clients int            `json:"clients"`
	Whole   int            `json:"whole"`
	Times   []float64      `json:"-"` // until whole state, ms
	Counts  Counts         `json:"counts"`
	Losses  Losses         `json:"losses"`
	Reasons map[string]int `json:"malformed,omitempty"`
	Engine  string         `json:"engine,omitempty"`
	P50     float64        `json:"p50_ms,omitempty"` // latency of ticks, if recorded
	P99     float64        `json:"p99_ms,omitempty"`
	Max     float64        `json:"max_ms,omitempty"`
	Ticks   int64          `json:"ticks,omitempty"`
}

// Outcome returns what happened since Begin.
func (f *Fleet) Outcome() (Outcome, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := Outcome{Clients: len(f.clients), Counts: f.counts, Losses: f.losses, Engine: f.engine, Reasons: maps.Clone(f.reasons)}
	o.Counts.Refused, o.Counts.Resumes = maps.Clone(f.counts.Refused), maps.Clone(f.counts.Resumes)
	for _, c := range f.clients {
		if !c.reached.IsZero() {
			o.Whole++
			o.Times = append(o.Times, c.reached.Sub(f.began).Seconds()*1e3)
		}
	}
	if h := f.latency; h != nil {
		o.setLatency(h)
	}
	return o, f.failed
}

// record records the latency of a tick, and the first client's ticks.
func (f *Fleet) record(c *client, m *message) {
	if f.latency == nil {
		return
	}
	// A tick is early only if the clock was set back.
	_ = f.latency.RecordValue(min(max(f.now.UnixMicro()-m.due, 1), f.latency.HighestTrackableValue()))
	if c.index == 0 {
		f.ticks = append(f.ticks, quoted{m.symbol, m.n, m.seq})
	}
}

// malformed counts a stream that can't be parsed.
func (f *Fleet) malformed(err error) {
	f.losses.Malformed++
	f.reasons[err.Error()]++
}
