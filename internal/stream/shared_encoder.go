package stream

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ticklane/internal/wire"
)

// A set is one sequence of rendered ticks that several subscribers read compressed: one encoder works for all of them,
// once, at the ratio of a context of one's own (docs/adr/0010-compress-once.md).
//
// Nobody is woken for it and nothing runs for it: the first reader that finds nothing newer packed packs what is there, as
// one block, and everybody after it finds the block ready, without a lock.
type set struct {
	log    *Log
	format wire.Format
	ring   [ringBlocks]atomic.Pointer[block] // block nr stands in place nr % ringBlocks
	next   atomic.Uint64                     // the number of the block to come
	// done is up to where everything is packed. It is stored after the block it covers was published: whoever loads it
	// before looking for a block misses none.
	done  atomic.Uint64
	start uint64
	// wants: somebody waits for a keyframe.
	wants atomic.Bool

	mu     sync.Mutex // the packing
	cur    cursor
	enc    *wire.Deflater
	fresh  bool   // the next packed block must be a keyframe
	since  int    // bytes of text packed since the last keyframe
	from   uint64 // where the next block begins
	held   int    // bytes that the ring keeps alive
	first  uint64 // the number of the oldest block in the ring
	buf    []byte
	chunk  []byte     // consecutive blocks stand one behind the other, so that a reader who is behind takes several as one slice
	aloneM sync.Mutex // makes independent bytes; not mu, so that packing goes on
}

const (
	ringBlocks = 1024
	ringBytes  = 1 << 20
	blockText  = 16 << 10 // what engine stream takes at once, and a millisecond of packing
	chunkSize  = 64 << 10
	// The text between keyframes: longer buys less than a hundredth, and it is how long a client that fell out of step waits.
	keyText = 64 << 10
	// The same while somebody waits.
	joinText = 8 << 10
)

// block is some consecutive ticks of a set. Subscribers have positions between blocks.
type block struct {
	nr         uint64
	from, upto uint64 // it covers what the set wants of the log in (from, upto]
	first      uint64 // the seq of its first tick
	last       uint64
	ticks      uint64
	payload    int
	plain      []byte // as rendered
	chunk      []byte
	lo, hi     int  // packed is chunk[lo:hi]
	key        bool // refers to nothing before it
	stored     bool // not packed, for want of time: it may come after anything, and a keyframe follows
	hole       bool // nothing is in it: the log had gone on without the set
	alone      atomic.Pointer[[]byte]
	apart      atomic.Pointer[[]byte] // each message of its own
}

func (b *block) packed() []byte { return b.chunk[b.lo:b.hi:b.hi] }

func newSet(l *Log, g *crowd) *set {
	head := l.head.Load()
	s := &set{
		log: l, format: g.format, cur: cursor{log: l, format: g.format, topics: g.topics, pos: head}, from: head, start: head,
		fresh: true, enc: wire.NewDeflater(),
	}
	s.done.Store(head)
	return s
}

// block returns block nr; nil when it isn't there yet, or when it has left the ring: gone.
func (g *set) block(nr uint64) (b *block, gone bool) {
	b = g.ring[nr%ringBlocks].Load()
	switch {
	case b == nil:
		return nil, nr < g.next.Load()
	case b.nr == nr:
		return b, false
	}
	return nil, b.nr > nr || nr < g.next.Load()
}

