package history

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"ticklane/internal/quote"
)

// Bars are stored in blocks. A block has the bars of a symbol and a length that start in a window of blockBars lengths; windows
// start at multiples of it. Its bytes are a CRC-32 and for each bar, as varints: seconds since the bar before or the start of the
// window, the open minus the close before, high, low and close minus the open, and the volume. A bar takes some 10 bytes.
const blockBars = 128

// errDamaged is the error of bytes that no Store has written.
var errDamaged = errors.New("damaged")

// window returns the start of the block that has the bars at t of a length in µs.
func window(t, span int64) int64 { return floorDiv(t, blockBars*span) * blockBars * span }

// appendBlock appends the block of bars whose window starts at start, without the checksum. Times of bars are whole seconds.
func appendBlock(b []byte, start int64, bars []Bar) []byte {
	before, close := start, quote.Price(0)
	for _, bar := range bars {
		b = binary.AppendVarint(b, (bar.T-before)/1e6)
		b = appendPrices(b, &bar, close)
		before, close = bar.T, bar.C
	}
	return b
}

func appendPrices(b []byte, bar *Bar, close quote.Price) []byte {
	b = binary.AppendVarint(b, int64(bar.O-close))
	b = binary.AppendVarint(b, int64(bar.H-bar.O))
	b = binary.AppendVarint(b, int64(bar.L-bar.O))
	b = binary.AppendVarint(b, int64(bar.C-bar.O))
	return binary.AppendVarint(b, int64(bar.V))
}

// parseBlock appends the bars of a block without its checksum.
func parseBlock(bars []Bar, start int64, b []byte) ([]Bar, error) {
	r := reader{rest: b}
	before, close := start, quote.Price(0)
	for len(r.rest) > 0 && !r.failed {
		bar := Bar{T: before + r.int()*1e6}
		r.prices(&bar, close)
		bars = append(bars, bar)
		before, close = bar.T, bar.C
	}
	if r.failed {
		return nil, errDamaged
	}
	return bars, nil
}

// appendOpen appends the newest bar of each length, 0 for none, and the day's volume of a symbol, without the checksum.
func appendOpen(b []byte, bars *[len(spans)]Bar, has *[len(spans)]bool, day volumeDay) []byte {
	b = appendFlag(b, day.seen)
	b = binary.AppendVarint(b, int64(day.number))
	b = binary.AppendVarint(b, int64(day.volume))
	for k := range bars {
		if b = appendFlag(b, has[k]); has[k] {
			b = binary.AppendVarint(b, bars[k].T/1e6)
			b = appendPrices(b, &bars[k], 0)
		}
	}
	return b
}

func appendFlag(b []byte, flag bool) []byte {
	if flag {
		return append(b, 1)
	}
	return append(b, 0)
}

// parseOpen parses what appendOpen appends.
func parseOpen(b []byte) (bars [len(spans)]Bar, has [len(spans)]bool, day volumeDay, err error) {
	r := reader{rest: b}
	day.seen = r.flag()
	day.number, day.volume = int32(r.int()), quote.Size(r.int())
	for k := range bars {
		if has[k] = r.flag(); has[k] {
			bars[k].T = r.int() * 1e6
			r.prices(&bars[k], 0)
		}
	}
	if r.failed || len(r.rest) > 0 {
		err = errDamaged
	}
	return bars, has, day, err
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

// sealed returns b with the checksum of what follows its first four bytes in these.
func sealed(b []byte) []byte {
	binary.LittleEndian.PutUint32(b, crc32.Checksum(b[4:], checksums))
	return b
}

// unsealed returns what follows the checksum.
func unsealed(b []byte) ([]byte, error) {
	if len(b) < 4 || binary.LittleEndian.Uint32(b) != crc32.Checksum(b[4:], checksums) {
		return nil, errDamaged
	}
	return b[4:], nil
}
