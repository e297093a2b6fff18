package stream

import (
	"sync"
	"sync/atomic"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// growthPause is the minimum time between two reports of a universe's growth. A feed may add its symbols one by one.
const growthPause = 100 * time.Millisecond

// feedStatus is what streams report about the feed, besides its ticks.
type feedStatus struct {
	symbols atomic.Int64 // of the universe, as of the last report
	stale   atomic.Int64 // since when the feed is stale, µs since 1970; 0 if it isn't

	mu       sync.Mutex // guards the fields below
	closed   bool
	reported time.Time
	timer    *time.Timer // of a report; nil for none
}

// close prevents further reports of growth.
func (f *feedStatus) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	if f.timer != nil {
		f.timer.Stop()
	}
}

// UniverseGrown makes every stream report that there are more symbols, soon. Streams whose topics cover the new ones get their ticks
// anyway, from the first on.
func (l *Log) UniverseGrown() {
	f := &l.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.timer != nil || f.closed {
		return
	}
	f.timer = time.AfterFunc(max(0, growthPause-time.Since(f.reported)), func() {
		f.mu.Lock()
		f.timer, f.reported = nil, time.Now()
		f.mu.Unlock()
		f.symbols.Store(int64(l.cfg.Universe.Len()))
		l.notifyAll()
	})
}

// FeedStale makes every stream, also those that are opened later, report that the feed has had no tick since a time. The zero time
// means that ticks come again.
func (l *Log) FeedStale(since time.Time) {
	l.feed.stale.Store(quote.Micros(since))
	l.notifyAll()
}

func (l *Log) notifyAll() {
	for _, s := range l.Subscribers() { // without the registry's lock, because Notify may wait for others
		s.Notify()
	}
}

// reportFeed enqueues what has changed about the feed since the last call.
func (s *Subscriber) reportFeed(now time.Time) {
	f := &s.log.feed
	if n := f.symbols.Load(); n != s.symbols {
		s.symbols = n
		s.joinNewSymbols()
		if visible := s.visibleSymbols(n); visible != s.visible {
			s.visible = visible
			s.enqueue(now, wire.FeedGrown(int(visible), now))
		}
	}
	if stale := f.stale.Load(); stale != s.stale {
		s.stale = stale
		if stale == 0 {
			s.enqueue(now, wire.FeedLive(now))
		} else {
			s.enqueue(now, wire.FeedStale(time.UnixMicro(stale), now))
		}
	}
}

// visibleSymbols returns how many of the universe's symbols the client may read; all is their number.
func (s *Subscriber) visibleSymbols(all int64) int64 {
	if s.rights().ReadsAll() {
		return all
	}
	return int64(len(s.rights().Readables(s.log.cfg.Universe).IDs()))
}

// joinNewSymbols makes the ticks of symbols that its topics have got notify the subscriber.
func (s *Subscriber) joinNewSymbols() {
	s.cursor.grow()
	if s.topics.Every() {
		return // any tick notifies it
	}
	s.group.join(s, s.topics)
	s.changeTopicGroup()
}
