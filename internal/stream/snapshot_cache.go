package stream

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

const (
	// snapshotAge is how old a snapshot of many symbols may be when it is sent. The ticks since then follow it.
	snapshotAge = time.Second
	// snapshotPause is the minimum time between two renderings of the same snapshot of many symbols.
	snapshotPause = 50 * time.Millisecond
	// snapshotBudget bounds the bytes of the snapshots that are kept for later clients, except for the newest.
	snapshotBudget = 32 << 20
	// A snapshot of at most fewSymbols, or fewCompressed when it is compressed, is rendered by the goroutine that needs it, in
	// some 30 µs.
	fewSymbols    = 128
	fewCompressed = 16
)

// sharedSnapshot is a snapshot as it is sent to all clients that need the same. It is immutable.
type sharedSnapshot struct {
	at         uint64
	symbols    int
	parts      []snapshotPart
	compressed bool
	size       int // bytes in memory

	failed *Panic // while it was rendered; it has no parts
}

// snapshotPart is one message of a snapshot, framed.
type snapshotPart struct {
	text    []byte // uncompressed
	bytes   []byte // as it is sent: text, or compressed so that it refers to nothing before it
	payload int
}

// snapshotKey identifies snapshots with the same contents and compression.
type snapshotKey struct {
	topics      string // topicGroupKey, with the format
	compression Compression
}

// snapshotCache renders each snapshot once for all subscribers that need it at about the same time. Snapshots of many
// symbols are rendered by separate goroutines, as many at a time as there are processors, so that no writer waits.
type snapshotCache struct {
	log     *Log
	workers chan struct{} // a slot for each processor
	running sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	entries map[snapshotKey]*snapshotEntry
	bytes   int // of the newest snapshots of all entries
	budget  int
}

type snapshotEntry struct {
	key         snapshotKey
	format      wire.Format
	topics      quote.Topics
	compression Compression

	// Guarded by snapshotCache.mu.
	newest  *sharedSnapshot
	started time.Time    // of the newest rendering
	current *snapshotJob // being rendered
	next    *snapshotJob // waits for current, or for its time
}

// snapshotJob renders one snapshot for the subscribers that wait for it.
type snapshotJob struct {
	entry   *snapshotEntry
	waiters map[*Subscriber]struct{} // guarded by snapshotCache.mu
	from    uint64                   // the head when the rendering began
	result  atomic.Pointer[sharedSnapshot]
}

func (c *snapshotCache) init(l *Log) {
	c.log = l
	c.workers = make(chan struct{}, runtime.GOMAXPROCS(0))
	c.entries = make(map[snapshotKey]*snapshotEntry)
	c.budget = snapshotBudget
}

// close prevents further renderings and waits for those that run.
func (c *snapshotCache) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.running.Wait()
}

// get returns a snapshot valid at atLeast or later. If it must be rendered first, get returns a job instead, which notifies
// the subscriber when it has a result.
func (c *snapshotCache) get(s *Subscriber, topics quote.Topics, compression Compression, atLeast uint64) (*sharedSnapshot, *snapshotJob) {
	key := snapshotKey{topicGroupKey(s.format, topics), compression}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[key]
	if e == nil {
		e = &snapshotEntry{key: key, format: s.format, topics: topics, compression: compression}
		c.entries[key] = e
	}
	if e.newest != nil && e.newest.at >= atLeast && c.fresh(e.newest) {
		return e.newest, nil
	}
	if n := len(topics.IDs()); n <= fewCompressed || n <= fewSymbols && compression == CompressNone {
		c.mu.Unlock()
		made := c.render(e)
		c.mu.Lock()
		c.keep(e, made)
		return made, nil
	}
	job := e.next
	if e.current != nil && e.current.from >= atLeast {
		job = e.current
	} else if job == nil {
		job = &snapshotJob{entry: e, waiters: make(map[*Subscriber]struct{})}
		e.next = job
		if e.current == nil {
			c.start(e)
		}
	}
	job.waiters[s] = struct{}{}
	return nil, job
}

// forget removes a subscriber from a job.
func (c *snapshotCache) forget(job *snapshotJob, s *Subscriber) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(job.waiters, s)
}

