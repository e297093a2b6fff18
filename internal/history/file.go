package history

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// file is the file of a Store: a B+tree in which every change is a transaction (docs/adr/0019). Its buckets:
//
//	meta   format, feed, after an orderly end the log's position, and of a log that is followed the one up to which the bars are complete
//	series a symbol's number and decimals
//	open   for each number the newest bar of each length, and where the blocks begin
//	bars   the bars before those, in blocks, by length, number and start
//
// Values have a checksum. Any number of goroutines may read, one writes.
type file struct {
	db   *bolt.DB
	path string
}

const (
	fileName   = "history.db"
	fileFormat = "1"
	// followedFormat is that of a file that has which ticks are in its bars. Earlier versions can't read it.
	followedFormat = "2"
	lockTimeout    = 2 * time.Second // a process that is ending may still have the lock
)

var (
	metaBucket   = []byte("meta")
	seriesBucket = []byte("series")
	openBucket   = []byte("open")
	barsBucket   = []byte("bars")
)

// ErrRead is the error of stored bars that can't be read.
var ErrRead = errors.New("stored bars can't be read")

// openFile opens the file in a directory and creates both if they are missing. An error that wraps errDamaged means that the file
// is none that a Store has written, or has been changed since.
func openFile(dir string, timeout time.Duration) (*file, error) {
	f := &file{path: filepath.Join(dir, fileName)}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, explained(err)
	}
	err := guard(func() (err error) {
		f.db, err = bolt.Open(f.path, 0o600, &bolt.Options{Timeout: timeout, FreelistType: bolt.FreelistMapType})
		return err
	})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("%s is in use by another process: stop that, or choose another directory", f.path)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum):
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	case err != nil:
		return nil, explained(err)
	}
	if err := f.check(); err != nil {
		_ = f.db.Close()
		return nil, err
	}
	return f, nil
}

// check compares the size of the file with the one that it had, its format with ours, and the numbers of records.
func (f *file) check() error {
	return f.view(func(tx *bolt.Tx) error {
		info, err := os.Stat(f.path)
		if err != nil {
			return err
		}
		if info.Size() < tx.Size() {
			return fmt.Errorf("%w: %d bytes of %d are left", errDamaged, info.Size(), tx.Size())
		}
		c := contents(tx)
		if c.meta == nil && tx.Size() <= newPages*int64(f.db.Info().PageSize) {
			return nil
		}
		if c.meta == nil || c.series == nil || c.open == nil || c.bars == nil {
			return fmt.Errorf("%w: a bucket is missing", errDamaged)
		}
		format, err := c.get("format")
		if err == nil && format == nil {
			err = fmt.Errorf("%w: no format", errDamaged)
		}
		if err == nil && string(format) != fileFormat && string(format) != followedFormat {
			return fmt.Errorf("%s has format %q of another version of Ticklane: use that version, or choose another directory", f.path, format)
		}
		if want, n, open := int(c.series.Sequence()), count(c.series), count(c.open); err == nil && (n != want || open != want) {
			return fmt.Errorf("%w: %d and %d records of %d symbols", errDamaged, n, open, want)
		}
		return err
	})
}

// newPages is the number of pages of a new file.
const newPages = 4

func count(b *bolt.Bucket) (n int) {
	c := b.Cursor()
	for key, _ := c.First(); key != nil; key, _ = c.Next() {
		n++
	}
	return n
}

// isNew reports whether nothing has been stored in the file.
func (f *file) isNew() bool {
	missing := false
	err := f.view(func(tx *bolt.Tx) error {
		missing = tx.Bucket(metaBucket) == nil
		return nil
	})
	return err == nil && missing
}

// view calls a function in a transaction that reads.
func (f *file) view(use func(*bolt.Tx) error) error {
	return guard(func() error { return f.db.View(use) })
}

func (f *file) close() error { return f.db.Close() }

