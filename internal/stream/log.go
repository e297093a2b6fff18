package stream

import (
	"fmt"
	"math/bits"
	"sync"
	"sync/atomic"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// Log keeps the newest ticks of one feed and the newest tick of every symbol. Append must have one caller at a time;
// all other methods may be called from any goroutine.
type Log struct {
	cfg      Config
	size     uint64
	restored bool // it has the newest ticks of before its start
	head     atomic.Uint64
	// segments finds the segment of a seq: index (seq-start-1)/segmentTicks modulo its length. It holds up to two segments
	// more than Size needs, so that a reader of the oldest tick isn't overtaken at once.
	segments []atomic.Pointer[segment]
	newest   []atomic.Uint64         // the seq of each symbol's newest tick, by ID; 0 before the first
	kept     []atomic.Pointer[entry] // a symbol's newest tick, when its segment has left the log or it is of before the log

	subscribers [wire.AllFormats]atomic.Int32 // in each format
	inUse       atomic.Uint32                 // a bit for each format with subscribers now, or since the segment began

	// Of the goroutine that appends.
	tail      *segment
	scratch   [wire.Encodings][]byte
	sizeGuess [wire.AllFormats]int // bytes of a rendered segment

	notifier    *Group // of subscribers with a goroutine each
	groups      atomic.Pointer[[]*Group]
	groupsMu    sync.Mutex // serializes changes of groups
	registry    registry
	topicGroups topicGroups
	retrySpread atomic.Int64 // a time.Duration: see SpreadRetries
	snapshots   snapshotCache
	bulk        bulkLimiter
	feed        feedStatus
	closeOnce   sync.Once
}

// New returns an empty log and starts its notifier. The caller must Close it.
func New(cfg Config) (*Log, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg.setDefaults()
	n := cfg.Universe.Limit()
	l := &Log{
		cfg:      cfg,
		size:     uint64(cfg.Size),
		segments: make([]atomic.Pointer[segment], (cfg.Size+segmentTicks-1)/segmentTicks+2),
		newest:   make([]atomic.Uint64, n),
		kept:     make([]atomic.Pointer[entry], n),
	}
	for format := range l.sizeGuess {
		l.sizeGuess[format] = segmentTicks * tickSizeGuess
	}
	l.head.Store(cfg.Start)
	for _, t := range cfg.Newest {
		l.newest[t.Symbol].Store(t.Seq)
		l.kept[t.Symbol].Store(&entry{tick: t})
	}
	l.restored, l.cfg.Newest = len(cfg.Newest) > 0, nil
	l.registry.init()
	l.topicGroups.init(cfg.Compress, cfg.MaxSharedEncoders, cfg.CompressBudget)
	l.snapshots.init(l)
	l.bulk.init()
	l.feed.symbols.Store(int64(cfg.Universe.Len()))
	l.notifier = newGroup(l)
	l.groups.Store(&[]*Group{l.notifier})
	l.notifier.start()
	return l, nil
}

// Close stops the notifier and the rendering of snapshots. It doesn't end streams: see End.
func (l *Log) Close() {
	l.closeOnce.Do(func() {
		l.feed.close()
		l.notifier.stop()
		l.snapshots.close()
	})
}

// Universe returns the symbols of the feed.
func (l *Log) Universe() *quote.Universe { return l.cfg.Universe }

// Head returns the position of the newest tick; its Seq is Config.Start before the first.
func (l *Log) Head() quote.Position {
	return quote.Position{Epoch: l.cfg.Epoch, Seq: l.head.Load()}
}

// Oldest returns the seq of the oldest tick kept; that of the first as long as none has been dropped.
func (l *Log) Oldest() uint64 { return l.oldest(l.head.Load()) }

func (l *Log) oldest(head uint64) uint64 {
	if head-l.cfg.Start < l.size {
		return l.cfg.Start + 1
	}
	return head - l.size + 1
}

// Append stores ticks whose Seq continues from the head without gaps, renders each once for every format in use, and
// signals the groups. It doesn't retain the slice. It panics when a tick is out of order: that is a defect of the
// caller, and all later positions would be wrong.
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
	for _, g := range *l.groups.Load() {
		g.signal()
	}
}

