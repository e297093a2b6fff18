package history

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"ticklane/internal/quote"
)

const (
	trimEvery  = time.Hour
	trimBlocks = 10_000 // at most, in a transaction
	chunk      = 256    // symbols that are copied at a time
)

// run saves what has changed, and deletes what is too old, until quit is closed.
func (v *saved) run(s *Store) {
	defer close(v.done)
	save := time.NewTicker(v.options.saveEvery)
	defer save.Stop()
	var trimmed time.Time
	for {
		select {
		case <-v.quit:
			return
		case <-save.C:
		case <-v.early:
			if v.failing() {
				continue // the next try is the regular one
			}
		}
		err := v.save(s, nil)
		if err == nil && time.Since(trimmed) >= trimEvery {
			trimmed = time.Now()
			err = v.trim(s)
		}
		v.report(err)
	}
}

// wake requests a save before the next is due.
func (v *saved) wake() {
	select {
	case v.early <- struct{}{}:
	default:
	}
}

// AddPaced is Add for ticks that may come faster than real time, such as those of the past: it saves, as often as needed, before
// memory drops bars that aren't saved.
func (s *Store) AddPaced(ticks []quote.Tick) {
	if s.saved == nil {
		s.Add(ticks)
		return
	}
	// Memory is nearly full when half of it isn't saved; the newest bar never is, since it grows.
	for part := range slices.Chunk(ticks, max(1, slices.Min(s.keep[:])/2-1)) {
		s.Add(part)
		s.SaveIfNeeded()
	}
}

// SaveIfNeeded saves if memory would soon drop bars that aren't saved, unless saving fails.
func (s *Store) SaveIfNeeded() {
	if s.saved == nil {
		return
	}
	s.mu.Lock()
	nearlyFull := s.saved.nearlyFull
	s.mu.Unlock()
	if nearlyFull && !s.saved.failing() {
		s.saved.report(s.saved.save(s, nil))
	}
}

// Close saves the bars and, if end isn't nil, the log's position, and closes the file. It must not be called before the last Add
// has returned. Without a file it does nothing.
func (s *Store) Close(end *LogState) error {
	v := s.saved
	if v == nil {
		return nil
	}
	close(v.quit)
	<-v.done
	err := v.save(s, end)
	if err != nil {
		err = fmt.Errorf("save the newest bars in %s: %w", v.path, err)
	}
	return errors.Join(err, v.close())
}

// batch is a part of what has changed.
type batch struct {
	items []item
	bars  []Bar // of all items
}

// item is what has changed of a symbol.
type item struct {
	id      quote.ID
	number  uint32
	bars    [len(spans)][]Bar // that are complete
	open    openBars
	written [len(spans)]int
}

// save saves what has changed in one transaction. If it fails, that remains to be saved.
func (v *saved) save(s *Store, end *LogState) error {
	v.saving.Lock()
	defer v.saving.Unlock()
	var all []item
	lost := 0
	s.mu.Lock()
	complete := quote.Position{Epoch: s.epoch, Seq: s.seq} // symbols are copied later, so they have at least these ticks
	s.mu.Unlock()
	err := v.update(func(c *changes) error {
		for first := 0; first < s.universe.Len(); first += chunk {
			lost += s.collect(first, &v.batch)
			for i := range v.batch.items {
				it := &v.batch.items[i]
				all = append(all, *it)
				if err := c.save(&all[len(all)-1], s.universe); err != nil {
					return err
				}
			}
		}
		if complete.Epoch != 0 {
			if err := c.setComplete(complete); err != nil {
				return err
			}
		}
		if end != nil {
			return c.put(string(positionKey), end.append(nil, s.universe, time.Now()))
		}
		return nil
	})
	s.mu.Lock()
	v.nearlyFull = false // not before: until now, no more may be added than half of memory
	for i := range all {
		x := &s.symbols[all[i].id]
		if err != nil {
			x.dirty = true
			continue
		}
		x.number, x.newest = all[i].number, all[i].open.newest
		for k, n := range all[i].written {
			x.stored[k] = max(0, n-1)
		}
	}
	s.mu.Unlock()
	if err == nil && lost > 0 {
		v.log.Error("bars are missing in the stored history: they came faster than they could be saved, or saving failed for too long", "bars", lost, "file", v.path)
	}
	return err
}

