package history

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"

	"ticklane/internal/quote"
)

// Options configure a Store with a file. Dir, Feed and Keep are required.
type Options struct {
	Universe *quote.Universe
	Dir      string                     // is created if it is missing
	Feed     string                     // the source of the ticks: a file has bars of one source
	Keep     map[Interval]time.Duration // how long bars of each interval are kept
	Logger   *slog.Logger

	saveEvery   time.Duration // 0: saveInterval
	lockTimeout time.Duration // 0: lockTimeout
	noSync      bool          // doesn't wait for the disk, in tests
}

// saveInterval is a little less than the second that may be lost when the process is killed.
const saveInterval = 800 * time.Millisecond

// saved is what a Store with a file has besides.
type saved struct {
	*file
	options  Options
	log      *slog.Logger
	restored bool           // bars were loaded; guarded by Store.mu, as last is
	last     int64          // start of the newest that were loaded
	previous *LogState      // at an orderly end, nil after any other
	complete quote.Position // as the process before stored it; see Follow

	quit, done chan struct{}
	early      chan struct{} // requests a save
	nearlyFull bool          // memory will soon drop bars that aren't saved; guarded by Store.mu
	saving     sync.Mutex
	batch      batch
	failures   failures
	failed     atomic.Uint64
}

// Open returns a store whose bars are kept in a file: those that it has are loaded, and changes are saved every second. A file
// that is damaged is renamed, reported in the log, and replaced by a new one. An error says what the user can do. Close ends it.
func Open(o Options) (*Store, error) {
	s, err := New(o.Universe, DefaultKeep)
	if err != nil {
		return nil, err
	}
	o.saveEvery = cmp.Or(o.saveEvery, saveInterval)
	o.lockTimeout = cmp.Or(o.lockTimeout, lockTimeout)
	v := &saved{options: o, log: o.Logger, quit: make(chan struct{}), done: make(chan struct{}), early: make(chan struct{}, 1)}
	err = v.open(s)
	if errors.Is(err, errDamaged) {
		path := filepath.Join(o.Dir, fileName)
		aside := fmt.Sprintf("%s.damaged-%s", path, time.Now().UTC().Format("20060102T150405.000"))
		if moved := os.Rename(path, aside); moved != nil {
			return nil, fmt.Errorf("%w; move it away: %w", err, explained(moved))
		}
		v.log.Error("stored history is damaged; it was renamed and a new one begins: put a copy in its place, or delete it", "file", path, "renamed", aside, "err", err)
		if s, err = New(o.Universe, DefaultKeep); err == nil {
			err = v.open(s)
		}
	}
	if err != nil {
		return nil, err
	}
	if ahead := time.Until(time.UnixMicro(v.last)); ahead > maxAhead {
		v.log.Error("stored bars are of the future, and symbols that have one get no new bars before its time: was the clock wrong? move the file away to begin a new one",
			"newest", time.UnixMicro(v.last).UTC(), "file", v.path)
	}
	go v.run(s)
	return s, nil
}

// maxAhead is how far a feed's clock may be ahead of this one.
const maxAhead = 10 * time.Minute

// open opens the file and loads the bars of the universe.
func (v *saved) open(s *Store) error {
	f, err := openFile(v.options.Dir, v.options.lockTimeout)
	if err != nil {
		return err
	}
	f.db.NoSync = v.options.noSync
	v.file, v.restored, v.last, v.previous = f, false, 0, nil
	v.complete = quote.Position{}
	s.saved = v
	err = v.begin(s.universe)
	for id := range quote.ID(s.universe.Len()) {
		if err != nil {
			break
		}
		s.allocate(&s.symbols[id])
		err = v.loadSymbol(&s.symbols[id], s.universe.Instrument(id))
	}
	if err != nil {
		_ = f.close()
		return err
	}
	if p := v.previous; p != nil {
		s.seq = p.Seq
	}
	return nil
}

