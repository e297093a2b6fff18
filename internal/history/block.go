package history

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	bolt "go.etcd.io/bbolt"

	"ticklane/internal/quote"
)

// Bars are stored in blocks. A block has the bars of a symbol and a length that start in a window of blockBars lengths; windows
// start at multiples of that. Its bytes are a CRC-32, as a varint the number of windows back to the block before it, 0 for none, and for
// each bar, as varints: seconds since the bar before or the start of the window, the open minus the close before, high, low and
// close minus the open, and the volume. A bar takes some 10 bytes.
//
// Each block refers to the one before it, and the record of the open bars to the newest, so that a missing block is noticed.
const blockBars = 128

// errDamaged is the error of bytes that no Store has written.
var errDamaged = errors.New("damaged")

// none is the start of a block that doesn't exist.
const none = math.MinInt64

func windowLength(k int) int64 { return blockBars * spans[k] }

// window returns the start of the block that has the bars of length spans[k] at t.
func window(t int64, k int) int64 { return floorDiv(t, windowLength(k)) * windowLength(k) }

// block is a parsed block.
type block struct {
	start  int64 // of its window
	before int64 // the start of the block before it, or none
	bars   []Bar
}

// appendBlock appends a block of bars of length spans[k], without the checksum. Times of bars are whole seconds.
func appendBlock(b []byte, k int, x *block) []byte {
	back := int64(0)
	if x.before != none {
		back = (x.start - x.before) / windowLength(k)
	}
	b = binary.AppendVarint(b, back)
	at, close := x.start, quote.Price(0)
	for i := range x.bars {
		bar := &x.bars[i]
		b = binary.AppendVarint(b, (bar.T-at)/1e6)
		b = appendPrices(b, bar, close)
		at, close = bar.T, bar.C
	}
	return b
}

// parseBlock parses a block without its checksum.
func parseBlock(start int64, k int, b []byte) (*block, error) {
	r := reader{rest: b}
	x := &block{start: start, before: none, bars: make([]Bar, 0, blockBars)}
	if back := r.times(windowLength(k)); back != 0 {
		x.before = start - back
		r.failed = r.failed || back < 0
	}
	at, close := start, quote.Price(0)
	for len(r.rest) > 0 && !r.failed {
		bar := Bar{T: at + r.times(1e6)}
		r.failed = r.failed || bar.T < at || bar.T == at && len(x.bars) > 0 || bar.T >= start+windowLength(k)
		r.prices(&bar, close)
		x.bars = append(x.bars, bar)
		at, close = bar.T, bar.C
	}
	if r.failed {
		return nil, errDamaged
	}
	return x, nil
}

func appendPrices(b []byte, bar *Bar, close quote.Price) []byte {
	b = binary.AppendVarint(b, int64(bar.O-close))
	b = binary.AppendVarint(b, int64(bar.H-bar.O))
	b = binary.AppendVarint(b, int64(bar.L-bar.O))
	b = binary.AppendVarint(b, int64(bar.C-bar.O))
	return binary.AppendVarint(b, int64(bar.V))
}

// openBars are the newest bars of a symbol.
type openBars struct {
	bars   [len(spans)]Bar
	has    [len(spans)]bool
	newest [len(spans)]int64 // the start of the newest block of each length, or none
	volume volumeDay
	taken  taken
}

// append appends the bars without a checksum: the day's volume, and for each length a flag, the bar and its start, and a flag and the
// start of the newest block; in the end which ticks they have, if that is known.
func (o *openBars) append(b []byte) []byte {
	b = appendFlag(b, o.volume.seen)
	b = binary.AppendVarint(b, int64(o.volume.number))
	b = binary.AppendVarint(b, int64(o.volume.volume))
	for k := range spans {
		if b = appendFlag(b, o.has[k]); o.has[k] {
			b = binary.AppendVarint(b, o.bars[k].T/1e6)
			b = appendPrices(b, &o.bars[k], 0)
		}
		if b = appendFlag(b, o.newest[k] != none); o.newest[k] != none {
			b = binary.AppendVarint(b, o.newest[k]/windowLength(k))
		}
	}
	return o.taken.append(b)
}

// parseOpen parses what append appends.
func parseOpen(b []byte) (*openBars, error) {
	r, o := reader{rest: b}, &openBars{}
	o.volume.seen = r.flag()
	o.volume.number, o.volume.volume = int32(r.int()), quote.Size(r.int())
	for k := range spans {
		if o.has[k] = r.flag(); o.has[k] {
			o.bars[k].T = r.times(1e6)
			r.prices(&o.bars[k], 0)
		}
		o.newest[k] = none
		if r.flag() {
			o.newest[k] = r.times(windowLength(k))
		}
	}
	if !r.failed {
		o.taken = r.taken()
	}
	if r.failed || len(r.rest) > 0 {
		return nil, errDamaged
	}
	return o, nil
}

func appendFlag(b []byte, flag bool) []byte {
	if flag {
		return append(b, 1)
	}
	return append(b, 0)
}

// reader reads varints and flags. After the first invalid one all are 0.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) int() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.rest, r.failed = nil, true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// times reads a multiple of a unit of time, in µs.
func (r *reader) times(unit int64) int64 {
	v := r.int()
	if v > maxTime/unit || v < -maxTime/unit {
		r.rest, r.failed = nil, true
		return 0
	}
	return v * unit
}

func (r *reader) flag() bool {
	if len(r.rest) == 0 || r.rest[0] > 1 {
		r.rest, r.failed = nil, true
		return false
	}
	flag := r.rest[0] == 1
	r.rest = r.rest[1:]
	return flag
}

func (r *reader) prices(bar *Bar, close quote.Price) {
	bar.O = close + quote.Price(r.int())
	bar.H = bar.O + quote.Price(r.int())
	bar.L = bar.O + quote.Price(r.int())
	bar.C = bar.O + quote.Price(r.int())
	bar.V = quote.Size(r.int())
}

var checksums = crc32.MakeTable(crc32.Castagnoli)

// put stores a value with the checksum of key and value in its first four bytes, which are left free in b.
func put(bucket *bolt.Bucket, key, b []byte) error {
	binary.LittleEndian.PutUint32(b, checksum(key, b[4:]))
	return bucket.Put(key, b)
}

// checked returns a value without its checksum. The error wraps errDamaged if the checksum, of key and value, is wrong: the tree has none.
func checked(key, b []byte) ([]byte, error) {
	if len(b) < 4 || binary.LittleEndian.Uint32(b) != checksum(key, b[4:]) {
		return nil, fmt.Errorf("%q: %w", key, errDamaged)
	}
	return b[4:], nil
}

func checksum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, checksums), checksums, value)
}
