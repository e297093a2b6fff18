package history

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"ticklane/internal/quote"
)

// changes is a transaction that writes.
type changes struct {
	meta, series, open, bars *bolt.Bucket
}

// update calls change in a transaction. If change or the commit fails, nothing has changed.
func (f *file) update(change func(*changes) error) error {
	err := guard(func() error {
		return f.db.Update(func(tx *bolt.Tx) error {
			c := &changes{}
			for _, b := range []struct {
				bucket **bolt.Bucket
				name   []byte
			}{{&c.meta, metaBucket}, {&c.series, seriesBucket}, {&c.open, openBucket}, {&c.bars, barsBucket}} {
				var err error
				if *b.bucket, err = tx.CreateBucketIfNotExists(b.name); err != nil {
					return err
				}
			}
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
		return uint32(n), c.series.Put([]byte(in.Symbol), seriesValue(uint32(n), in))
	}
	s, err := parseSeries(value)
	if err != nil {
		return 0, fmt.Errorf("series of %s: %w", in.Symbol, err)
	}
	if s.decimals == in.Decimals && s.sizeDecimals == in.SizeDecimals {
		return s.number, nil
	}
	if err := c.convert(s, in); err != nil {
		return 0, err
	}
	return s.number, c.series.Put([]byte(in.Symbol), seriesValue(s.number, in))
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
		s, err = parseSeries(value)
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
	return sealed(append(b, in.Decimals, in.SizeDecimals))
}

func parseSeries(value []byte) (series, error) {
	b, err := unsealed(value)
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
	number := numberKey(s.number)
	if value := c.open.Get(number); value != nil {
		b, err := unsealed(value)
		if err != nil {
			return err
		}
		bars, has, day, err := parseOpen(b)
		if err != nil {
			return err
		}
		ok := scale.bars(bars[:]) && scale.volume(&day.volume)
		if !ok {
			return errDecimals
		}
		if err := c.open.Put(number, sealed(appendOpen(make([]byte, 4), &bars, &has, day))); err != nil {
			return err
		}
	}
	for k := range spans {
		first := append([]byte{byte(k)}, number...)
		var keys [][]byte // a cursor isn't valid after a change
		cursor := c.bars.Cursor()
		for key, _ := cursor.Seek(first); bytes.HasPrefix(key, first); key, _ = cursor.Next() {
			keys = append(keys, bytes.Clone(key))
		}
		for _, key := range keys {
			bars, err := blockAt(key, c.bars.Get(key))
			if err != nil {
				return err
			}
			if !scale.bars(bars) {
				return errDecimals
			}
			if err := c.bars.Put(key, sealed(appendBlock(make([]byte, 4), startOf(key), bars))); err != nil {
				return err
			}
		}
	}
	return nil
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
func (c *changes) putOpen(number uint32, bars *[len(spans)]Bar, has *[len(spans)]bool, day volumeDay) error {
	return c.open.Put(numberKey(number), sealed(appendOpen(make([]byte, 4, 160), bars, has, day)))
}

// putBars stores bars in their blocks. A bar with the time of a stored one replaces it.
func (c *changes) putBars(number uint32, k int, bars []Bar) error {
	for len(bars) > 0 {
		key := blockKey(k, number, bars[0].T)
		start := startOf(key)
		n := 1
		for n < len(bars) && window(bars[n].T, spans[k]) == start {
			n++
		}
		block := make([]Bar, 0, blockBars)
		if value := c.bars.Get(key); value != nil {
			var err error
			if block, err = blockAt(key, value); err != nil {
				return err
			}
		}
		for _, b := range bars[:n] {
			i, found := slices.BinarySearchFunc(block, b.T, func(x Bar, t int64) int { return compare(x.T, t) })
			if found {
				block[i] = b
			} else {
				block = slices.Insert(block, i, b)
			}
		}
		if err := c.bars.Put(key, sealed(appendBlock(make([]byte, 4, 4+12*len(block)), start, block))); err != nil {
			return err
		}
		bars = bars[n:]
	}
	return nil
}

// trim deletes blocks whose bars are all older than a time for each length, at most limit of them. It returns the number.
func (c *changes) trim(oldest *[len(spans)]int64, limit int) (int, error) {
	deleted := 0
	err := c.series.ForEach(func(_, value []byte) error {
		s, err := parseSeries(value)
		if err != nil {
			return err
		}
		for k := range spans {
			end := blockKey(k, s.number, oldest[k])
			first := end[:5]
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
