package history

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"ticklane/internal/quote"
)

// changes are the buckets in a transaction.
type changes struct {
	meta, series, open, bars *bolt.Bucket // nil in a new file
}

func contents(tx *bolt.Tx) *changes {
	return &changes{meta: tx.Bucket(metaBucket), series: tx.Bucket(seriesBucket), open: tx.Bucket(openBucket), bars: tx.Bucket(barsBucket)}
}

// update calls change in a transaction. If change or the commit fails, nothing has changed.
func (f *file) update(change func(*changes) error) error {
	err := guard(func() error {
		return f.db.Update(func(tx *bolt.Tx) error {
			for _, name := range [][]byte{metaBucket, seriesBucket, openBucket, barsBucket} {
				if _, err := tx.CreateBucketIfNotExists(name); err != nil {
					return err
				}
			}
			c := contents(tx)
			c.bars.FillPercent = 0.9 // most blocks are appended to those of their series
			return change(c)
		})
	})
	return explained(err)
}

// seriesOf returns the number of an instrument's series, and creates it if it is missing. Stored bars of other decimals are
// converted; the error wraps errDecimals if that would lose any.
func (c *changes) seriesOf(in *quote.Instrument) (uint32, error) {
	value := c.series.Get([]byte(in.Symbol))
	if value == nil {
		n, err := c.series.NextSequence()
		if err != nil {
			return 0, err
		}
		return uint32(n), put(c.series, []byte(in.Symbol), seriesValue(uint32(n), in))
	}
	s, err := parseSeries([]byte(in.Symbol), value)
	if err != nil {
		return 0, fmt.Errorf("series of %s: %w", in.Symbol, err)
	}
	if s.decimals == in.Decimals && s.sizeDecimals == in.SizeDecimals {
		return s.number, nil
	}
	if err := c.convert(s, in); err != nil {
		return 0, err
	}
	return s.number, put(c.series, []byte(in.Symbol), seriesValue(s.number, in))
}

// seriesOf returns the series of a symbol, whose number is 0 if there is none.
func (f *file) seriesOf(symbol string) (s series, err error) {
	err = f.view(func(tx *bolt.Tx) error {
		bucket := tx.Bucket(seriesBucket)
		if bucket == nil {
			return nil
		}
		value := bucket.Get([]byte(symbol))
		if value == nil {
			return nil
		}
		s, err = parseSeries([]byte(symbol), value)
		return err
	})
	return s, err
}

// series is the stored form of an instrument.
type series struct {
	number                 uint32 // from 1
	decimals, sizeDecimals uint8
}

func numberKey(number uint32) []byte { return binary.BigEndian.AppendUint32(nil, number) }

func seriesValue(number uint32, in *quote.Instrument) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 4, 10), number)
	return append(b, in.Decimals, in.SizeDecimals)
}

func parseSeries(symbol, value []byte) (series, error) {
	b, err := checked(symbol, value)
	if err == nil && len(b) != 6 {
		err = errDamaged
	}
	if err != nil {
		return series{}, err
	}
	return series{number: binary.BigEndian.Uint32(b), decimals: b[4], sizeDecimals: b[5]}, nil
}

// errDecimals is the error of bars whose decimals an instrument doesn't have.
var errDecimals = errors.New("they have decimals that would be lost")

// convert converts all bars of a series to the decimals of an instrument.
func (c *changes) convert(s series, in *quote.Instrument) error {
	scale := scaling{price: int(in.Decimals) - int(s.decimals), size: int(in.SizeDecimals) - int(s.sizeDecimals)}
	o, err := c.openOf(s.number)
	if err != nil {
		return err
	}
	for k := range spans {
		if err := c.walk(s.number, k, o.newest[k], Earliest, func(x *block) (bool, error) {
			if !scale.bars(x.bars) {
				return false, errDecimals
			}
			return true, c.putBlock(s.number, k, x)
		}); err != nil {
			return err
		}
	}
	if !scale.bars(o.bars[:]) || !scale.volume(&o.volume.volume) {
		return errDecimals
	}
	return c.putOpen(s.number, o)
}