// collect copies what has changed of some symbols. It returns the number of bars that are neither in memory nor stored.
func (s *Store) collect(first int, b *batch) (lost int) {
	b.items, b.bars = b.items[:0], b.bars[:0]
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := first; id < min(first+chunk, s.universe.Len()); id++ {
		x := &s.symbols[id]
		if !x.dirty || x.memoryOnly {
			continue
		}
		x.dirty = false
		it := item{id: quote.ID(id), number: x.number, written: x.written, open: openBars{newest: x.newest, volume: x.volume, taken: x.taken}}
		for k := range spans {
			ring, n := x.bars[k], x.written[k]
			if n == 0 {
				continue
			}
			it.open.bars[k], it.open.has[k] = ring[(n-1)%len(ring)], true
			from := max(x.stored[k], n-len(ring))
			lost += from - x.stored[k]
			start := len(b.bars)
			for i := from; i < n-1; i++ {
				b.bars = append(b.bars, ring[i%len(ring)])
			}
			it.bars[k] = b.bars[start:len(b.bars):len(b.bars)]
		}
		b.items = append(b.items, it)
	}
	return lost
}

// save stores what has changed of a symbol, and sets the number of its series.
func (c *changes) save(it *item, u *quote.Universe) (err error) {
	if it.number == 0 {
		if it.number, err = c.seriesOf(u.Instrument(it.id)); err != nil {
			return err
		}
	}
	for k := range spans {
		if it.open.newest[k], err = c.putBars(it.number, k, it.open.newest[k], it.bars[k]); err != nil {
			return err
		}
	}
	return c.putOpen(it.number, &it.open)
}

// oldestKept returns the start of the oldest bars of an interval that are kept, counted from the newest tick. A tick of the future
// doesn't count.
func (s *Store) oldestKept(i Interval) int64 {
	if s.delayed != nil {
		return s.delayed.live.oldestKept(i)
	}
	if s.saved == nil {
		return Earliest
	}
	s.mu.Lock()
	latest := s.latest
	if latest == Earliest {
		latest = s.saved.last
	}
	s.mu.Unlock()
	return min(latest, time.Now().UnixMicro()) - s.saved.options.Keep[i].Microseconds()
}

// oldestNeeded returns the start of the oldest bars of each length that an interval needs.
func (s *Store) oldestNeeded() (oldest [len(spans)]int64) {
	for k := range spans {
		oldest[k] = Latest
	}
	for _, i := range Intervals() {
		k := base(i)
		oldest[k] = min(oldest[k], s.oldestKept(i))
	}
	return oldest
}

// trim deletes blocks of bars that no interval needs any more.
func (v *saved) trim(s *Store) error {
	oldest := s.oldestNeeded()
	for deleted := trimBlocks; deleted == trimBlocks; {
		err := v.update(func(c *changes) (err error) {
			deleted, err = c.trim(&oldest, trimBlocks)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Failures returns how often bars could not be saved.
func (s *Store) Failures() uint64 {
	if s.saved == nil {
		return 0
	}
	return s.saved.failed.Load()
}

// report counts and reports a failure to save; nil reports its end.
func (v *saved) report(err error) {
	v.saving.Lock()
	defer v.saving.Unlock()
	if err != nil {
		v.failed.Add(1)
	}
	v.failures.report(v.log, v.path, err)
}

// failing reports whether the last save failed.
func (v *saved) failing() bool {
	v.saving.Lock()
	defer v.saving.Unlock()
	return !v.failures.since.IsZero()
}

// failures reports failures to save, the first and then one a minute, and their end.
type failures struct {
	since, reported time.Time
}

func (f *failures) report(log *slog.Logger, path string, err error) {
	now := time.Now()
	switch {
	case err == nil && f.since.IsZero():
	case err == nil:
		log.Info("history is saved again", "file", path, "failing", now.Sub(f.since).Round(time.Second))
		*f = failures{}
	case f.since.IsZero(), now.Sub(f.reported) >= time.Minute:
		if f.since.IsZero() {
			f.since = now
		}
		f.reported = now
		log.Error("history can't be saved; streams go on, and the newest bars are kept in memory meanwhile", "file", path, "err", err)
	}
}
