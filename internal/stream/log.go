package stream

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// What happens to a subscriber that falls off the log or lags more than Config.MaxLag.
const (
	OnLagGap    = "gap"    // it is told a gap, gets a snapshot and goes on from the head
	OnLagLatest = "latest" // the same, and it is conflated from then on
)

// Config shapes a Log. Size is needed; the rest has defaults.
type Config struct {
	Universe          *quote.Universe
	Epoch             uint64        // new for every log, never 0
	Size              int           // ticks kept, ≥ 1
	MaxLag            int           // ticks a subscriber may lag; 0 for as many as the log keeps
	OnLag             string        // OnLagGap (default) or OnLagLatest
	Heartbeat         time.Duration // default 15 s
	Retry             time.Duration // what SSE clients are told as reconnection time; default 1 s
	FlushInterval     time.Duration // least time between two wake-ups; default 0
	Interval          time.Duration // least time between writes of ticks to one that OnLagLatest conflates; 0 for none
	Compress          string        // CompressOff (default), CompressOn or CompressAuto
	MaxSharedEncoders int           // texts that are compressed at the same time
	CompressBudget    time.Duration // packing that may come at once before text goes as it is; default 100 ms
}

// Log keeps the newest ticks of one feed and the state of every symbol. Append has one caller at a time;
// everything else may be called by any goroutine.
type Log struct {
	cfg  Config
	size uint64
	head atomic.Uint64
	// dir finds the segment of a seq: slot (seq-1)/segmentTicks modulo its length. It is a little longer than
	// Size asks, so that a reader at the oldest place isn't overtaken while it looks.
	dir    []atomic.Pointer[segment]
	newest []atomic.Uint64         // the seq of each symbol's newest tick, by ID; 0 before the first
	kept   []atomic.Pointer[entry] // a quiet symbol's newest tick, when its segment has left the log

	inUse   [wire.Formats]atomic.Int32 // subscribers
	tail    *segment                   // the appender's own from here on
	scratch [wire.Encodings][]byte
	guess   [wire.Formats]int // bytes that a segment takes in a format

	waker    *Group // of the subscribers that have a goroutine each
	groups   atomic.Pointer[[]*Group]
	grouping sync.Mutex // guards changes of groups
	subs     registry
	sets     sets
	stop     sync.Once
}

// New makes an empty log and starts its waker. Close stops it.
func New(cfg Config) (*Log, error) {
	switch {
	case cfg.Universe == nil:
		return nil, fmt.Errorf("stream: no universe")
	case cfg.Epoch == 0:
		return nil, fmt.Errorf("stream: epoch must not be 0")
	case cfg.Size < 1:
		return nil, fmt.Errorf("stream: size %d: must be at least 1", cfg.Size)
	}
	if cfg.OnLag == "" {
		cfg.OnLag = OnLagGap
	}
	if cfg.Compress == "" {
		cfg.Compress = CompressOff
	}
	if cfg.CompressBudget <= 0 {
		cfg.CompressBudget = 100 * time.Millisecond
	}
	if cfg.Heartbeat <= 0 {
		cfg.Heartbeat = 15 * time.Second
	}
	if cfg.Retry <= 0 {
		cfg.Retry = time.Second
	}
	n := cfg.Universe.Len()
	l := &Log{
		cfg:    cfg,
		size:   uint64(cfg.Size),
		dir:    make([]atomic.Pointer[segment], (cfg.Size+segmentTicks-1)/segmentTicks+2),
		newest: make([]atomic.Uint64, n),
		kept:   make([]atomic.Pointer[entry], n),
	}
	for format := range l.guess {
		l.guess[format] = segmentTicks * guessTick
	}
	l.subs.init()
	l.sets.init(cfg.Compress, cfg.MaxSharedEncoders, cfg.CompressBudget)
	l.waker = newGroup(l)
	l.groups.Store(&[]*Group{l.waker})
	l.waker.start()
	return l, nil
}

// Close ends the waker. It doesn't end subscribers: see End.
func (l *Log) Close() { l.stop.Do(l.waker.close) }

// Universe returns the symbols of the feed.
func (l *Log) Universe() *quote.Universe { return l.cfg.Universe }

// Heartbeat is the longest silence of a stream.
func (l *Log) Heartbeat() time.Duration { return l.cfg.Heartbeat }

// Head is the position of the newest tick; its Seq is 0 before the first.
func (l *Log) Head() quote.Position {
	return quote.Position{Epoch: l.cfg.Epoch, Seq: l.head.Load()}
}

// Oldest is the seq of the oldest tick kept; 1 while nothing has been dropped.
func (l *Log) Oldest() uint64 { return l.oldest(l.head.Load()) }

func (l *Log) oldest(head uint64) uint64 {
	if head < l.size {
		return 1
	}
	return head - l.size + 1
}