// read returns the newest n bars of a symbol that start in a range of times, the oldest first.
func (f *file) read(series uint32, k int, from, before int64, n int) ([]Bar, error) {
	if series == 0 || n < 1 || from >= before {
		return nil, nil
	}
	var parts [][]Bar // the newest first
	err := f.view(func(tx *bolt.Tx) error {
		c := contents(tx)
		newest, err := c.blockBefore(series, k, before)
		if err != nil {
			return err
		}
		count := 0
		return c.walk(series, k, newest, from, func(x *block) (more bool, err error) {
			bars := inRange(x.bars, from, before)
			bars = bars[max(0, len(bars)-(n-count)):]
			parts, count = append(parts, bars), count+len(bars)
			return count < n, nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrRead, f.path, err)
	}
	slices.Reverse(parts)
	return slices.Concat(parts...), nil
}

// blockBefore returns the start of a block that has, or is after, the newest bars before a time; none if there are no blocks.
func (c *changes) blockBefore(series uint32, k int, before int64) (int64, error) {
	last := blockKey(k, series, before-1)
	after, value := c.bars.Cursor().Seek(append(last, 0))
	switch {
	case after != nil && string(after) <= string(last):
		return none, fmt.Errorf("the tree isn't in order: %w", errDamaged)
	case bytes.HasPrefix(after, seriesKey(k, series)):
		x, err := blockAt(after, value)
		if err != nil {
			return none, err
		}
		return x.before, nil
	}
	o, err := c.openOf(series)
	if err != nil {
		return none, err
	}
	return o.newest[k], nil
}

// walk visits blocks of a series from one on back, until visit returns false or the blocks are older than a time.
func (c *changes) walk(series uint32, k int, start, oldest int64, visit func(*block) (more bool, err error)) error {
	oldest = window(max(-maxTime, oldest), k)
	for start != none && start >= oldest {
		key := blockKey(k, series, start)
		value := c.bars.Get(key)
		if value == nil {
			trimmed, err := c.trimmed()
			if err == nil && start+windowLength(k) > trimmed[k] {
				err = fmt.Errorf("block %x is missing: %w", key, errDamaged)
			}
			return err
		}
		x, err := blockAt(key, value)
		if err != nil {
			return err
		}
		more, err := visit(x)
		if err != nil || !more {
			return err
		}
		if x.before >= start {
			return fmt.Errorf("block %x: %w", key, errDamaged)
		}
		start = x.before
	}
	return nil
}

// openOf returns the newest bars of a series.
func (c *changes) openOf(series uint32) (*openBars, error) {
	key := numberKey(series)
	b, err := checked(key, c.open.Get(key))
	if err != nil {
		return nil, fmt.Errorf("newest bars of series %d: %w", series, err)
	}
	return parseOpen(b)
}

// inRange returns the bars that start at from or later and before another time.
func inRange(bars []Bar, from, before int64) []Bar {
	at := func(t int64) int {
		i, _ := slices.BinarySearchFunc(bars, t, func(b Bar, t int64) int { return compare(b.T, t) })
		return i
	}
	return bars[at(from):max(at(from), at(before))]
}

func compare(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

const keyBytes = 1 + 4 + 8

// seriesKey returns the first bytes of the keys of a series' blocks.
func seriesKey(k int, series uint32) []byte {
	return binary.BigEndian.AppendUint32(append(make([]byte, 0, keyBytes+1), byte(k)), series)
}

// blockKey returns the key of the block that has the bars at t. Keys are ordered by length, series and time.
func blockKey(k int, series uint32, t int64) []byte {
	return binary.BigEndian.AppendUint64(seriesKey(k, series), uint64(window(max(-maxTime, min(t, maxTime)), k))^1<<63)
}

// maxTime bounds the times of stored bars, in µs: some 73,000 years.
const maxTime = 1 << 61

// blockAt parses a key and its block.
func blockAt(key, value []byte) (*block, error) {
	if len(key) != keyBytes || int(key[0]) >= len(spans) {
		return nil, fmt.Errorf("key %x: %w", key, errDamaged)
	}
	b, err := checked(key, value)
	if err != nil {
		return nil, fmt.Errorf("block %x: %w", key, err)
	}
	x, err := parseBlock(startOf(key), int(key[0]), b)
	if err != nil {
		return nil, fmt.Errorf("block %x: %w", key, err)
	}
	return x, nil
}

// startOf returns the start of the window of a block's key.
func startOf(key []byte) int64 { return int64(binary.BigEndian.Uint64(key[5:]) ^ 1<<63) }

// guard calls a function that uses the file. It returns an error that wraps errDamaged where bbolt panics: it does that when pages
// contradict each other, and the file's memory is gone when another program has truncated it.
func guard(use func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errDamaged, r)
		}
	}()
	return use()
}

// explained adds to an error of the file system what the user can do.
func explained(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: choose a directory that this user may write to", err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: free space, or choose another directory", err)
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: choose a directory", err)
	}
	return err
}
