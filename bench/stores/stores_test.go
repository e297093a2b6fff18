// Package stores compares embedded stores for the bars of internal/history: what they cost to write each second, and to read a
// month. It is a separate module, so that nothing else depends on the stores that weren't chosen (docs/adr/0019).
//
//	go test -bench . -benchtime 60x
package stores

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble"
	bolt "go.etcd.io/bbolt"
	_ "modernc.org/sqlite"
)

// store is what the bars need: transactions that are on disk when they return, and ranges of ordered keys.
type store interface {
	update(change func(tx)) error
	scan(first, last []byte, visit func(value []byte)) error // both included
	Close() error
}

type tx interface {
	get(key []byte) []byte
	put(key, value []byte)
}

var stores = []struct {
	name string
	open func(dir string) (store, error)
}{{"bbolt", openBolt}, {"pebble", openPebble}, {"sqlite", openSQLite}}

// The layout of internal/history: for each symbol a record of its newest bars, and blocks of 128 bars of each length.
const (
	symbols    = 5000
	rate       = 5000 // ticks/s
	blockBars  = 128
	openBytes  = 90
	barBytes   = 10
	month      = 30 * 24 * 60 // bars of a minute
	monthOf    = 500          // symbols
	newestKind = 'o'
)

var spans = []int64{10, 60, 900, 86_400} // s

func key(kind byte, span byte, symbol uint32, start int64) []byte {
	k := binary.BigEndian.AppendUint32([]byte{kind, span}, symbol)
	return binary.BigEndian.AppendUint64(k, uint64(start))
}

// BenchmarkSecond stores what a second of 5,000 ticks over 5,000 symbols changes.
func BenchmarkSecond(b *testing.B) {
	for _, s := range stores {
		b.Run(s.name, func(b *testing.B) {
			db, dir := opened(b, s.open)
			r := rand.New(rand.NewPCG(1, 2))
			newest := make([][4]int64, symbols) // the interval of the newest bar of each length
			record, bar := make([]byte, openBytes), make([]byte, barBytes)
			now, second := int64(1_800_000_000), 0
			written, cpu := ioBytes(b), cpuTime()
			var longest time.Duration
			for b.Loop() {
				began := time.Now()
				err := db.update(func(t tx) {
					touched := map[uint32]bool{}
					for range rate {
						touched[r.Uint32N(symbols)] = true
					}
					for symbol := range touched {
						for k, span := range spans {
							at := now / span
							if before := newest[symbol][k]; before != 0 && before != at { // a bar is complete
								block := key('b', byte(k), symbol, before/blockBars)
								random(r, bar)
								t.put(block, append(bytes.Clone(t.get(block)), bar...))
							}
							newest[symbol][k] = at
						}
						random(r, record)
						t.put(key(newestKind, 0, symbol, 0), record)
					}
				})
				if err != nil {
					b.Fatal(err)
				}
				longest = max(longest, time.Since(began))
				now, second = now+1, second+1
			}
			b.ReportMetric(float64((cpuTime()-cpu).Microseconds())/1000/float64(second), "cpu-ms/op")
			b.ReportMetric(float64(longest.Microseconds())/1000, "longest-ms")
			if err := db.Close(); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(ioBytes(b)-written)/1e6/float64(second), "MB-written/op")
			b.ReportMetric(float64(size(b, dir))/1e6, "MB-on-disk")
		})
	}
}

// BenchmarkMonth reads the blocks of 30 days of a symbol's 1m bars, among 500 symbols.
func BenchmarkMonth(b *testing.B) {
	for _, s := range stores {
		b.Run(s.name, func(b *testing.B) {
			db, dir := opened(b, s.open)
			r := rand.New(rand.NewPCG(1, 2))
			block := make([]byte, blockBars*barBytes)
			const blocks = month/blockBars + 1
			for first := 0; first < blocks; first += 10 { // in the order of time, as they come
				if err := db.update(func(t tx) {
					for symbol := range uint32(monthOf) {
						for i := first; i < min(first+10, blocks); i++ {
							random(r, block)
							t.put(key('b', 1, symbol, int64(i)), block)
						}
					}
				}); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				symbol, n := r.Uint32N(monthOf), 0
				if err := db.scan(key('b', 1, symbol, 0), key('b', 1, symbol, blocks), func(value []byte) { n += len(value) }); err != nil {
					b.Fatal(err)
				}
				if n != blocks*len(block) {
					b.Fatalf("%d bytes", n)
				}
			}
			if err := db.Close(); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(size(b, dir))/1e6, "MB-on-disk")
		})
	}
}

