package stream

import (
	"hash/crc32"

	"ticklane/internal/wire"
)

// packing is what a subscriber of compressed bytes has besides its cursor.
type packing struct {
	kind Compression
	set  *set // nil while it reads alone
	// aligned: its position is where block at begins. It may be a little behind that, when nothing that it wants lies between.
	aligned bool
	at      uint64
	// synced: the client's window holds what the set packed since a keyframe, and nothing else. Then, and only then, the
	// set's blocks mean to it what they shall mean; else they would be silently wrong text.
	synced bool
	own    []byte // bytes made for this client alone

	begun  bool // SSE: the gzip header is out
	secret int  // SSE: bytes of the hello at the start of Subscriber.out
	crc    uint32
	size   uint32
}

// offer counts the subscriber among those that could be compressed, and starts to if that is worth its while. SSE is decided
// here and now: the answer's head tells.
func (s *Subscriber) offer() {
	l := s.log
	if l.cfg.Compress == CompressOff || s.opt.Compress == CompressNone {
		return
	}
	if s.mode == ModeAll {
		s.crowd = l.sets.enter(s.format, s.topics)
	}
	s.pack, s.agreed = &packing{kind: s.opt.Compress}, s.opt.Compress
	if s.opt.Compress != CompressGzip {
		return
	}
	s.settle()
	if s.pack.set == nil && (s.mode == ModeAll || l.sets.frugal(&s.opt)) {
		s.pack, s.agreed = nil, CompressNone
	}
}

// settle joins a set, or leaves it, as it is worth now.
func (s *Subscriber) settle() {
	k, l := s.pack, s.log
	switch {
	case s.mode == ModeLatest:
		s.part()
	case k.set == nil && (s.crowd.worth(0) || !l.sets.frugal(&s.opt)):
		k.set = l.sets.join(l, s.crowd)
	case k.set != nil && k.kind != CompressGzip && s.crowd.waning() && l.sets.frugal(&s.opt):
		s.part()
	}
}

// part leaves the set.
func (s *Subscriber) part() {
	if k := s.pack; k != nil && k.set != nil {
		s.log.sets.part(s.crowd)
		k.set = nil
		s.astray()
	}
}

// recrowd goes where subscribers of the new topics are.
func (s *Subscriber) recrowd() {
	if s.crowd == nil {
		return
	}
	s.part()
	s.log.sets.leave(s.crowd)
	s.crowd = s.log.sets.enter(s.format, s.topics)
}

// astray forgets where the cursor stands among the blocks.
func (s *Subscriber) astray() {
	if s.pack != nil {
		s.pack.aligned, s.pack.synced = false, false
	}
}

// seek puts the subscriber at a position.
func (s *Subscriber) seek(pos uint64) {
	s.cursor.seek(pos)
	s.astray()
}

// fetch reads on as read does, in the bytes that the client gets. Of ticks up to a hard horizon it gives none beyond.
func (s *Subscriber) fetch(horizon uint64, hard bool, left, lag uint64) (p piece, ok bool) {
	k := s.pack
	if k == nil {
		return s.read(horizon, s.opt.MaxRead, min(left, segmentTicks), lag)
	}
	s.settle()
	if k.set == nil {
		return s.fetchAlone(horizon, horizon, left, lag)
	}
	return s.fetchShared(horizon, hard, left, lag)
}

// fetchAlone reads up to horizon and makes of it bytes that may come after anything. front is where the horizon really is.
func (s *Subscriber) fetchAlone(horizon, front, left, lag uint64) (p piece, ok bool) {
	k := s.pack
	caught := s.caught
	s.front = front
	p, ok = s.read(horizon, s.opt.MaxRead, min(left, segmentTicks), lag)
	s.front = 0
	if horizon < front {
		s.caught = caught
	}
	if p.ticks == 0 {
		return p, ok
	}
	s.sum(p.bytes)
	if k.set == nil && k.kind != CompressGzip && (s.mode == ModeAll || s.log.sets.frugal(&s.opt)) {
		return p, ok // frames that aren't packed never touch the window
	}
	k.synced = false
	plain := len(p.bytes)
	k.own = s.log.alone(s.format, k.own[:0], p.bytes, k.kind == CompressPerMessage)
	p.bytes = k.own
	s.saved(plain, len(p.bytes))
	return p, ok
}

