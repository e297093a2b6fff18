package stream

import "sync/atomic"

// block is consecutive ticks of a shared encoder. A subscriber's position is always between two blocks.
type block struct {
	number   uint64
	from, to uint64 // it holds the encoder's ticks in (from, to]
	first    uint64 // the seq of its first tick
	last     uint64
	ticks    uint64
	payload  int
	text     []byte // as rendered, uncompressed
	chunk    []byte // shared with the blocks before and after it
	start    int    // its bytes are chunk[start:end]
	end      int

	keyframe     bool // refers to no earlier block
	uncompressed bool // the compression budget was exhausted; it refers to nothing, and a keyframe follows
	lost         bool // holds no ticks: they had left the log

	independent atomic.Pointer[[]byte] // the text, compressed without reference to what came before
	perMessage  atomic.Pointer[[]byte] // the same, each message by itself
}

// bytes returns the block as the encoder wrote it.
func (b *block) bytes() []byte { return b.chunk[b.start:b.end:b.end] }

// continues reports whether b follows prev in memory, so that both can be written as one slice.
func (b *block) continues(prev *block) bool {
	return !b.uncompressed && !b.lost && &b.chunk[0] == &prev.chunk[0] && b.start == prev.end
}

// size returns about how many bytes of memory the block uses. For all symbols, the text is the log's.
func (b *block) size() int { return 2*len(b.text) + b.end - b.start }

const (
	ringBlocks = 1024
	ringBytes  = 1 << 20
)

// blockRing holds a shared encoder's newest blocks, at most ringBlocks and about ringBytes. One goroutine at a time adds;
// any may read.
type blockRing struct {
	blocks [ringBlocks]atomic.Pointer[block] // block n is at index n % ringBlocks
	next   atomic.Uint64                     // the number of the block to be added next
	held   int                               // bytes of memory used
	oldest uint64                            // number
}

// block returns the block with this number, or nil. gone reports that the ring held it and no longer does.
func (r *blockRing) block(number uint64) (b *block, gone bool) {
	b = r.blocks[number%ringBlocks].Load()
	switch {
	case b == nil:
		return nil, number < r.next.Load()
	case b.number == number:
		return b, false
	}
	return nil, b.number > number || number < r.next.Load()
}

func (r *blockRing) add(b *block) {
	place := &r.blocks[b.number%ringBlocks]
	if old := place.Load(); old != nil {
		r.drop(old)
	}
	place.Store(b)
	r.held += b.size()
	for r.held > ringBytes && r.oldest < b.number {
		place := &r.blocks[r.oldest%ringBlocks]
		old := place.Load()
		place.Store(nil)
		r.drop(old)
	}
	r.next.Store(b.number + 1)
}

func (r *blockRing) drop(old *block) {
	r.held -= old.size()
	r.oldest = old.number + 1
}