func (l *Log) append(t *quote.Tick) {
	i := int((t.Seq - l.cfg.Start - 1) % segmentTicks)
	if i == 0 {
		l.startSegment(t.Seq)
	}
	e := &l.tail.entries[i]
	e.tick = *t
	e.prev = l.newest[t.Symbol].Load()
	var bodies [wire.Encodings][]byte
	for set := l.inUse.Load(); set != 0; set &= set - 1 {
		format := wire.Format(bits.TrailingZeros32(set))
		r := l.tail.formats[format].live.Load()
		if r == nil {
			// A render that was begun is continued to the segment's end, so that it has no holes.
			if l.subscribers[format].Load() == 0 {
				continue
			}
			r = newRender(i, l.sizeGuess[format])
			l.tail.formats[format].live.Store(r)
		}
		if !r.hasRoom(t, format) {
			r = r.grown()
			l.tail.formats[format].live.Store(r)
		}
		enc := format.Encoding()
		if bodies[enc] == nil {
			bodies[enc] = enc.AppendQuote(l.scratch[enc][:0], l.cfg.Universe.Instrument(t.Symbol), t)
			l.scratch[enc] = bodies[enc]
		}
		r.add(l, i, format, t, bodies[enc])
	}
	l.newest[t.Symbol].Store(t.Seq)
	l.head.Store(t.Seq)
}

// dropUnused removes the formats without subscribers from those in use. One that a subscriber joins meanwhile stays.
func (l *Log) dropUnused() {
	for format := range wire.AllFormats {
		if l.subscribers[format].Load() == 0 {
			l.inUse.And(^uint32(1 << format))
			if l.subscribers[format].Load() > 0 {
				l.inUse.Or(1 << format)
			}
		}
	}
}

// startSegment begins the segment at seq base, and drops the segment whose index it takes.
func (l *Log) startSegment(base uint64) {
	l.dropUnused()
	if l.tail != nil {
		for format := range wire.AllFormats {
			if r := l.tail.formats[format].live.Load(); r != nil && r.first == 0 {
				l.sizeGuess[format] = r.used + r.used/64 + wire.MaxTick + maxEvents(wire.Format(format))
			}
		}
	}
	place := l.place(base)
	if old := place.Load(); old != nil {
		for i := range old.entries {
			e := &old.entries[i]
			if l.newest[e.tick.Symbol].Load() == e.tick.Seq {
				k := *e
				l.kept[e.tick.Symbol].Store(&k)
			}
		}
	}
	l.tail = &segment{base: base}
	place.Store(l.tail)
}

// place returns where the segment of a seq after Config.Start is found.
func (l *Log) place(seq uint64) *atomic.Pointer[segment] {
	return &l.segments[int((seq-l.cfg.Start-1)/segmentTicks)%len(l.segments)]
}

// segment returns the segment that holds a seq, or nil when the log doesn't hold it.
func (l *Log) segment(seq uint64) *segment {
	if seq <= l.cfg.Start {
		return nil
	}
	s := l.place(seq).Load()
	if s == nil || seq < s.base || seq >= s.base+segmentTicks {
		return nil
	}
	return s
}

// entry returns the entry of a seq, or nil when the log doesn't hold it.
func (l *Log) entry(seq uint64) *entry {
	s := l.segment(seq)
	if s == nil {
		return nil
	}
	return &s.entries[seq-s.base]
}

// newestAt returns the symbol's newest entry as of seq at, which must not be beyond the head: nil when the symbol had no
// tick by then. known is false when that entry has left the log.
func (l *Log) newestAt(id quote.ID, at uint64) (e *entry, known bool) {
	for seq := l.newest[id].Load(); seq != 0; seq = e.prev {
		if e = l.entry(seq); e == nil {
			// A symbol's newest tick is kept after its segment is dropped; the ticks before it are not.
			if e = l.kept[id].Load(); e == nil || e.tick.Seq != seq {
				return nil, false
			}
		}
		if seq <= at {
			return e, true
		}
	}
	return nil, true
}
