package stream

import (
	"slices"
	"sync"
	"sync/atomic"

	"ticklane/internal/wire"
)

// sharedEncoder compresses one sequence of rendered ticks for all subscribers that read it: the work is done once, at the
// compression ratio of an encoder per client (docs/adr/0010-compress-once.md).
//
// It has no goroutine. The first reader that finds no newer block encodes the ticks that are there as one block; the
// readers after it find the block without taking a lock.
type sharedEncoder struct {
	blockRing
	log    *Log
	format wire.Format
	start  uint64 // the log's head when it was made
	// encodedTo is the seq up to which all ticks are encoded. It is stored after the block was added to the ring, so that a
	// reader that loads it before looking for a block misses none.
	encodedTo         atomic.Uint64
	keyframeRequested atomic.Bool // by a reader that isn't in sync

	mu            sync.Mutex // guards the fields below, and adding to the ring
	cursor        cursor
	blockFrom     uint64 // where the next block begins
	deflater      *wire.Deflater
	needsKeyframe bool
	sinceKeyframe int // bytes of text
	buf           []byte
	chunk         []byte // consecutive blocks are adjacent, so that a reader that is behind gets several as one slice

	independentMu sync.Mutex // not mu, so that encoding isn't held up
}

const (
	blockText = 16 << 10 // most text in a block: what engine stream writes at once, a millisecond of compression
	chunkSize = 64 << 10
	// keyframeText is the text between keyframes. It bounds how long a reader that isn't in sync waits for the next one; a
	// longer distance would save less than 1 %.
	keyframeText = 64 << 10
	// keyframeTextRequested is the same while a reader waits.
	keyframeTextRequested = 8 << 10
)

func newSharedEncoder(l *Log, g *topicGroup) *sharedEncoder {
	head := l.head.Load()
	e := &sharedEncoder{
		log:           l,
		format:        g.format,
		start:         head,
		cursor:        cursor{log: l, format: g.format, topics: g.topics, pos: head},
		blockFrom:     head,
		deflater:      wire.NewDeflater(),
		needsKeyframe: true,
	}
	e.encodedTo.Store(head)
	return e
}

// close frees the encoder's memory. No reader may be left.
func (e *sharedEncoder) close() {
	e.deflater.Free()
	e.deflater = nil
}

func (e *sharedEncoder) requestKeyframe() {
	if !e.keyframeRequested.Load() { // a store in every call would move the cache line between processors
		e.keyframeRequested.Store(true)
	}
}

// locate returns the number of the block that follows seq pos. If pos is inside of a block, aligned is false, and next is
// the seq at which a following block begins.
func (e *sharedEncoder) locate(pos uint64) (number uint64, aligned bool, next uint64) {
	for {
		encodedTo, count := e.encodedTo.Load(), e.next.Load()
		end := e.start
		if count > 0 {
			b, _ := e.block(count - 1)
			if b == nil {
				continue // as many blocks as the ring holds were added meanwhile
			}
			end = b.to
		}
		if pos > encodedTo {
			e.encode(pos)
			continue
		}
		if pos >= end {
			return count, true, 0
		}
		if count == 0 {
			return 0, false, e.start
		}
		lo, hi := count-min(count, ringBlocks), count-1
		for lo < hi {
			mid := (lo + hi) / 2
			if b, _ := e.block(mid); b == nil || b.to <= pos {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		b, _ := e.block(lo)
		switch {
		case b == nil || b.to <= pos:
			continue
		case pos < b.from:
			return lo, false, b.from
		case pos < b.first && !b.lost:
			return lo, true, 0
		}
		return lo, false, b.to
	}
}

// encode adds the next block of what is there up to horizon, unless another goroutine did so meanwhile.
func (e *sharedEncoder) encode(horizon uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.encodedTo.Load() >= horizon {
		return
	}
	b := &block{number: e.next.Load(), from: e.blockFrom}
	p, ok := e.cursor.read(&readLimits{horizon: horizon, lagFrom: horizon, bytes: blockText, ticks: segmentTicks})
	switch {
	case !ok:
		e.cursor.seek(horizon)
		b.lost, e.needsKeyframe = true, true
		b.chunk = e.chunk
	case p.ticks == 0:
		e.encodedTo.Store(e.cursor.pos)
		return
	default:
		b.first, b.last, b.ticks, b.payload, b.text = p.first, p.last, p.ticks, p.payload, p.bytes
		if !e.cursor.topics.Every() {
			b.text = slices.Clone(p.bytes) // the cursor reuses its buffer
		}
		e.compress(b)
	}
	b.to = e.cursor.pos
	e.blockFrom = b.to
	e.add(b)
	e.encodedTo.Store(b.to)
}