// find tells which block comes after a position. When the position isn't at a block's start, at is false, and upto is where
// the next block begins that one can go on with.
func (g *set) find(pos uint64) (nr uint64, at bool, upto uint64) {
	for {
		done, next := g.done.Load(), g.next.Load()
		tail := g.start
		if next > 0 {
			b, _ := g.block(next - 1)
			if b == nil {
				continue // a whole ring went by
			}
			tail = b.upto
		}
		if pos > done {
			g.pack(pos)
			continue
		}
		if pos >= tail {
			return next, true, 0
		}
		if next == 0 {
			return 0, false, g.start
		}
		lo, hi := next-min(next, ringBlocks), next-1
		for lo < hi {
			mid := (lo + hi) / 2
			if b, _ := g.block(mid); b == nil || b.upto <= pos {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		b, _ := g.block(lo)
		switch {
		case b == nil || b.upto <= pos:
			continue
		case pos < b.from:
			return lo, false, b.from
		case pos < b.first && !b.hole:
			return lo, true, 0
		}
		return lo, false, b.upto
	}
}

// pack makes the next block of what is there up to horizon, if nobody did meanwhile.
func (g *set) pack(horizon uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.done.Load() >= horizon {
		return
	}
	p, ok := g.cur.read(horizon, blockText, segmentTicks, 0)
	b := &block{nr: g.next.Load(), from: g.from}
	switch {
	case !ok:
		g.cur.seek(horizon)
		b.hole, g.fresh = true, true
		b.chunk = g.chunk
	case p.ticks == 0:
		g.done.Store(g.cur.pos)
		return
	default:
		b.first, b.last, b.ticks, b.payload, b.plain = p.first, p.last, p.ticks, p.payload, p.bytes
		if !g.cur.topics.Every() {
			b.plain = slices.Clone(p.bytes) // the cursor's own
		}
		g.fill(b)
	}
	b.upto = g.cur.pos
	g.from = b.upto
	g.publish(b)
}

// fill packs a block's text.
func (g *set) fill(b *block) {
	if g.log.sets.work.tired() {
		b.stored, g.fresh = true, true
		g.buf = g.plainly(g.buf[:0], b.plain)
	} else {
		start := time.Now()
		if g.fresh || g.since >= keyText || g.since >= joinText && g.wants.Load() {
			g.enc.Reset()
			g.wants.Store(false)
			b.key, g.fresh, g.since = true, false, 0
		}
		g.since += len(b.plain)
		if g.format.Lane() == wire.SSE {
			g.buf = g.enc.AppendText(g.buf[:0], b.plain)
		} else {
			g.buf = g.enc.AppendFrames(g.buf[:0], b.plain)
		}
		g.log.sets.work.did(g.format.Lane(), start)
	}
	if len(g.chunk)+len(g.buf) > cap(g.chunk) {
		g.chunk = make([]byte, 0, max(chunkSize, len(g.buf)))
	}
	b.lo = len(g.chunk)
	g.chunk = append(g.chunk, g.buf...)
	b.hi = len(g.chunk)
	b.chunk = g.chunk
}

// plainly appends text so that any client understands it, whatever it got before.
func (g *set) plainly(b, text []byte) []byte {
	if g.format.Lane() == wire.SSE {
		return wire.AppendStored(b, text)
	}
	return append(b, text...)
}

func (g *set) publish(b *block) {
	place := &g.ring[b.nr%ringBlocks]
	if old := place.Load(); old != nil {
		g.drop(old)
	}
	place.Store(b)
	g.held += b.size()
	for g.held > ringBytes && g.first < b.nr {
		old := g.ring[g.first%ringBlocks].Load()
		g.ring[g.first%ringBlocks].Store(nil)
		g.drop(old)
	}
	g.next.Store(b.nr + 1)
	g.done.Store(b.upto)
}

func (g *set) drop(old *block) {
	g.held -= old.size()
	g.first = old.nr + 1
}

// size is about what a block keeps alive: a full market's plain text is the log's.
func (b *block) size() int { return 2*len(b.plain) + b.hi - b.lo }

// independent returns the block so that it may come after anything: made once, when somebody asks.
func (g *set) independent(b *block, apart bool) []byte {
	if b.stored {
		return b.packed()
	}
	made := &b.alone
	if apart {
		made = &b.apart
	}
	if p := made.Load(); p != nil {
		return *p
	}
	g.aloneM.Lock()
	defer g.aloneM.Unlock()
	if p := made.Load(); p != nil {
		return *p
	}
	p := g.log.alone(g.format, nil, b.plain, apart)
	made.Store(&p)
	return p
}

// alone appends rendered messages so that they may come after anything.
func (l *Log) alone(format wire.Format, b, plain []byte, apart bool) []byte {
	sse := format.Lane() == wire.SSE
	switch {
	case sse && (len(plain) < worthPacking || l.sets.work.tired()):
		return wire.AppendStored(b, plain)
	case l.sets.work.tired():
		return append(b, plain...)
	}
	start := time.Now()
	if sse {
		b = wire.AppendIndependent(b, plain)
	} else {
		b = wire.AppendIndependentFrames(b, plain, apart)
	}
	l.sets.work.did(format.Lane(), start)
	return b
}

// worthPacking: a single message of less text doesn't get shorter by more than the blocks' frames take.
const worthPacking = 120