// fetchShared hands over the set's blocks where the cursor stands at one, and what lies before the next one alone.
func (s *Subscriber) fetchShared(horizon uint64, hard bool, left, lag uint64) (p piece, ok bool) {
	k, g := s.pack, s.pack.set
	for s.pos < horizon {
		if !k.aligned {
			nr, at, upto := g.find(s.pos)
			if !at {
				if p, ok = s.fetchAlone(min(horizon, upto), horizon, left, lag); p.ticks > 0 || !ok {
					return p, ok
				}
				continue
			}
			if nr != k.at {
				k.at, k.synced = nr, false
			}
			k.aligned, k.own = true, nil
			s.pending, s.cursor.next = s.pending[:0], 0
		}
		done := g.done.Load()
		b, gone := g.block(k.at)
		switch {
		case gone:
			k.aligned = false
			continue
		case b == nil && done < horizon:
			g.pack(horizon)
			continue
		case b == nil:
			s.pos = horizon
			continue
		case b.hole:
			k.aligned = false
			continue
		case hard && b.first > horizon:
			s.pos = horizon
			continue
		case s.late(b.first, horizon, lag):
			return p, false
		case hard && b.upto > horizon || b.ticks > left:
			k.aligned = false
			return s.fetchAlone(min(horizon, b.upto), horizon, left, lag) // some tick comes before either
		}
		return s.take(b, horizon, hard, left), true
	}
	s.caught = true
	return p, true
}

// take hands over a block, and those after it that stand behind it in memory.
func (s *Subscriber) take(b *block, horizon uint64, hard bool, left uint64) (p piece) {
	k, g := s.pack, s.pack.set
	p.first = b.first
	alone := k.kind == CompressPerMessage || !k.synced && !b.key
	switch {
	case b.stored:
		k.synced = false // a keyframe comes next
		p.bytes = b.packed()
	case alone:
		if k.kind != CompressPerMessage && !g.wants.Load() {
			g.wants.Store(true)
		}
		p.bytes = g.independent(b, k.kind == CompressPerMessage)
	default:
		k.synced = true
		p.bytes = b.packed()
	}
	s.add(&p, b)
	out := len(p.bytes)
	for plain, lo := len(b.plain), b.lo; ; {
		next, _ := g.block(k.at)
		if next == nil || alone || b.stored || next.stored || next.hole || &next.chunk[0] != &b.chunk[0] || next.lo != b.hi ||
			next.hi-lo > s.opt.MaxRead || p.ticks+next.ticks > left || hard && next.upto > horizon {
			s.saved(plain, out)
			return p
		}
		b = next
		plain += len(b.plain)
		p.bytes = b.chunk[lo:b.hi:b.hi]
		out = len(p.bytes)
		s.add(&p, b)
	}
}

func (s *Subscriber) add(p *piece, b *block) {
	p.ticks += b.ticks
	p.payload += b.payload
	p.last = b.last
	s.sum(b.plain)
	s.pos = b.upto
	s.pack.at = b.nr + 1
}

// sum takes text into the gzip trailer's account.
func (s *Subscriber) sum(plain []byte) {
	if k := s.pack; k.kind == CompressGzip {
		k.crc = crc32.Update(k.crc, crc32.IEEETable, plain)
		k.size += uint32(len(plain))
	}
}

func (s *Subscriber) saved(in, out int) {
	s.count.packIn.Add(uint64(in))
	s.count.packOut.Add(uint64(out))
}

// seal makes gzip of the messages in out: on SSE everything enters the client's window. The hello goes as it is: its secret
// beside the client's own topics would otherwise show in a length.
func (s *Subscriber) seal() {
	k := s.pack
	if k == nil || k.kind != CompressGzip || len(s.out) == 0 {
		return
	}
	k.synced = false
	s.sum(s.out)
	b := make([]byte, 0, len(s.out)/2+64)
	if !k.begun {
		b = wire.AppendGzipHeader(b)
		k.begun = true
	}
	if k.secret > 0 {
		b = wire.AppendStored(b, s.out[:k.secret])
	}
	if rest := s.out[k.secret:]; len(rest) > 0 {
		b = s.log.alone(s.format, b, rest, false)
	}
	k.secret = 0
	if s.ended {
		b = wire.AppendGzipEnd(b, k.crc, k.size)
	}
	s.saved(len(s.out), len(b))
	s.out = b
}