// scaling is the number of decimals that prices and sizes gain.
type scaling struct{ price, size int }

// bars scales bars. It reports whether their values are the same.
func (s scaling) bars(bars []Bar) bool {
	for i := range bars {
		b := &bars[i]
		for _, p := range []*quote.Price{&b.O, &b.H, &b.L, &b.C} {
			if !scale((*int64)(p), s.price) {
				return false
			}
		}
		if !s.volume(&b.V) {
			return false
		}
	}
	return true
}

func (s scaling) volume(v *quote.Size) bool { return scale((*int64)(v), s.size) }

func scale(v *int64, decimals int) bool {
	for ; decimals > 0; decimals-- {
		if *v > quote.MaxUnits/10 || *v < -quote.MaxUnits/10 {
			return false
		}
		*v *= 10
	}
	for ; decimals < 0; decimals++ {
		if *v%10 != 0 {
			return false
		}
		*v /= 10
	}
	return true
}

// putOpen stores the newest bars of a series.
func (c *changes) putOpen(number uint32, o *openBars) error {
	return put(c.open, numberKey(number), o.append(make([]byte, 4, 200)))
}

func (c *changes) putBlock(number uint32, k int, x *block) error {
	return put(c.bars, blockKey(k, number, x.start), appendBlock(make([]byte, 4, 16+12*len(x.bars)), k, x))
}

// putBars stores bars that are newer than those in the blocks of a series, of which newest is the start of the last one. It returns
// where the blocks end then.
func (c *changes) putBars(number uint32, k int, newest int64, bars []Bar) (int64, error) {
	for len(bars) > 0 {
		x := &block{start: window(bars[0].T, k), before: newest}
		if x.start == newest {
			key := blockKey(k, number, newest)
			var err error
			if x, err = blockAt(key, c.bars.Get(key)); err != nil {
				return none, err
			}
		}
		n := 1
		for n < len(bars) && window(bars[n].T, k) == x.start {
			n++
		}
		x.bars = append(x.bars, bars[:n]...)
		if err := c.putBlock(number, k, x); err != nil {
			return none, err
		}
		newest, bars = x.start, bars[n:]
	}
	return newest, nil
}

// trim deletes blocks whose bars are all older than a time for each length, at most limit of them. It returns the number.
func (c *changes) trim(oldest *[len(spans)]int64, limit int) (deleted int, err error) {
	trimmed, err := c.trimmed()
	if err != nil {
		return 0, err
	}
	var b []byte
	for k, t := range trimmed {
		b = binary.AppendVarint(b, max(t, oldest[k]))
	}
	if err := c.put("trimmed", b); err != nil {
		return 0, err
	}
	err = c.series.ForEach(func(symbol, value []byte) error {
		s, err := parseSeries(symbol, value)
		if err != nil {
			return err
		}
		for k := range spans {
			end := blockKey(k, s.number, oldest[k])
			first := seriesKey(k, s.number)
			cursor := c.bars.Cursor()
			for deleted < limit {
				key, _ := cursor.Seek(first)
				if !bytes.HasPrefix(key, first) || string(key) >= string(end) {
					break
				}
				if err := cursor.Delete(); err != nil {
					return err
				}
				deleted++
			}
		}
		return nil
	})
	return deleted, err
}

// trimmed returns for each length the time before which blocks may have been deleted.
func (c *changes) trimmed() (before [len(spans)]int64, err error) {
	b, err := c.get("trimmed")
	if err != nil || b == nil {
		return [len(spans)]int64{none, none, none, none}, err
	}
	r := reader{rest: b}
	for k := range before {
		before[k] = r.int()
	}
	if r.failed {
		err = errDamaged
	}
	return before, err
}