// fresh reports whether a snapshot may still be sent: it is as of the head, or it has many symbols and few ticks follow it.
func (c *snapshotCache) fresh(s *sharedSnapshot) bool {
	head := c.log.head.Load()
	if head == s.at {
		return true
	}
	return s.symbols > fewSymbols && head-s.at <= uint64(s.symbols/8) && s.at+1 >= c.log.oldest(head)
}

// keep makes a snapshot the newest of its entry, until it is too old or the cache exceeds its budget. One of few symbols is only
// shared until the next tick.
func (c *snapshotCache) keep(e *snapshotEntry, made *sharedSnapshot) {
	c.replace(e, made)
	for c.bytes > c.budget {
		oldest := c.oldestBeside(e)
		if oldest == nil {
			break
		}
		c.replace(oldest, nil)
		c.discard(oldest)
	}
	age := snapshotAge
	if made.symbols <= fewSymbols {
		age = snapshotPause
	}
	time.AfterFunc(age, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if e.newest == made {
			c.replace(e, nil)
		}
		c.discard(e)
	})
}

// replace replaces the newest snapshot of an entry, nil for none.
func (c *snapshotCache) replace(e *snapshotEntry, s *sharedSnapshot) {
	if e.newest != nil {
		c.bytes -= e.newest.size
	}
	if s != nil {
		c.bytes += s.size
	}
	e.newest = s
}

// oldestBeside returns the entry with the oldest snapshot beside that of kept, nil if there is none.
func (c *snapshotCache) oldestBeside(kept *snapshotEntry) *snapshotEntry {
	var oldest *snapshotEntry
	for _, e := range c.entries {
		if e != kept && e.newest != nil && (oldest == nil || e.newest.at < oldest.newest.at) {
			oldest = e
		}
	}
	return oldest
}

// discard removes an entry that has no snapshot and no job.
func (c *snapshotCache) discard(e *snapshotEntry) {
	if e.newest == nil && e.current == nil && e.next == nil && c.entries[e.key] == e {
		delete(c.entries, e.key)
	}
}

// start starts the entry's next job.
func (c *snapshotCache) start(e *snapshotEntry) {
	if c.closed {
		return // the log is closed
	}
	pause := snapshotPause - time.Since(e.started)
	c.running.Go(func() {
		if pause > 0 {
			time.Sleep(pause)
		}
		c.workers <- struct{}{}
		defer func() { <-c.workers }()
		c.run(e)
	})
}

// run renders the entry's next job, unless nothing waits for it any more.
func (c *snapshotCache) run(e *snapshotEntry) {
	c.mu.Lock()
	job := e.next
	e.next = nil
	if len(job.waiters) == 0 {
		c.discard(e)
		c.mu.Unlock()
		return
	}
	e.current, e.started = job, time.Now()
	job.from = c.log.head.Load()
	c.mu.Unlock()

	made := c.tryRender(e)

	c.mu.Lock()
	defer c.mu.Unlock()
	e.current = nil
	if made.failed == nil {
		c.keep(e, made)
	}
	job.result.Store(made)
	for s := range job.waiters {
		s.Notify()
	}
	job.waiters = nil
	if e.next != nil {
		c.start(e)
	}
	c.discard(e)
}

// tryRender is render, but returns a panic, which ends the streams that wait for the snapshot instead of the process.
func (c *snapshotCache) tryRender(e *snapshotEntry) (made *sharedSnapshot) {
	defer func() {
		if v := recover(); v != nil {
			made = &sharedSnapshot{failed: Recovered(v)}
		}
	}()
	return c.render(e)
}

// render renders a snapshot as of the head.
func (c *snapshotCache) render(e *snapshotEntry) *sharedSnapshot {
	l, chunk := c.log, c.log.cfg.SnapshotChunk
	snapshot, at := l.headSnapshot(e.topics)
	made := &sharedSnapshot{at: at, symbols: len(e.topics.IDs()), compressed: e.compression != CompressNone}
	for _, part := range snapshot.Split(e.format.Encoding(), chunk) {
		var p snapshotPart
		p.text, p.payload = e.format.Append(nil, part.Message())
		p.bytes = p.text
		made.size += cap(p.text)
		if made.compressed {
			p.bytes = l.appendIndependent(nil, p.text, e.format, true)
			made.size += cap(p.bytes)
		}
		made.parts = append(made.parts, p)
	}
	return made
}