func random(r *rand.Rand, b []byte) {
	for i := range b {
		b[i] = byte(r.Uint32())
	}
}

func opened(b *testing.B, open func(string) (store, error)) (store, string) {
	dir := b.TempDir()
	db, err := open(dir)
	if err != nil {
		b.Fatal(err)
	}
	return db, dir
}

func size(b *testing.B, dir string) (n int64) {
	if err := filepath.Walk(dir, func(_ string, f os.FileInfo, err error) error {
		if err == nil && !f.IsDir() {
			n += f.Size()
		}
		return err
	}); err != nil {
		b.Fatal(err)
	}
	return n
}

// ioBytes returns the bytes that the process has written, 0 where the kernel doesn't count them.
func ioBytes(b *testing.B) (n int64) {
	text, _ := os.ReadFile("/proc/self/io")
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "wchar: "); ok {
			for _, c := range strings.TrimSpace(rest) {
				n = n*10 + int64(c-'0')
			}
		}
	}
	return n
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// bbolt

type boltStore struct{ *bolt.DB }

var bucket = []byte("b")

func openBolt(dir string) (store, error) {
	db, err := bolt.Open(filepath.Join(dir, "db"), 0o600, &bolt.Options{FreelistType: bolt.FreelistMapType})
	return boltStore{db}, err
}

type boltTx struct{ *bolt.Bucket }

func (t boltTx) get(key []byte) []byte { return t.Get(key) }
func (t boltTx) put(key, value []byte) { _ = t.Put(key, bytes.Clone(value)) }

func (s boltStore) update(change func(tx)) error {
	return s.Update(func(t *bolt.Tx) error {
		b, err := t.CreateBucketIfNotExists(bucket)
		if err == nil {
			change(boltTx{b})
		}
		return err
	})
}

func (s boltStore) scan(first, last []byte, visit func([]byte)) error {
	return s.View(func(t *bolt.Tx) error {
		c := t.Bucket(bucket).Cursor()
		for k, v := c.Seek(first); k != nil && bytes.Compare(k, last) <= 0; k, v = c.Next() {
			visit(v)
		}
		return nil
	})
}

// Pebble

type pebbleStore struct{ *pebble.DB }

func openPebble(dir string) (store, error) {
	db, err := pebble.Open(dir, &pebble.Options{Logger: quiet{}})
	return pebbleStore{db}, err
}

type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) { panic("fatal") }

type pebbleTx struct{ *pebble.Batch }

func (t pebbleTx) get(key []byte) []byte {
	value, closer, err := t.Get(key)
	if err != nil {
		return nil
	}
	defer closer.Close()
	return bytes.Clone(value)
}

func (t pebbleTx) put(key, value []byte) { _ = t.Set(key, value, nil) }

func (s pebbleStore) update(change func(tx)) error {
	b := s.NewIndexedBatch()
	change(pebbleTx{b})
	return b.Commit(pebble.Sync)
}

func (s pebbleStore) scan(first, last []byte, visit func([]byte)) error {
	it, err := s.NewIter(&pebble.IterOptions{LowerBound: first, UpperBound: append(bytes.Clone(last), 0)})
	if err != nil {
		return err
	}
	for it.First(); it.Valid(); it.Next() {
		visit(it.Value())
	}
	return it.Close()
}

// SQLite

type sqliteStore struct{ *sql.DB }

func openSQLite(dir string) (store, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "db")+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=locking_mode(exclusive)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.Exec("CREATE TABLE b (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID")
	return sqliteStore{db}, err
}

type sqliteTx struct{ read, write *sql.Stmt }

func (t sqliteTx) get(key []byte) (value []byte) {
	_ = t.read.QueryRow(key).Scan(&value)
	return value
}

func (t sqliteTx) put(key, value []byte) { _, _ = t.write.Exec(key, value) }

func (s sqliteStore) update(change func(tx)) error {
	t, err := s.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = t.Rollback() }()
	read, err := t.Prepare("SELECT v FROM b WHERE k = ?")
	if err != nil {
		return err
	}
	write, err := t.Prepare("INSERT INTO b VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET v = excluded.v")
	if err != nil {
		return err
	}
	change(sqliteTx{read, write})
	return t.Commit()
}

func (s sqliteStore) scan(first, last []byte, visit func([]byte)) error {
	rows, err := s.Query("SELECT v FROM b WHERE k BETWEEN ? AND ? ORDER BY k", first, last)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var value sql.RawBytes
		if err := rows.Scan(&value); err != nil {
			return err
		}
		visit(value)
	}
	return rows.Err()
}
