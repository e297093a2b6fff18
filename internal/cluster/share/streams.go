package share

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Streams counts the open streams of subjects on all nodes. Each node stores its own counts when they change, and follows those of the
// others. A node whose heartbeats end doesn't count any more. Without NATS the last counts of the others stay in use.
type Streams struct {
	o      *Options
	bucket *bucket
	mirror mirror
	id     string // of this process

	mu      sync.Mutex
	own     map[subject]int      // above 0
	dirty   map[subject]struct{} // whose count isn't stored yet
	stored  map[subject]int      // own counts, as they came back from the bucket
	peers   map[string]*peer     // by their id
	reading uint64               // number of the current reading of the bucket
	sweep   time.Time            // when counts of earlier readings are dropped; zero for never
	lastOwn time.Time            // arrival of the own newest heartbeat, which proves that those of others arrive, too
	ignored throttledLog
}

// subject is the hash of a subject's name.
type subject [16]byte

func subjectOf(name string) (s subject) {
	hash := sha256.Sum256([]byte("subject " + name))
	copy(s[:], hash[:])
	return s
}

// peer is another node.
type peer struct {
	seen   time.Time // arrival of its newest heartbeat, or of its first entry
	alive  bool      // it has sent a heartbeat within timing.dead
	counts map[subject]count
}

type count struct {
	n       int
	reading uint64 // in which it was last seen
}

// Bounds of what other nodes can make this one keep.
const (
	maxPeers    = 100
	maxSubjects = 100_000 // of each
	maxCount    = 1_000_000
)

func newStreams(o *Options) *Streams {
	s := &Streams{o: o, id: newID(), own: map[subject]int{}, dirty: map[subject]struct{}{}, stored: map[subject]int{}, peers: map[string]*peer{}}
	s.bucket = newBucket(o, "streams", "Open streams of Ticklane's subjects", jetstream.StreamConfig{
		Storage: jetstream.MemoryStorage, MaxMsgSize: 4 << 10, MaxBytes: 16 << 20,
	})
	s.mirror = mirror{bucket: s.bucket, begin: s.begin, entry: s.entry, complete: s.complete}
	return s
}

// Others returns how many streams of a subject are open on other nodes. It doesn't block.
func (s *Streams) Others(name string) int {
	of := subjectOf(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, p := range s.peers {
		if p.alive {
			n += p.counts[of].n
		}
	}
	return n
}

// Set reports how many streams of a subject are open on this node. It doesn't block.
func (s *Streams) Set(name string, n int) {
	of := subjectOf(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if n > 0 {
		s.own[of] = n
	} else {
		delete(s.own, of)
	}
	s.dirty[of] = struct{}{}
	if n <= 0 && len(s.dirty) > maxSubjects { // NATS is away for long: what the others have expires
		delete(s.dirty, of)
	}
}

// run exchanges counts until ctx is done.
func (s *Streams) run(ctx context.Context) {
	var following sync.WaitGroup
	following.Go(func() { s.mirror.run(ctx) })
	flush, heartbeat, refresh := time.NewTicker(s.o.timing.flush), time.NewTicker(s.o.timing.heartbeat), time.NewTicker(s.o.timing.refresh)
	defer flush.Stop()
	defer heartbeat.Stop()
	defer refresh.Stop()
	s.sendHeartbeat()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-flush.C:
			s.flush()
		case <-heartbeat.C:
			s.reconcile()
			s.sendHeartbeat()
			s.removeDead(time.Now())
		case <-refresh.C:
			s.mu.Lock()
			for of := range s.own {
				s.dirty[of] = struct{}{}
			}
			s.mu.Unlock()
		}
	}
	following.Wait()
	s.send(heartbeatKey(s.id), nil, time.Second) // the others needn't wait for its heartbeat
	_ = s.o.Conn.FlushTimeout(s.o.timing.wait)
}

// maxFlush bounds how many counts are stored at once.
const maxFlush = 5000

// flush stores the counts that have changed.
func (s *Streams) flush() {
	s.mu.Lock()
	counts := make(map[subject]int, min(len(s.dirty), maxFlush))
	for of := range s.dirty {
		if len(counts) == maxFlush {
			break
		}
		counts[of] = s.own[of]
	}
	s.mu.Unlock()
	for of, n := range counts {
		ttl := 2 * s.o.timing.refresh
		if n == 0 {
			ttl = s.o.timing.dead
		}
		if !s.send(countKey(s.id, of), strconv.AppendInt(nil, int64(n), 10), ttl) {
			return
		}
		s.mu.Lock()
		if s.own[of] == n {
			delete(s.dirty, of)
		}
		s.mu.Unlock()
	}
}

// send stores a value that expires, without waiting for the answer. It reports whether there is a connection.
func (s *Streams) send(key string, value []byte, ttl time.Duration) bool {
	m := nats.NewMsg(s.bucket.subject(key))
	m.Data = value
	m.Header.Set(jetstream.MsgTTLHeader, wholeSeconds(ttl).String())
	return s.o.Conn.PublishMsg(m) == nil
}

// reconcile stores counts again that haven't come back.
func (s *Streams) reconcile() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for of, n := range s.own {
		if s.stored[of] != n {
			s.dirty[of] = struct{}{}
		}
	}
	for of := range s.stored {
		if s.own[of] == 0 {
			s.dirty[of] = struct{}{}
		}
	}
}

// heartbeat is the value by which a node shows that it runs.
type heartbeat struct {
	Name string `json:"name"`
}

func (s *Streams) sendHeartbeat() {
	value, err := json.Marshal(heartbeat{s.o.Node})
	if err != nil {
		s.o.Logger.Error("heartbeat not sent", "err", err)
		return
	}
	s.send(heartbeatKey(s.id), value, s.o.timing.dead)
}