// Append stores ticks whose Seq goes on from the head without holes, renders each once for every format in use, and
// nudges the groups. It keeps nothing of the slice. A tick out of order panics: it is the bus's fault, and every
// position after it would lie.
func (l *Log) Append(ticks []quote.Tick) {
	if len(ticks) == 0 {
		return
	}
	head := l.head.Load()
	for i := range ticks {
		if ticks[i].Seq != head+1 {
			panic(fmt.Sprintf("stream: append of seq %d after %d", ticks[i].Seq, head))
		}
		l.append(&ticks[i])
		head++
	}
	for _, w := range *l.groups.Load() {
		w.nudge()
	}
}

func (l *Log) append(t *quote.Tick) {
	i := int((t.Seq - 1) % segmentTicks)
	if i == 0 {
		l.turn(t.Seq)
	}
	e := &l.tail.entries[i]
	e.tick = *t
	e.prev = l.newest[t.Symbol].Load()
	var bodies [wire.Encodings][]byte
	for format := range wire.Formats {
		r := l.tail.formats[format].live.Load()
		if r == nil {
			// Once begun, a segment is rendered to its end, so that its renders have no holes.
			if l.inUse[format].Load() == 0 {
				continue
			}
			r = newRender(i, l.guess[format])
			l.tail.formats[format].live.Store(r)
		}
		if !r.roomy() {
			r = r.grown()
			l.tail.formats[format].live.Store(r)
		}
		enc := format.Encoding()
		if bodies[enc] == nil {
			bodies[enc] = enc.AppendQuote(l.scratch[enc][:0], l.cfg.Universe.Symbol(t.Symbol).Ticker, t)
			l.scratch[enc] = bodies[enc]
		}
		r.add(i, format, l.cfg.Epoch, t.Seq, bodies[enc])
	}
	l.newest[t.Symbol].Store(t.Seq)
	l.head.Store(t.Seq)
}

// turn begins a new segment, and lets go of the one whose slot it takes.
func (l *Log) turn(base uint64) {
	if l.tail != nil {
		for format := range wire.Formats {
			if r := l.tail.formats[format].live.Load(); r != nil && r.first == 0 {
				l.guess[format] = r.used + r.used/64 + wire.MaxTick
			}
		}
	}
	slot := &l.dir[int((base-1)/segmentTicks)%len(l.dir)]
	if old := slot.Load(); old != nil {
		for i := range old.entries {
			e := &old.entries[i]
			if l.newest[e.tick.Symbol].Load() == e.tick.Seq {
				k := *e
				l.kept[e.tick.Symbol].Store(&k)
			}
		}
	}
	l.tail = &segment{base: base}
	slot.Store(l.tail)
}

// segment returns the segment that holds a seq, nil when it is no longer (or not yet) there.
func (l *Log) segment(seq uint64) *segment {
	if seq == 0 {
		return nil
	}
	s := l.dir[int((seq-1)/segmentTicks)%len(l.dir)].Load()
	if s == nil || seq < s.base || seq >= s.base+segmentTicks {
		return nil
	}
	return s
}

func (l *Log) entry(seq uint64) *entry {
	s := l.segment(seq)
	if s == nil {
		return nil
	}
	return &s.entries[seq-s.base]
}

// at returns the symbol's newest entry with a seq of at most i, which must not be beyond the head. ok is false when
// that one has left the log and isn't known any more; nil with ok says that the symbol had no tick by then.
func (l *Log) at(id quote.ID, i uint64) (e *entry, ok bool) {
	for seq := l.newest[id].Load(); seq != 0; seq = e.prev {
		if e = l.entry(seq); e == nil {
			// Only a newest tick outlives its segment, and all before it have gone with theirs.
			if e = l.kept[id].Load(); e == nil || e.tick.Seq != seq {
				return nil, false
			}
		}
		if seq <= i {
			return e, true
		}
	}
	return nil, true
}

// rendered returns the format's render that holds place i of a segment, made now when nobody made it before.
// head is a published head that covers place i.
func (l *Log) rendered(s *segment, format wire.Format, i int, head uint64) (r *render, upto int) {
	last := int(min(head-s.base, segmentTicks-1))
	if r := s.formats[format].live.Load(); r != nil {
		if i >= r.first {
			return r, last
		}
		last = r.first - 1
	}
	early := &s.formats[format].early
	for {
		r := early.Load()
		if r != nil && i < r.upto {
			return r, min(last, r.upto-1)
		}
		// Two readers may render the same at the same time; whoever comes second takes the longer one.
		made := l.render(s, format, last+1)
		if early.CompareAndSwap(r, made) {
			return made, last
		}
	}
}

func (l *Log) render(s *segment, format wire.Format, upto int) *render {
	r := newRender(0, upto*guessTick+wire.MaxTick)
	r.upto = upto
	enc := format.Encoding()
	var body []byte
	for i := range upto {
		t := &s.entries[i].tick
		body = enc.AppendQuote(body[:0], l.cfg.Universe.Symbol(t.Symbol).Ticker, t)
		if !r.roomy() {
			r = r.grown()
		}
		r.add(i, format, l.cfg.Epoch, t.Seq, body)
	}
	return r
}
