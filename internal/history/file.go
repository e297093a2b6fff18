package history

import (
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
//	meta   format, feed, and after an orderly end the log's position
//	series a symbol's number and decimals
//	open   for each number the newest bar of each length
//	bars   the bars before those, in blocks, by length, number and start
//
// Values have a checksum. Any number of goroutines may read, one writes.
type file struct {
	db   *bolt.DB
	path string
}

const (
	fileName    = "history.db"
	fileFormat  = "1"
	lockTimeout = 2 * time.Second // a process that is ending may still have the lock
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

// check compares the size of the file with the one that it had, and its format with ours.
func (f *file) check() error {
	return f.view(func(tx *bolt.Tx) error {
		info, err := os.Stat(f.path)
		if err != nil {
			return err
		}
		if info.Size() < tx.Size() {
			return fmt.Errorf("%w: %d bytes of %d are left", errDamaged, info.Size(), tx.Size())
		}
		meta := tx.Bucket(metaBucket)
		if meta == nil { // a new file
			return nil
		}
		format, err := unsealed(meta.Get([]byte("format")))
		if err == nil && string(format) != fileFormat {
			return fmt.Errorf("%s has format %q of another version of Ticklane: use that version, or choose another directory", f.path, format)
		}
		return err
	})
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
	var blocks [][]Bar // the newest first
	count := 0
	err := f.view(func(tx *bolt.Tx) error {
		c := tx.Bucket(barsBucket).Cursor()
		first, last := blockKey(k, series, from), blockKey(k, series, before-1)
		key, value := c.Seek(last)
		switch {
		case key == nil:
			key, value = c.Last()
		case string(key) > string(last):
			key, value = c.Prev()
		}
		for ; key != nil && string(key) >= string(first) && count < n; key, value = c.Prev() {
			bars, err := blockAt(key, value)
			if err != nil {
				return err
			}
			bars = inRange(bars, from, before)
			bars = bars[max(0, len(bars)-(n-count)):]
			blocks, count = append(blocks, bars), count+len(bars)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrRead, f.path, err)
	}
	slices.Reverse(blocks)
	return slices.Concat(blocks...), nil
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

// blockKey returns the key of the block that has the bars at t. Keys are ordered by length, series and time.
func blockKey(k int, series uint32, t int64) []byte {
	key := make([]byte, 0, keyBytes)
	key = append(key, byte(k))
	key = binary.BigEndian.AppendUint32(key, series)
	return binary.BigEndian.AppendUint64(key, uint64(window(max(-maxTime, min(t, maxTime)), spans[k]))^1<<63)
}

// maxTime bounds the times of stored bars, in µs: some 73,000 years.
const maxTime = 1 << 61

// blockAt parses a key and its block.
func blockAt(key, value []byte) ([]Bar, error) {
	if len(key) != keyBytes || int(key[0]) >= len(spans) {
		return nil, fmt.Errorf("key %x: %w", key, errDamaged)
	}
	b, err := unsealed(value)
	if err != nil {
		return nil, fmt.Errorf("block %x: %w", key, err)
	}
	bars, err := parseBlock(make([]Bar, 0, blockBars), startOf(key), b)
	if err != nil {
		return nil, fmt.Errorf("block %x: %w", key, err)
	}
	return bars, nil
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
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%w: choose a directory", err)
	}
	return err
}
