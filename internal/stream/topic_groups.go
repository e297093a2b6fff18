package stream

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// When to compress, Config.Compress.
const (
	CompressOff  = "off"  // never
	CompressOn   = "on"   // for whoever offers it
	CompressAuto = "auto" // for whoever offers it and reads what enough others read
)

// enough subscribers of the same text make packing worth its while in CompressAuto: packing takes as long as one or two
// writes, so shared by eight it adds at most a fifth to what a delivery costs, and saves two thirds of its bytes.
const enough = 8

// Compression is what a client offered.
type Compression uint8

// The compressions.
const (
	CompressNone       Compression = iota
	CompressGzip                   // SSE: Content-Encoding: gzip
	CompressDeflate                // WebSocket: permessage-deflate
	CompressPerMessage             // the same with server_no_context_takeover: each message of its own
)

// String returns the compression's name in lists.
func (c Compression) String() string {
	switch c {
	case CompressGzip:
		return "gzip"
	case CompressDeflate, CompressPerMessage:
		return "permessage-deflate"
	}
	return "none"
}

// sets knows who reads the same text, and packs it for some of them.
type sets struct {
	when string // Config.Compress
	free atomic.Int32
	work work

	mu     sync.Mutex
	crowds map[string]*crowd
}

// crowd is the live subscribers of one format and one set of symbols that offered to inflate.
type crowd struct {
	key    string
	format wire.Format
	topics quote.Topics
	count  atomic.Int32
	open   atomic.Bool // it has a set

	set     *set // guarded by sets.mu, as are
	readers int  // those of the set
}

func (s *sets) init(when string, most int, atOnce time.Duration) {
	s.when = when
	s.free.Store(int32(most))
	s.work.init(atOnce)
	s.crowds = make(map[string]*crowd)
}

// enter counts a subscriber in. Different topics that stand for the same symbols are the same.
func (s *sets) enter(format wire.Format, topics quote.Topics) *crowd {
	key := crowdKey(format, topics)
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.crowds[key]
	if g == nil {
		g = &crowd{key: key, format: format, topics: topics}
		s.crowds[key] = g
	}
	g.count.Add(1)
	return g
}

func crowdKey(format wire.Format, topics quote.Topics) string {
	var b strings.Builder
	b.WriteByte(byte(format))
	if topics.Every() {
		b.WriteByte('*')
	} else {
		for _, id := range topics.IDs() {
			b.WriteRune(rune(id) + 1)
		}
	}
	return b.String()
}

func (s *sets) leave(g *crowd) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.count.Add(-1) == 0 {
		delete(s.crowds, g.key)
	}
}

// frugal tells whether a stream is compressed only where that is worth while.
func (s *sets) frugal(opt *Options) bool { return s.when == CompressAuto && !opt.ForceCompress }

// worth tells whether a crowd is large enough for a frugal stream to be packed.
func (g *crowd) worth(more int32) bool { return g.count.Load()+more >= enough }

// waning tells that a crowd has become so small that packing for it isn't worth while; well below enough, so that one
// client that comes and goes doesn't make it change its mind.
func (g *crowd) waning() bool { return g.count.Load() < enough/2 }

// join returns the crowd's set for one more reader, nil when there may be no more sets.
func (s *sets) join(l *Log, g *crowd) *set {
	if !g.open.Load() && s.free.Load() <= 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.set == nil {
		if s.free.Load() <= 0 {
			return nil
		}
		s.free.Add(-1)
		g.set = newSet(l, g)
		g.open.Store(true)
	}
	g.readers++
	return g.set
}

// part gives a reader's place back. With the last one the set goes, encoder and blocks.
func (s *sets) part(g *crowd) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.readers--; g.readers > 0 {
		return
	}
	g.set.enc.Free() // nobody packs any more: only readers do
	g.set.enc = nil
	g.set = nil
	g.open.Store(false)
	s.free.Add(1)
}

// SharedEncoders returns how many sets are packed now.
func (l *Log) SharedEncoders() int {
	return l.cfg.MaxSharedEncoders - int(l.sets.free.Load())
}

// CompressionEnabled tells whether any stream may be compressed.
func (l *Log) CompressionEnabled() bool { return l.cfg.Compress != CompressOff }

// WouldCompress tells whether a stream on SSE would be compressed if it were opened now.
func (l *Log) WouldCompress(opt *Options) bool {
	s := &l.sets
	switch frugal := s.frugal(opt); {
	case s.when == CompressOff || opt.Compress != CompressGzip:
		return false
	case opt.Mode == ModeLatest:
		return !frugal
	default:
		s.mu.Lock()
		defer s.mu.Unlock()
		g := s.crowds[crowdKey(opt.Format, opt.Topics)]
		if g == nil {
			g = &crowd{}
		}
		return (!frugal || g.worth(1)) && (g.open.Load() || s.free.Load() > 0)
	}
}

// work is the time that packing takes. All encoders together get a quarter of the machine; beyond that, text goes as it
// is until half of their allowance has come together again: a market that is too fast for them must not be held up.
type work struct {
	spent [wire.Lanes]atomic.Int64 // ns

	most time.Duration // what left may come to

	mu   sync.Mutex
	left time.Duration
	at   time.Time
	rest atomic.Bool
}

func (w *work) init(most time.Duration) { w.most, w.left, w.at = most, most, time.Now() }

// did counts a piece of work.
func (w *work) did(lane wire.Lane, start time.Time) {
	now := time.Now()
	took := now.Sub(start)
	w.spent[lane].Add(int64(took))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refill(now)
	if w.left -= took; w.left < 0 {
		w.rest.Store(true)
	}
}

// tired tells that there is no time for packing.
func (w *work) tired() bool {
	if !w.rest.Load() {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refill(time.Now())
	if w.left >= w.most/2 {
		w.rest.Store(false)
	}
	return w.rest.Load()
}

func (w *work) refill(now time.Time) {
	w.left = min(w.most, w.left+now.Sub(w.at)*time.Duration(runtime.GOMAXPROCS(0))/4)
	w.at = now
}