// begin checks whose bars the file has, and takes the log's position out of it: it is valid for the next log only.
func (v *saved) begin(u *quote.Universe) error {
	var other string
	var previous *LogState
	var complete quote.Position
	err := v.update(func(c *changes) error {
		feed, err := c.get("feed")
		if err != nil {
			return err
		}
		if other = string(feed); other != "" && other != v.options.Feed {
			return nil
		}
		if previous, err = c.position(u, time.Now()); err != nil {
			return err
		}
		if complete, err = c.complete(); err != nil {
			return err
		}
		return errors.Join(c.setFormat(), c.put("feed", []byte(v.options.Feed)), c.meta.Delete(positionKey))
	})
	switch {
	case other != "" && other != v.options.Feed:
		return fmt.Errorf("%s has bars of feed.source %s, which must not be mixed with those of %s: choose another directory", v.path, other, v.options.Feed)
	case errors.Is(err, errDamaged):
		return err
	case err != nil && v.isNew():
		return fmt.Errorf("write %s: %w", v.path, err)
	case err != nil: // the position stays, for a log that doesn't continue it
		v.report(err)
		return nil
	}
	v.previous, v.complete = previous, complete
	return nil
}

// setFormat sets the format of a new file.
func (c *changes) setFormat() error {
	if format, err := c.get("format"); err != nil || format != nil {
		return err
	}
	return c.put("format", []byte(fileFormat))
}

// load loads the bars of a symbol that came later. If that fails, the symbol isn't stored.
func (v *saved) load(x *symbol, in *quote.Instrument) {
	if err := v.loadSymbol(x, in); err != nil {
		x.memoryOnly = true
		v.log.Error("stored bars of a symbol can't be read; it is in memory only", "symbol", in.Symbol, "file", v.path, "err", err)
	}
}

func (v *saved) loadSymbol(x *symbol, in *quote.Instrument) error {
	n := [len(spans)]int{}
	for k := range spans {
		n[k] = len(x.bars[k]) - 1
	}
	l, err := v.loadSeries(in, n)
	if errors.Is(err, errDecimals) {
		x.memoryOnly = true
		v.log.Error("the symbol's bars are in memory only: its stored bars have more decimals; give it those again, or choose another data.dir",
			"symbol", in.Symbol, "file", v.path)
		return nil
	}
	if err != nil || l == nil {
		return err
	}
	x.number, x.volume, x.newest, x.taken = l.number, l.volume, l.newest, l.taken
	for k := range spans {
		for _, b := range l.before[k] {
			x.push(k, b)
		}
		x.stored[k] = x.written[k]
		if l.has[k] {
			x.push(k, l.bars[k])
			v.restored, v.last = true, max(v.last, l.bars[k].T)
		}
	}
	if n := x.written[days]; n > 0 {
		x.dayEnd = in.Session.Day(x.bars[days][(n-1)%len(x.bars[days])].T).End
	}
	return nil
}

// Restored reports whether the store has bars of an earlier process, and the start of the newest in µs since 1970.
func (s *Store) Restored() (newest int64, ok bool) {
	if s.saved == nil {
		return 0, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.saved.last, s.saved.restored
}

// loadedSeries is what memory gets of a series.
type loadedSeries struct {
	*openBars
	number uint32
	before [len(spans)][]Bar // before the open ones
}

// loadSeries returns the newest bars of an instrument, n of each length and the open one; nil if there are none.
func (f *file) loadSeries(in *quote.Instrument, n [len(spans)]int) (*loadedSeries, error) {
	stored, err := f.seriesOf(in.Symbol)
	if err != nil || stored.number == 0 {
		return nil, err
	}
	if stored.decimals != in.Decimals || stored.sizeDecimals != in.SizeDecimals {
		if err := f.update(func(c *changes) error { _, err := c.seriesOf(in); return err }); err != nil {
			return nil, err
		}
	}
	l := &loadedSeries{number: stored.number}
	err = f.view(func(tx *bolt.Tx) (err error) {
		l.openBars, err = contents(tx).openOf(stored.number)
		return err
	})
	for k := range spans {
		if err == nil && l.has[k] {
			l.before[k], err = f.read(stored.number, k, Earliest, l.bars[k].T, n[k])
		}
	}
	return l, err
}
